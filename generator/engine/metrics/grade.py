"""Excellent, good or average (Li 2025, Figure 6), by how usual a piece is among human pieces.

Li grades melody, rhythm and harmony by hand and gives no rule. Here each aspect is a handful of
measures; how far a piece lies from the human middle is their mean distance in robust standard
deviations, and its *typicality* the share of held-out human pieces that lie at least as far out.
"Excellent" is as usual as the inner half of human pieces in all three aspects, "good" as usual as
the inner four fifths, everything else "average". Below 5 % in any aspect a piece is turned down.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from generator.engine.metrics.line import Line
from generator.engine.metrics.melody import interval_shares, repetition
from generator.engine.metrics.pitch import in_estimated_key, pitch_class_entropy
from generator.engine.metrics.rhythm import corrected_consistency, on_beat_share

EXCELLENT_FROM, GOOD_FROM, TURNED_DOWN_BELOW = 0.5, 0.2, 0.05
_TO_DEVIATION = 1.4826
_LEAST_SPREAD = 1e-3
_PREFIX, _PARTS = "grade.", ("middle", "spread", "distances")


class Grade(StrEnum):
    """Li's three grades."""

    EXCELLENT = "excellent"
    GOOD = "good"
    AVERAGE = "average"


def aspects_of(line: Line) -> dict[str, tuple[float, ...]]:
    """Return the measures of each aspect of a melody."""
    shares = interval_shares(line.pitches)
    return {
        "melody": (
            repetition(line.onsets, line.pitches, 4),
            shares["steps"],
            shares["leaps"],
        ),
        "rhythm": (
            corrected_consistency(line.onsets, line.steps_per_bar),
            on_beat_share(line.onsets),
        ),
        "harmony": (in_estimated_key(line), pitch_class_entropy(line.pitches)),
    }


@dataclass(frozen=True)
class HumanScale:
    """For each aspect: middle and spread of its measures, sorted distances of human pieces."""

    middle: Mapping[str, np.ndarray]
    spread: Mapping[str, np.ndarray]
    distances: Mapping[str, np.ndarray]

    def typicality(self, line: Line) -> dict[str, float]:
        """Return the share of human pieces at least as unusual as this one, by aspect."""
        found = {}
        for aspect, measures in aspects_of(line).items():
            distance = _distance(np.array([measures]), self.middle[aspect], self.spread[aspect])[0]
            known = self.distances[aspect]
            found[aspect] = 1.0 - np.searchsorted(known, distance, side="left") / len(known)
        return found

    def grade(self, line: Line) -> Grade:
        """Return the grade of a piece: that of its least usual aspect."""
        return grade_of(min(self.typicality(line).values()))

    def is_acceptable(self, line: Line) -> bool:
        """Return whether a piece need not be composed again."""
        return min(self.typicality(line).values()) >= TURNED_DOWN_BELOW

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the scale as arrays by name, for a release; in full, or ties would part."""
        return {
            f"{_PREFIX}{aspect}.{part}": np.asarray(getattr(self, part)[aspect])
            for aspect in self.middle
            for part in _PARTS
        }

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "HumanScale | None":
        """Return the scale that `arrays` wrote; None where a release holds none."""
        aspects = [
            n.split(".")[1] for n in arrays if n.startswith(_PREFIX) and n.endswith(_PARTS[0])
        ]
        if not aspects:
            return None
        return cls(*({a: arrays[f"{_PREFIX}{a}.{part}"] for a in aspects} for part in _PARTS))


def grade_of(lowest: float) -> Grade:
    """Return the grade of a piece whose least usual aspect has this typicality."""
    if lowest >= EXCELLENT_FROM:
        return Grade.EXCELLENT
    return Grade.GOOD if lowest >= GOOD_FROM else Grade.AVERAGE


def human_scale(lines: Sequence[Line]) -> HumanScale:
    """Return the scale on which these human pieces are spread."""
    rows = [aspects_of(line) for line in lines]
    middle, spread, distances = {}, {}, {}
    for aspect in rows[0]:
        measures = np.array([row[aspect] for row in rows])
        middle[aspect] = np.nanmedian(measures, axis=0)
        off = np.abs(measures - middle[aspect])
        spread[aspect] = np.maximum(_TO_DEVIATION * np.nanmedian(off, axis=0), _LEAST_SPREAD)
        distances[aspect] = np.sort(_distance(measures, middle[aspect], spread[aspect]))
    return HumanScale(middle, spread, distances)


def _distance(measures: np.ndarray, middle: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Return the mean distance in deviations; what cannot be measured counts as one deviation."""
    return np.nan_to_num(np.abs(measures - middle) / spread, nan=1.0).mean(axis=1)
