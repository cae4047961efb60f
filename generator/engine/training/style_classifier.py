"""A classifier of two styles: tells by eight bars how likely they are of the first.

A linear discriminant of `metrics.texture` features, whitened to 40 dimensions, learnt from people's
pieces. Of people only stretches are heard whose melody is about as dense as a night's.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from generator.engine.brief import Style
from generator.engine.composers.form import BREADTH
from generator.engine.metrics.style import style_space
from generator.engine.metrics.texture import N_FEATURES, stretches
from generator.engine.score.notes import Score
from generator.engine.tokens.vocabulary import PITCH_LOWEST, ROLES
from generator.engine.training.corpus import Corpus, Piece

_DIMENSIONS = 40
_RIDGE = 0.1
# Metres whose bars, or pairs of bars, are of sixteen places.
_METRES = (16, 8)
_EVEN = 0.5
# Melody notes a bar, as it is written: half as many to twice as many as the plan asks for.
_NOTES_OF_A_NIGHT = (2.0, 6.5)


def people(pieces: Iterable[Piece]) -> np.ndarray:
    """Return the features of the stretches of pieces, shape (n, 100)."""
    rows = [
        features
        for piece in pieces
        if piece.metre.steps in _METRES
        for features in stretches(
            piece.onsets,
            piece.events[:, 2].astype(int) + PITCH_LOWEST,
            piece.events[:, 1].astype(int),
            _NOTES_OF_A_NIGHT,
        )
    ]
    return np.array(rows).reshape(-1, N_FEATURES)


def night(score: Score) -> np.ndarray:
    """Return the features of the stretches of a night piece, as it was written, shape (n, 100)."""
    rows = sorted(
        (note.onset // BREADTH, note.pitch - score.tonic, ROLES.index(part.role))
        for part in score.parts
        for note in part.notes
    )
    onsets, pitches, roles = np.array(rows).T
    return np.array(list(stretches(onsets, pitches, roles))).reshape(-1, N_FEATURES)


class StyleClassifier:
    """Tells the first of two styles from the second.

    Parameters
    ----------
    corpus : Corpus
        Its train split is learnt from.
    styles : sequence of two Style
    """

    def __init__(self, corpus: Corpus, styles: Sequence[Style]) -> None:
        self._styles = tuple(styles)
        clouds = self._clouds(corpus, ("train",))
        self._space = style_space(np.concatenate(clouds), _DIMENSIONS)
        first, second = (self._space.project(cloud) for cloud in clouds)
        within = (np.cov(first.T) + np.cov(second.T)) / 2 + _RIDGE * np.eye(first.shape[1])
        self._axis = np.linalg.solve(within, first.mean(axis=0) - second.mean(axis=0))
        self._middle = (first.mean(axis=0) + second.mean(axis=0)) / 2

    def posterior(self, features: np.ndarray) -> np.ndarray:
        """Return p(first style) of each stretch, both styles as likely beforehand, shape (n,)."""
        return 1.0 / (1.0 + np.exp(-(self._space.project(features) - self._middle) @ self._axis))

    def held_out(self, corpus: Corpus) -> tuple[float, float, float]:
        """Return how people of the valid and test splits are told.

        Returns
        -------
        accuracy : float
            Share of stretches told right, the mean of both styles.
        first, second : float
            Mean posterior of each style's stretches.
        """
        first, second = map(self.posterior, self._clouds(corpus, ("valid", "test")))
        right = (np.mean(first > _EVEN) + np.mean(second < _EVEN)) / 2
        return float(right), float(first.mean()), float(second.mean())

    def _clouds(self, corpus: Corpus, splits: Sequence[str]) -> list[np.ndarray]:
        return [
            people(p for p in corpus.pieces if p.style is style and p.split in splits)
            for style in self._styles
        ]
