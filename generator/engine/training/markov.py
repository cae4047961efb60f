"""The Markov tables, estimated: rhythm and intervals of the training melodies, orders 0 to 8."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from generator.engine.composers.melody_tables import (
    INTERVAL_LIMIT,
    INTERVAL_SIZE,
    LONGEST_IOI,
    MAX_ORDER,
    RHYTHM_SIZE,
    interval_contexts,
    rhythm_contexts,
)
from generator.engine.metrics.grade import human_scale
from generator.engine.metrics.originality import build_filter, melody_pairs, run_rows
from generator.engine.networks.backoff import BackoffTable, context_hash, count_order
from generator.engine.networks.checkpoints import save_checkpoint
from generator.engine.tokens.vocabulary import PITCH_LOWEST, position_ids
from generator.engine.training.corpus import Corpus, Piece
from generator.engine.training.harmony import harmony_table
from generator.engine.training.lines import long_lines
from generator.engine.training.textures import texture_table

_MELODY = 0
# A long context seen once says nothing of what may follow, and makes nine tenths of the table.
_MINIMUM_COUNT = (1, 1, 2, 3, 3, 3, 3, 3, 3)
_FEWEST_NOTES = 8


@dataclass(frozen=True)
class Melody:
    """The melody of one piece: onsets (steps), pitches (MIDI, tonic at C), metrical positions."""

    onsets: np.ndarray
    pitches: np.ndarray
    positions: np.ndarray
    mode: str


def melodies(pieces: Sequence[Piece]) -> Iterator[Melody]:
    """Yield the melody of each piece that has eight notes of it or more."""
    for piece in pieces:
        rows = piece.role(_MELODY)
        rows = rows[np.diff(rows[:, 0], prepend=-1) > 0]
        if len(rows) >= _FEWEST_NOTES:
            positions = position_ids(rows[:, 0], piece.metre)
            yield Melody(rows[:, 0], rows[:, 1] + PITCH_LOWEST, positions, piece.mode)


def estimate_markov(pieces: Sequence[Piece]) -> dict[str, BackoffTable]:
    """Return the rhythm and interval tables of the melodies of these pieces."""
    rhythm: list[list[np.ndarray]] = [[] for _ in range(MAX_ORDER + 1)]
    interval: list[list[np.ndarray]] = [[] for _ in range(MAX_ORDER + 1)]
    iois, steps, owners = [], [], []
    for number, melody in enumerate(melodies(pieces)):
        ioi = np.minimum(np.diff(melody.onsets), LONGEST_IOI) - 1
        step = np.clip(np.diff(melody.pitches), -INTERVAL_LIMIT, INTERVAL_LIMIT) + INTERVAL_LIMIT
        iois.append(ioi)
        steps.append(step)
        owners.append(np.full(len(ioi), number))
        for order in range(MAX_ORDER + 1):
            rhythm[order].append(context_hash(rhythm_contexts(melody.positions[:-1], ioi, order)))
            interval[order].append(
                context_hash(interval_contexts(melody.pitches[:-1], melody.mode, step, ioi, order))
            )
    symbols = {"rhythm": np.concatenate(iois), "interval": np.concatenate(steps)}
    keys = {"rhythm": rhythm, "interval": interval}
    sizes = {"rhythm": RHYTHM_SIZE, "interval": INTERVAL_SIZE}
    return {
        name: BackoffTable(
            sizes[name],
            tuple(
                count_order(
                    np.concatenate(parts),
                    symbols[name],
                    np.concatenate(owners),
                    _MINIMUM_COUNT[order],
                )
                for order, parts in enumerate(keys[name])
            ),
        )
        for name in ("rhythm", "interval")
    }


def originality_bits(pieces: Sequence[Piece]) -> np.ndarray:
    """Return the Bloom filter of all 12-grams of the melodies of these pieces."""
    rows = [run_rows(melody_pairs(m.onsets, m.pitches)) for m in melodies(pieces)]
    return build_filter(np.unique(np.concatenate(rows), axis=0)).bits


def train_markov(corpus: Corpus, directory: Path) -> str:
    """Estimate everything on the train split, write the release folder, return its name."""
    train = corpus.split("train")
    arrays: dict[str, np.ndarray] = {}
    for name, table in estimate_markov(train).items():
        arrays |= table.arrays(name)
    config = {
        "composer": "markov",
        "max_order": MAX_ORDER,
        "minimum_count": list(_MINIMUM_COUNT),
        "train_pieces": len(train),
    }
    return save_checkpoint(directory, arrays, config)


def train_foundation(corpus: Corpus, directory: Path) -> str:
    """Estimate what all composers share, write it, name it.

    Chord chain, textures and originality filter come from the train split, the scale of grades
    from the melodies of the valid split that are eight bars long or longer.
    """
    train = corpus.split("train")
    arrays = {
        "harmony": harmony_table(train).counts,
        "originality": originality_bits(train),
        **texture_table(train).arrays(),
    }
    human = long_lines(corpus.split("valid"))
    if human:
        arrays |= human_scale(human).arrays()
    config = {
        "composer": "foundation",
        "train_pieces": len(train),
        "graded_against": len(human),
    }
    return save_checkpoint(directory, arrays, config)
