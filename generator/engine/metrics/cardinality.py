"""Cardinality score: how much of one excerpt stands in another, moved in time and in pitch.

Copied runs (`metrics/originality.py`) break at the first note that differs. The cardinality score
(Yin, Reuben, Stepney and Collins 2021, "A good algorithm does not steal - it imitates", originality
report) forgives such notes: of all translations in time and pitch it takes the one under which most
notes of one excerpt fall upon notes of the other, max_t |A & (B + t)| / max(|A|, |B|). The
originality of an excerpt is 1 minus its highest score among the training excerpts.

Differs from the report in: one melody, not all parts; semitones, not steps of the staff; a grid of
sixteenths; excerpts of 32 quarters (eight bars of 4/4) in whole bars, not of 4, 8 and 16 beats; one
excerpt a piece. A score rises with the number of excerpts that it is the highest of, so scores are
comparable on one corpus only.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from generator.engine.metrics.line import Line

EXCERPT_STEPS = 128
FEWEST_NOTES, MOST_NOTES = 16, 64
MOST_EXCERPTS = 20_000
# Pitches reach from 0 to 127, so packed positions differ alike only where both parts differ alike.
_PITCHES = 256
# So many excerpts at a time that their differences stay in a core's cache.
_ROWS = 128


def cardinality_score(first: np.ndarray, second: np.ndarray) -> float:
    """Return the largest share of the points that coincide under one translation, 0 to 1.

    Parameters
    ----------
    first, second : ndarray of int, shape (n, 2) and (m, 2)
        Distinct (onset, pitch) points.
    """
    if not len(first) or not len(second):
        return 0.0
    differences = (second[None, :, :] - first[:, None, :]).reshape(-1, 2)
    _, counts = np.unique(differences, axis=0, return_counts=True)
    return float(counts.max() / max(len(first), len(second)))


def melody_excerpts(line: Line) -> Iterator[Line]:
    """Yield the excerpts of a melody, each overlapping the one before by half.

    An excerpt has the fewest whole bars that last 32 quarters, and 16 to 64 notes.
    """
    n_bars = -(-EXCERPT_STEPS // line.steps_per_bar)
    for first in range(0, line.n_bars - n_bars + 1, n_bars // 2):
        excerpt = line.bars(first, n_bars)
        if FEWEST_NOTES <= len(excerpt) <= MOST_NOTES:
            yield excerpt


def drawn_excerpt(line: Line, number: int) -> Line | None:
    """Return one excerpt of a melody, drawn by the piece's number; None where it has none."""
    excerpts = list(melody_excerpts(line))
    if not excerpts:
        return None
    return excerpts[np.random.default_rng(number).integers(len(excerpts))]


@dataclass(frozen=True)
class KnownExcerpts:
    """Excerpts to be held against: by number of notes n, packed positions, int32 (k, n)."""

    by_notes: Mapping[int, np.ndarray]

    def __len__(self) -> int:
        return sum(map(len, self.by_notes.values()))

    def highest_score(self, excerpt: Line) -> float:
        """Return the highest cardinality score of an excerpt among the known ones; 0 of none."""
        own = _packed(excerpt)
        best = 0.0
        # Excerpts of about as many notes can score highest, and the rest are judged by the best.
        for n_notes in sorted(self.by_notes, key=lambda n: abs(n - len(own))):
            if min(n_notes, len(own)) <= best * max(n_notes, len(own)):
                continue
            known = self.by_notes[n_notes]
            for start in range(0, len(known), _ROWS):
                best = _raised(best, own, known[start : start + _ROWS])
        return best


def known_excerpts(
    lines: Iterable[Line], *, most: int = MOST_EXCERPTS, seed: int = 0
) -> KnownExcerpts:
    """Return the excerpts of these melodies; of more than `most`, so many drawn by the seed."""
    packed = [_packed(excerpt) for line in lines for excerpt in melody_excerpts(line)]
    if len(packed) > most:
        drawn = np.random.default_rng(seed).choice(len(packed), most, replace=False)
        packed = [packed[index] for index in np.sort(drawn)]
    by_notes: dict[int, list[np.ndarray]] = {}
    for positions in packed:
        by_notes.setdefault(len(positions), []).append(positions)
    return KnownExcerpts({n_notes: np.array(rows) for n_notes, rows in by_notes.items()})


def _packed(excerpt: Line) -> np.ndarray:
    """Return each note as one number, whose differences tell translations apart."""
    return (excerpt.onsets * _PITCHES + excerpt.pitches).astype(np.int32)


def _raised(best: float, own: np.ndarray, known: np.ndarray) -> float:
    """Return the best score so far or, where it is higher, that of the best of these rows.

    Equal differences are one translation and lie side by side once sorted: `wanted` notes coincide
    where a difference equals that `wanted` - 1 places on.
    """
    notes = max(len(own), known.shape[1])
    moves = (known[:, None, :] - own[None, :, None]).reshape(len(known), -1)
    moves.sort(axis=1)
    wanted = int(best * notes) + 1
    while len(moves := _with_repeats(moves, wanted)):
        best = max(best, wanted / notes)
        wanted += 1
    return best


def _with_repeats(rows: np.ndarray, count: int) -> np.ndarray:
    """Return those of the sorted rows that hold some value at least `count` times."""
    n_first = rows.shape[1] - count + 1
    if n_first < 1:
        return rows[:0]
    return rows[(rows[:, count - 1 :] == rows[:, :n_first]).any(axis=1)]
