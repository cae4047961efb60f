"""What style can be heard by in a night piece: melody, inner voice and bass of eight bars.

100 features: the melody's pitch classes 12, places 8, intervals 25, gaps 16; the inner voice's
places 8, voices struck together 3, direction 3, bars that move as the bar before 1; the bass's
places 8, intervals 4; pitch classes of all 12. Left out is what the plan of a night fixes for every
style: how many notes there are, how high, how loud, how long.

Conventions
-----------
bars      of 16 places; onsets are read on the eight even ones, as night pieces are composed
pitches   MIDI, the tonic at C
roles     index in `ROLES`; the pad is not heard
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from generator.engine.score.notes import Role
from generator.engine.tokens.vocabulary import ROLES

N_FEATURES = 100
STRETCH_BARS, HOP_BARS = 8, 4
_BAR, _STEP = 16, 2
_PLACES = _BAR // _STEP
_WIDEST, _LONGEST = 12, 16
_MELODY, _INNER, _BASS = (ROLES.index(role) for role in (Role.MELODY, Role.INNER, Role.BASS))
# Fewer notes of a part say nothing of it.
_FEWEST = {_MELODY: 6, _INNER: 8, _BASS: 3}
_BASS_EDGES = (1, 3, 6)


def stretches(
    onsets: np.ndarray,
    pitches: np.ndarray,
    roles: np.ndarray,
    melody_notes: tuple[float, float] = (0.0, _PLACES),
) -> Iterator[np.ndarray]:
    """Yield the features of each eight bars, every four bars, in which all three parts play.

    Parameters
    ----------
    onsets, pitches, roles : ndarray, shape (n,)
        In order of onset.
    melody_notes : (float, float)
        Fewest and most places a bar at which the melody speaks.

    Yields
    ------
    ndarray, shape (100,)
    """
    if not len(onsets):
        return
    for first in range(0, int(onsets[-1]) // _BAR + 2 - STRETCH_BARS, HOP_BARS):
        inside = (onsets >= first * _BAR) & (onsets < (first + STRETCH_BARS) * _BAR)
        counts = np.bincount(roles[inside], minlength=len(ROLES))
        sung = np.unique(onsets[inside & (roles == _MELODY)] // _STEP)
        counts[_MELODY] = len(sung)
        is_told = all(counts[role] >= fewest for role, fewest in _FEWEST.items())
        if is_told and melody_notes[0] <= len(sung) / STRETCH_BARS <= melody_notes[1]:
            yield texture_features(onsets[inside] - first * _BAR, pitches[inside], roles[inside])


def texture_features(onsets: np.ndarray, pitches: np.ndarray, roles: np.ndarray) -> np.ndarray:
    """Return the features of one stretch that begins at a bar line, shape (100,)."""
    places = onsets // _STEP
    heard = roles != ROLES.index(Role.PAD)
    parts = (
        _melody(places[roles == _MELODY], pitches[roles == _MELODY]),
        _inner(places[roles == _INNER], pitches[roles == _INNER]),
        _bass(places[roles == _BASS], pitches[roles == _BASS]),
        _shares(pitches[heard] % 12, 12),
    )
    return np.concatenate(parts)


def _melody(places: np.ndarray, pitches: np.ndarray) -> np.ndarray:
    line, top = _tops(places, pitches)
    intervals = np.clip(np.diff(top), -_WIDEST, _WIDEST) + _WIDEST
    gaps = np.minimum(np.diff(line), _LONGEST) - 1
    return np.concatenate(
        [
            _shares(top % 12, 12),
            _shares(line % _PLACES, _PLACES),
            _shares(intervals, 2 * _WIDEST + 1),
            _shares(gaps, _LONGEST),
        ]
    )


def _inner(places: np.ndarray, pitches: np.ndarray) -> np.ndarray:
    struck, together = np.unique(places, return_counts=True)
    _, top = _tops(places, pitches)
    bars = [tuple(struck[struck // _PLACES == bar] % _PLACES) for bar in range(STRETCH_BARS)]
    alike = np.mean([here == before for before, here in pairwise(bars)])
    return np.concatenate(
        [
            _shares(places % _PLACES, _PLACES),
            _shares(np.minimum(together, 3) - 1, 3),
            _shares(np.sign(np.diff(top)).astype(int) + 1, 3),
            [alike],
        ]
    )


def _bass(places: np.ndarray, pitches: np.ndarray) -> np.ndarray:
    moves = np.digitize(np.abs(np.diff(pitches)), _BASS_EDGES)
    return np.concatenate([_shares(places % _PLACES, _PLACES), _shares(moves, 4)])


def _tops(places: np.ndarray, pitches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each place once, in order, and the highest pitch there."""
    order = np.lexsort((-pitches, places))
    line, first = np.unique(places[order], return_index=True)
    return line, pitches[order][first]


def _shares(values: np.ndarray, size: int) -> np.ndarray:
    return np.bincount(values, minlength=size) / max(len(values), 1)
