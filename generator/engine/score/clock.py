"""Steps, beats, ticks and seconds: the one place of the engine that converts time.

Conventions
-----------
step      a quarter of a beat (see `notes`)
tick      1/480 of a beat, the resolution of the MIDI files we write
tempo     quarter notes a minute; a MIDI file stores whole microseconds a beat, so every tempo that
          leaves this module is one that a MIDI file can hold exactly
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from generator.engine.score.notes import STEPS_PER_BEAT, TempoMark

TICKS_PER_BEAT = 480
TICKS_PER_STEP = TICKS_PER_BEAT // STEPS_PER_BEAT
_MICROSECONDS_PER_MINUTE = 60_000_000


def midi_tempo(bpm: float) -> float:
    """Return the tempo nearest to `bpm` that a MIDI file can hold (whole microseconds a beat)."""
    return _MICROSECONDS_PER_MINUTE / round(_MICROSECONDS_PER_MINUTE / bpm)


def seconds_per_step(bpm: float) -> float:
    """Return how long one step lasts at `bpm` quarter notes a minute."""
    return 60.0 / (bpm * STEPS_PER_BEAT)


class Clock:
    """The tempo map of one score: where a step lies in seconds, and back.

    Parameters
    ----------
    tempo : sequence of TempoMark
        In order of onset; the first at step 0.
    """

    def __init__(self, tempo: Sequence[TempoMark]) -> None:
        self._onsets = [mark.onset for mark in tempo]
        self._step_s = [seconds_per_step(mark.bpm) for mark in tempo]
        self._starts_s = [0.0]
        for index, (here, there) in enumerate(pairwise(self._onsets)):
            self._starts_s.append(self._starts_s[-1] + (there - here) * self._step_s[index])

    def seconds(self, step: float) -> float:
        """Return the time of `step` in seconds from the start."""
        index = max(bisect_right(self._onsets, step) - 1, 0)
        return self._starts_s[index] + (step - self._onsets[index]) * self._step_s[index]

    def seconds_of(self, steps: np.ndarray) -> np.ndarray:
        """Return the times of many steps at once, shape as `steps`."""
        index = np.maximum(np.searchsorted(self._onsets, steps, side="right") - 1, 0)
        starts, onsets = np.asarray(self._starts_s), np.asarray(self._onsets)
        return starts[index] + (steps - onsets[index]) * np.asarray(self._step_s)[index]

    def step_at(self, seconds: float) -> float:
        """Return the (fractional) step that sounds at `seconds`."""
        index = max(bisect_right(self._starts_s, seconds) - 1, 0)
        return self._onsets[index] + (seconds - self._starts_s[index]) / self._step_s[index]


def ticks_to_steps(ticks: np.ndarray, ticks_per_beat: int) -> np.ndarray:
    """Return tick times rounded to the nearest step (halves go up), as int64."""
    scaled = np.asarray(ticks, dtype=np.int64) * STEPS_PER_BEAT
    return (2 * scaled + ticks_per_beat) // (2 * ticks_per_beat)


def steps_to_ticks(steps: int) -> int:
    """Return the tick of a step at `TICKS_PER_BEAT`."""
    return steps * TICKS_PER_STEP
