"""What every composer is: a brief and a stream of chance go in, a score comes out."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from generator.engine.brief import Brief
from generator.engine.score.notes import Score

Progress = Callable[[float], None]


class Composer(Protocol):
    """One way of composing.

    The same brief and a generator in the same state give the same score. `progress` is called with
    the finished share, 0-1, and may raise to stop the work.
    """

    release: str

    def compose(
        self, brief: Brief, rng: np.random.Generator, progress: Progress | None = None
    ) -> Score:
        """Return a score of the length, tempo, mode and style that the brief asks for."""
        ...
