"""The gate before the sound: a melody further out than nineteen in twenty human ones is redrawn.

Li's Figure 6 grades pieces; `metrics.grade` gives the grades a rule. A night is longer than the
human pieces that the scale was made of, and says things again that they have no time to, so it is
graded in stretches of about their length: what counts is the middle stretch, aspect by aspect.

The gate never refuses. After a few draws the most typical one is taken, and what was drawn is said.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from generator.engine.composers.form import BREADTH
from generator.engine.metrics.grade import TURNED_DOWN_BELOW, Grade, HumanScale, grade_of
from generator.engine.metrics.line import melody_of
from generator.engine.score.notes import Score

MAX_GRADED_DRAWS = 3
STRETCH_BARS = 64
_FEWEST_NOTES = 16


@dataclass(frozen=True)
class Graded:
    """A score, its grade, its typicality by aspect (0-1), and those of all draws, in order.

    `typicality` is empty, and the grade None, where a melody is too short to be graded.
    """

    score: Score
    grade: Grade | None
    typicality: dict[str, float]
    draws: tuple[dict[str, float], ...] = ()

    @property
    def lowest(self) -> float:
        """The typicality of the least usual aspect."""
        return min(self.typicality.values(), default=1.0)

    def described(self) -> dict[str, object]:
        """Return what the piece's provenance keeps, as plain JSON values."""
        return {
            "grade": None if self.grade is None else self.grade.value,
            "typicality": self.typicality,
            "draws": list(self.draws),
        }


def graded(score: Score, scale: HumanScale) -> Graded:
    """Return a score with its grade, its melody measured as written."""
    line = melody_of(score, BREADTH)
    count = -(-line.n_bars // STRETCH_BARS)
    stretches = [line.bars(index * STRETCH_BARS, STRETCH_BARS) for index in range(count)]
    rows = [scale.typicality(stretch) for stretch in stretches if len(stretch) >= _FEWEST_NOTES]
    if not rows:
        return Graded(score, None, {})
    typicality = {
        aspect: round(float(np.median([row[aspect] for row in rows])), 4) for aspect in rows[0]
    }
    return Graded(score, grade_of(min(typicality.values())), typicality)


def first_acceptable(
    compose: Callable[[int], Score], scale: HumanScale | None, max_draws: int = MAX_GRADED_DRAWS
) -> Graded:
    """Return the first draw that is not turned down, or the most typical of `max_draws`.

    Parameters
    ----------
    compose : callable
        Draws a score; told how many draws came before.
    scale : HumanScale, optional
        Without one (a release from before it) the first draw is taken, ungraded.
    max_draws : int
    """
    if scale is None:
        return Graded(compose(0), None, {})
    drawn: list[Graded] = []
    while not drawn or (drawn[-1].lowest < TURNED_DOWN_BELOW and len(drawn) < max_draws):
        drawn.append(graded(compose(len(drawn)), scale))
    best = max(drawn, key=lambda draw: draw.lowest)
    return Graded(best.score, best.grade, best.typicality, tuple(draw.typicality for draw in drawn))
