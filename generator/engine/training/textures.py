"""The textures of accompaniments, counted: how the inner voice and the bass of each bar move."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from generator.engine.brief import Style
from generator.engine.composers.textures import N_PLACES, N_VOICES, Texture, TextureTable
from generator.engine.score.notes import Role
from generator.engine.tokens.vocabulary import PITCH_LOWEST, ROLES
from generator.engine.training.corpus import Piece

_INNER, _BASS = ROLES.index(Role.INNER), ROLES.index(Role.BASS)
_BAR = 16
_STEPS_PER_PLACE = _BAR // N_PLACES
# A bar of four quarters, or two of two: what a bar of a night piece is made of.
_BARS_OF_STEPS = (16, 8)
# Fewer strikes do not move, more are too full for a night.
_FEWEST, _MOST = 2, 12
_KEPT_PER_STYLE = 160
# What a style moves like of which nothing is known: broken upwards, rocking, arched, a chord.
_PLAIN = (
    Texture(((0, 0), (2, 1), (4, 2), (6, 1))),
    Texture(((0, 0), (2, 2), (4, 1), (6, 2))),
    Texture(((0, 0), (1, 1), (2, 2), (3, 1), (4, 0)), 4, leaves_root=True),
    Texture(((0, 0), (0, 1), (0, 2))),
)
_PLAIN_COUNT = 0.5


def texture_table(pieces: Sequence[Piece]) -> TextureTable:
    """Return the textures of these pieces: the 160 most frequent of each style, and how frequent.

    Four plain ones are added to every style, half a bar each. Chance decides nothing: textures met
    equally often are kept in the order of their bytes.
    """
    counts: dict[Style, Counter[tuple[int, ...]]] = {style: Counter() for style in Style}
    for piece in pieces:
        counts[piece.style].update(texture.encoded() for texture in textures_of(piece))
    plain = [texture.encoded() for texture in _PLAIN]
    kept = set(plain)
    for counted in counts.values():
        kept.update(sorted(counted, key=lambda row: (-counted[row], row))[:_KEPT_PER_STYLE])
    rows = sorted(kept)
    table = np.array([[counts[style][row] for row in rows] for style in Style], dtype=np.float32)
    table[:, [rows.index(row) for row in plain]] += _PLAIN_COUNT
    return TextureTable(np.array(rows, dtype=np.uint8), table)


def textures_of(piece: Piece) -> Iterator[Texture]:
    """Yield the texture of each bar that has an inner voice moving as a night piece may."""
    if piece.metre.steps not in _BARS_OF_STEPS:
        return
    onsets, roles = piece.onsets, piece.events[:, 1]
    pitches = piece.events[:, 2].astype(int) + PITCH_LOWEST
    bars = onsets // _BAR
    places = onsets % _BAR // _STEPS_PER_PLACE
    for bar in range(int(bars[-1]) + 1 if len(bars) else 0):
        inside = slice(*np.searchsorted(bars, [bar, bar + 1]))
        inner, bass = roles[inside] == _INNER, roles[inside] == _BASS
        strikes = _strikes(places[inside][inner], pitches[inside][inner])
        if _FEWEST <= len(strikes) <= _MOST:
            yield Texture(strikes, *_second_bass(places[inside][bass], pitches[inside][bass]))


def _strikes(places: np.ndarray, pitches: np.ndarray) -> tuple[tuple[int, int], ...]:
    """Return which of three voices is struck where: the pitches of a bar, parted by rank."""
    ranked = np.unique(pitches)
    if len(ranked) == N_VOICES - 1:
        voice_of = dict(zip(ranked.tolist(), (0, N_VOICES - 1), strict=True))
    elif len(ranked) == 1:
        voice_of = {int(ranked[0]): 1}
    else:
        parted = np.arange(len(ranked)) * N_VOICES // max(len(ranked), 1)
        voice_of = dict(zip(ranked.tolist(), parted.tolist(), strict=True))
    struck = {
        (int(place), voice_of[int(pitch)]) for place, pitch in zip(places, pitches, strict=True)
    }
    return tuple(sorted(struck))


def _second_bass(places: np.ndarray, pitches: np.ndarray) -> tuple[int, bool]:
    """Return where in the second half of the bar the bass comes in, and whether it moves then."""
    later = np.flatnonzero(places >= N_PLACES // 2)
    if not len(later):
        return 0, False
    second = later[0]
    return int(places[second]), bool((pitches[second] - pitches[0]) % 12)
