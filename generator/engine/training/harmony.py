"""The chord chain, estimated: which degree each bar of the training pieces stands on."""

from collections.abc import Sequence

import numpy as np

from generator.engine.brief import Mode, Style
from generator.engine.composers.harmony import N_DEGREES, HarmonyTable
from generator.engine.score.scales import triad
from generator.engine.tokens.vocabulary import DURATION_STEPS, PITCH_LOWEST
from generator.engine.training.corpus import Piece

_BASS = 2
_BASS_WEIGHT = 1.0
_OUTSIDE = -0.6


def harmony_table(pieces: Sequence[Piece]) -> HarmonyTable:
    """Return how often each degree followed each pair of degrees, by style and mode."""
    counts = np.zeros((len(Style), len(Mode), *(N_DEGREES,) * 3))
    for piece in pieces:
        degrees = bar_degrees(piece)
        where = list(Style).index(piece.style), list(Mode).index(Mode(piece.mode))
        np.add.at(counts[where], (degrees[:-2], degrees[1:-1], degrees[2:]), 1.0)
    return HarmonyTable(counts.astype(np.float32))


def bar_degrees(piece: Piece) -> np.ndarray:
    """Return the degree, 0-6, whose triad fits the sounding time of each bar best."""
    bars = piece.onsets // piece.metre.steps
    classes = (piece.events[:, 2].astype(int) + PITCH_LOWEST) % 12
    time = np.minimum(DURATION_STEPS[piece.events[:, 3]], piece.metre.steps).astype(float)
    sounding = np.zeros((int(bars[-1]) + 1, 12))
    np.add.at(sounding, (bars, classes), time)
    bass = piece.events[:, 1] == _BASS
    bassline = np.zeros_like(sounding)
    np.add.at(bassline, (bars[bass], classes[bass]), time[bass])
    fit = np.empty((len(sounding), N_DEGREES))
    for degree in range(N_DEGREES):
        chord = list(triad(degree, piece.mode))
        template = np.full(12, _OUTSIDE)
        template[chord] = 1.0
        fit[:, degree] = sounding @ template + _BASS_WEIGHT * bassline[:, chord[0]]
    return fit[sounding.sum(axis=1) > 0].argmax(axis=1)
