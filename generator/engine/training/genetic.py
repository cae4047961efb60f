"""What the genetic composer aims at, estimated: features of four-bar phrases by style."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from generator.engine.brief import Style
from generator.engine.metrics.phrases import FEATURES, SLOTS_PER_BAR, phrase_features
from generator.engine.networks.checkpoints import save_checkpoint
from generator.engine.tokens.vocabulary import METRES, PITCH_LOWEST
from generator.engine.training.corpus import Corpus, Piece

_MELODY = 0
_BARS = 4
_STEPS_PER_SLOT = 2
# Phrases of the density that night pieces have: 2 to 5 notes a bar.
_FEWEST, _MOST = 2 * _BARS, 5 * _BARS
_RIDGE = 1e-3
_FEWEST_PHRASES = 30


def corpus_phrases(piece: Piece) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (begins, pitches) of each four-bar phrase of a piece in 4/4, on the grid of eighths."""
    if piece.metre != METRES[0]:
        return
    rows = piece.role(_MELODY)
    slots = _BARS * SLOTS_PER_BAR
    at = rows[:, 0] // _STEPS_PER_SLOT
    for start in range(0, int(at.max(initial=0)) - slots + 1, slots // 2):
        inside = rows[(at >= start) & (at < start + slots)]
        if not _FEWEST <= len(inside) <= _MOST:
            continue
        begins, pitches = np.zeros(slots, dtype=bool), np.zeros(slots, dtype=int)
        place = inside[:, 0] // _STEPS_PER_SLOT - start
        begins[place] = True
        pitches[place] = inside[:, 1] + PITCH_LOWEST
        yield begins, pitches


def train_genetic(corpus: Corpus, directory: Path) -> str:
    """Estimate means by style and one covariance on the train split; write the release folder."""
    by_style: dict[Style, list] = {style: [] for style in Style}
    for piece in corpus.split("train"):
        by_style[piece.style].extend(corpus_phrases(piece))
    everything = [phrase for phrases in by_style.values() for phrase in phrases]
    features = _features(everything)
    means = np.tile(features.mean(axis=0), (len(Style), 1))
    for row, style in enumerate(Style):
        if len(by_style[style]) >= _FEWEST_PHRASES:
            means[row] = _features(by_style[style]).mean(axis=0)
    covariance = np.cov(features.T) + _RIDGE * np.eye(len(FEATURES))
    arrays = {
        "means": means.astype(np.float32),
        "precision": np.linalg.inv(covariance).astype(np.float32),
    }
    config = {
        "composer": "genetic",
        "features": list(FEATURES),
        "phrases": {style.value: len(phrases) for style, phrases in by_style.items()},
        "train_pieces": len(corpus.split("train")),
    }
    return save_checkpoint(directory, arrays, config)


def _features(phrases: list) -> np.ndarray:
    begins = np.stack([phrase[0] for phrase in phrases])
    pitches = np.stack([phrase[1] for phrase in phrases])
    return phrase_features(begins, pitches)
