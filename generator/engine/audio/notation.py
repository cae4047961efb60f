"""What the written notes of a night measure against the profile, before a sample is computed.

The lines of `sleep-45/v1` that concern tempo, density, touch, register, melody and harmony. They
are exact, for they are read off the score and not estimated from the sound; a score that fails one
is drawn again at the price of composing alone.

Conventions
-----------
Seconds are those of the performance, its stretch included. Windows are shares of the night:
`sleep-45`'s first 5 and last 10 minutes are its first ninth and the last two ninths before the
fade-out, whatever its length.

Deviations
----------
1. `repetition_4` counts what the melody has said before, and a shorter piece has said less: its
   lower limit falls in proportion below 45 minutes. The direction is a milder test of short files.
   A longer piece has said more by its length alone, so above 45 minutes the value is the mean
   over stretches with as many notes as 45 of its minutes have. Measured on six seeds of a chain
   that leans on its own past (a share of 0.3): 0.57-0.63 in 45 minutes is 0.56-0.65 in 60 counted
   so, and 0.60-0.69 counted over the whole. The direction is a milder test of what lies farther
   apart than that.
2. Below 15 minutes there is no night to wind down: the limits of its end are then taken in
   proportion between those of its beginning and those of its end.
"""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from generator.engine.audio.limits import Row, at_least, at_most, between
from generator.engine.audio.performance import LEAD_IN_S
from generator.engine.audio.profile import SAMPLE_RATE_HZ, SHORTEST_NIGHT_S, Timeline
from generator.engine.metrics.consonance import held_rub_share
from generator.engine.metrics.melody import interval_shares
from generator.engine.metrics.pitch import pitch_class_entropy
from generator.engine.score.clock import Clock
from generator.engine.score.notes import Note, Role, Score

# Piano, electric pianos, celesta, music box, vibraphone, guitars, soft basses, cello, harp, slow
# strings, choir, flutes, pads, sitar, koto, kalimba: nothing that is struck hard or blown loudly.
CALM_PROGRAMS = frozenset(
    {0, 4, 8, 10, 11, 24, 32, 42, 46, 49, 52, 73, 75, 77, 88, 89, 91, 94, 104, 107, 108}
)
_FIRST_PERCUSSIVE = 112
_PROFILE_MIN = 45.0
_SPAN_STEP = 100
_WINDOW_S, _HOP_S = 60.0, 15.0
_PHRASE_NOTES, _PHRASE_WINDOW_S = 8, 600.0
_GRAM = 4


def judge_score(score: Score, *, stretch: float, timeline: Timeline) -> list[Row]:
    """Return the rows of the quality-control table that the notes alone decide.

    Parameters
    ----------
    score : Score
        With at least one note.
    stretch : float
        How many times slower than written it is played.
    timeline : Timeline

    Returns
    -------
    list of dict
        See `limits`.
    """
    clock = _PlayedClock(score, stretch)
    notes = [note for part in score.parts for note in part.notes]
    melody = _melody(score)
    return [
        *_tempo_rows(clock),
        *_density_rows(clock, melody, notes, timeline),
        *_touch_rows(clock, melody, notes),
        *_register_rows(notes),
        *_melody_rows(clock, melody, timeline),
        at_most("pitch_class_entropy_bit", pitch_class_entropy(_pitches(notes)), 2.9),
        at_most("held_rub_share", held_rub_share(score), 0.01),
        *_part_rows(score),
    ]


def melody_windows(timeline: Timeline) -> list[tuple[float, float, float]]:
    """Return the first and the last stretch in which melody notes are counted: from, to, limit.

    Seconds, seconds, notes a minute.
    """
    fade_s = timeline.fade_out_start / SAMPLE_RATE_HZ
    ninth_s = timeline.n_samples / SAMPLE_RATE_HZ / 9
    return [
        (0.0, ninth_s, 40.0),
        (max(fade_s - 2 * ninth_s, 0.0), fade_s, 40.0 - 22.0 * _way(timeline)),
    ]


def _way(timeline: Timeline) -> float:
    """Return how much of the way down a file of this length goes."""
    return min(1.0, timeline.n_samples / SAMPLE_RATE_HZ / SHORTEST_NIGHT_S)


class _PlayedClock:
    """The score's clock as the performance runs it."""

    def __init__(self, score: Score, stretch: float) -> None:
        self._clock, self._stretch = Clock(score.tempo), stretch
        self.starts_s = np.array([self.seconds(mark.onset) for mark in score.tempo])
        self.bpm = np.array([mark.bpm for mark in score.tempo]) / stretch
        self.end_s = self.seconds(score.n_steps)

    def seconds(self, step: int) -> float:
        return LEAD_IN_S + self._stretch * self._clock.seconds(step)

    def onsets_s(self, notes: Iterable[Note]) -> np.ndarray:
        return np.array([self.seconds(note.onset) for note in notes])

    def lengths_s(self, notes: Iterable[Note]) -> np.ndarray:
        return np.array([self.seconds(n.offset) - self.seconds(n.onset) for n in notes])

    def mean_bpm(self, start_s: float, stop_s: float) -> float:
        """Return the tempo between two moments, weighted by how long each mark holds."""
        edges = np.append(self.starts_s, max(self.end_s, stop_s))
        edges[0] = 0.0
        held = np.clip(np.minimum(edges[1:], stop_s) - np.maximum(edges[:-1], start_s), 0.0, None)
        return float(np.average(self.bpm, weights=held))


def _tempo_rows(clock: _PlayedClock) -> list[Row]:
    minutes = np.arange(0.0, max(clock.end_s - _WINDOW_S, 0.0), _WINDOW_S)
    means = [clock.mean_bpm(start, start + _WINDOW_S) for start in minutes]
    return [
        at_most("tempo_highest_bpm", clock.bpm.max(), 76.0),
        at_most("tempo_rise_bpm", np.diff(clock.bpm).max(initial=0.0), 0.0),
        at_most("tempo_fall_bpm_per_min", (-np.diff(means)).max(initial=0.0), 1.0),
    ]


def _density_rows(
    clock: _PlayedClock, melody: list[Note], notes: list[Note], timeline: Timeline
) -> list[Row]:
    (*first, most_first), (*last, most_last) = melody_windows(timeline)
    tunes_s, all_s = clock.onsets_s(melody), clock.onsets_s(notes)
    return [
        at_most("melody_per_minute_first", _per_minute(tunes_s, *first), most_first),
        at_most("melody_per_minute_last", _per_minute(tunes_s, *last), most_last),
        at_most("notes_per_minute_first", _per_minute(all_s, *first), 120.0),
        at_most("notes_per_minute_last", _per_minute(all_s, *last), 120.0 - 40.0 * _way(timeline)),
    ]


def _touch_rows(clock: _PlayedClock, melody: list[Note], notes: list[Note]) -> list[Row]:
    onsets_s, velocities = clock.onsets_s(notes), np.array([note.velocity for note in notes])
    starts = np.arange(0.0, max(onsets_s.max() - _WINDOW_S, 0.0) + _HOP_S, _HOP_S)
    spreads = [
        velocities[(onsets_s >= start) & (onsets_s < start + _WINDOW_S)].std()
        for start in starts
        if ((onsets_s >= start) & (onsets_s < start + _WINDOW_S)).any()
    ]
    apart = np.diff([note.onset for note in melody])
    held = np.array([note.duration for note in melody[:-1]])
    legato = float(np.median(held / np.maximum(apart, 1))) if len(apart) else 1.0
    return [
        at_most("velocity_sd_60_s", max(spreads), 10.0),
        at_least("articulation_median", legato, 1.0),
        at_least("shortest_note_s", clock.lengths_s(notes).min(), 0.4),
    ]


def _register_rows(notes: list[Note]) -> list[Row]:
    pitches = _pitches(notes)
    mean = np.average(pitches, weights=[note.duration for note in notes])
    return [
        at_least("pitch_lowest", pitches.min(), 33.0),
        at_most("pitch_highest", pitches.max(), 84.0),
        between("pitch_weighted_mean", mean, 55.0, 64.0),
    ]


def _melody_rows(clock: _PlayedClock, melody: list[Note], timeline: Timeline) -> list[Row]:
    pitches = _pitches(melody)
    minutes = timeline.n_samples / SAMPLE_RATE_HZ / 60
    lowest = 0.25 * min(1.0, minutes / _PROFILE_MIN)
    repeated = repetition_in_spans(np.diff(pitches), _PROFILE_MIN / minutes)
    shares = interval_shares(pitches)
    if len(pitches) < 2:
        shares = {"steps": 1.0, "leaps": 0.0, "widest": 0.0}
    return [
        at_least("melody_step_share", shares["steps"], 0.55),
        at_most("melody_leap_share", shares["leaps"], 0.05),
        at_most("melody_widest_semitones", shares["widest"], 12.0),
        between("repetition_4", repeated, round(lowest, 4), 0.60),
        at_most("phrase_8_in_10_min", most_alike(clock.onsets_s(melody), melody), 3),
    ]


def _part_rows(score: Score) -> list[Row]:
    off_list = sum(len(p.notes) for p in score.parts if p.program not in CALM_PROGRAMS)
    percussive = sum(len(p.notes) for p in score.parts if p.program >= _FIRST_PERCUSSIVE)
    return [
        at_most("same_pitch_overlaps", sum(map(_overlaps, score.parts)), 0),
        at_most("percussive_notes", percussive, 0),
        at_most("notes_on_other_programs", off_list, 0),
    ]


def repetition(intervals: np.ndarray, length: int) -> float:
    """Return the share of runs of `length` intervals that have been heard before; 0 if too few."""
    if len(intervals) < length:
        return 0.0
    runs = np.lib.stride_tricks.sliding_window_view(intervals, length)
    return 1.0 - len(np.unique(runs, axis=0)) / len(runs)


def repetition_in_spans(intervals: np.ndarray, share: float) -> float:
    """Return the mean repetition of stretches that are this share of a melody.

    Parameters
    ----------
    intervals : ndarray, shape (n_intervals,)
    share : float
        Above 0; with 1 or more it is the repetition of the whole. The stretches begin every
        hundred intervals.
    """
    size = round(min(1.0, share) * len(intervals))
    starts = range(0, len(intervals) - size + 1, _SPAN_STEP)
    return float(np.mean([repetition(intervals[i : i + size], _GRAM) for i in starts]))


def most_alike(onsets_s: np.ndarray, melody: list[Note]) -> int:
    """Return how often the same eight notes come within any ten minutes, overlaps not counted.

    The same means the same intervals at the same distances, in any key.
    """
    size = _PHRASE_NOTES - 1
    if len(melody) <= size:
        return len(melody) > 0
    pairs = np.column_stack([np.diff(_pitches(melody)), np.diff([note.onset for note in melody])])
    windows = np.lib.stride_tricks.sliding_window_view(pairs, size, axis=0)
    places: dict[bytes, list[int]] = {}
    for index, window in enumerate(windows):
        heard = places.setdefault(window.tobytes(), [])
        if not heard or index >= heard[-1] + size:
            heard.append(index)
    return max(_most_within(onsets_s[heard]) for heard in places.values())


def _most_within(times_s: np.ndarray) -> int:
    ends = np.searchsorted(times_s, times_s + _PHRASE_WINDOW_S, side="left")
    return int((ends - np.arange(len(times_s))).max())


def _overlaps(part: object) -> int:
    """Return how many notes of a part begin while the part still sounds their pitch."""
    sounding: Counter[int] = Counter()
    n_overlaps = 0
    for note in sorted(part.notes):
        n_overlaps += note.onset < sounding[note.pitch]
        sounding[note.pitch] = max(sounding[note.pitch], note.offset)
    return n_overlaps


def _per_minute(onsets_s: np.ndarray, start_s: float, stop_s: float) -> float:
    return ((onsets_s >= start_s) & (onsets_s < stop_s)).sum() * 60.0 / max(stop_s - start_s, 1.0)


def _melody(score: Score) -> list[Note]:
    notes = [n for part in score.parts if part.role is Role.MELODY for n in part.notes]
    return sorted(notes, key=lambda note: (note.onset, note.pitch))


def _pitches(notes: Iterable[Note]) -> np.ndarray:
    return np.array([note.pitch for note in notes], dtype=int)
