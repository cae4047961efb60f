"""The plan of a night piece: tempo, density and dynamics that fall, themes that return and vary.

All composers work to the same plan, so that arms differ by how notes are found and not by how long,
fast or loud the music is. Numbers are those of the sound profile ``sleep-45/v1``.

Conventions
-----------
composing grid   bars of 16 places; each place lasts `BREADTH` = 2 steps of the score, so corpus
                 rhythms sound at half their written speed: calm without being empty
bar              a bar of the composing grid, two bars of the score
share            0 at the start of the piece, 1 at its end
"""

import math
from dataclasses import dataclass

import numpy as np

from generator.engine.brief import TEMPO_MIN_BPM, Brief
from generator.engine.score.clock import Clock, midi_tempo, seconds_per_step
from generator.engine.score.notes import TempoMark

BREADTH = 2
BAR = 16
STEPS_PER_BAR = BAR * BREADTH
BARS_PER_PHRASE = 4
PHRASES_PER_SECTION = 2
ARRIVAL_SHARE = 0.8
SILENT_END_S = 2.0

_TEMPO_FALL = 50.0 / 66.0
_MAX_BPM_PER_MINUTE = 1.0
_FULL_WIND_DOWN_MINUTES = 15.0
_MELODY_PER_MINUTE = (36.0, 13.0)
_ALL_PER_MINUTE = (108.0, 66.0)
_VELOCITY = (52.0, 34.0)
# Calmness 0.8 is the profile itself; one unit of calmness more or less changes density by half.
_CALMNESS_OF_PROFILE = 0.8
_DENSITY_OF_CALMNESS = 0.5
_LIMITS_MELODY = (39.0, 17.0)


def falling(start: float, end: float, share: float) -> float:
    """Return the half-cosine from `start` to `end`, reached at 80 % of the piece."""
    way = 0.5 - 0.5 * math.cos(math.pi * min(share / ARRIVAL_SHARE, 1.0))
    return start + (end - start) * way


@dataclass(frozen=True)
class Phrase:
    """Four bars (fewer at the end of a piece): where they lie and what is asked of them.

    `theme` names the material and `occurrence` counts its returns; `closes` asks for a full
    cadence, `is_last` for the final one. `melody_notes` and `all_notes` are notes a bar to aim at.
    """

    index: int
    first_bar: int
    n_bars: int
    theme: int
    part_of_theme: int
    occurrence: int
    closes: bool
    is_last: bool
    share: float
    bpm: float
    melody_notes: float
    all_notes: float

    @property
    def start(self) -> int:
        """The first place of the phrase on the composing grid."""
        return self.first_bar * BAR


@dataclass(frozen=True)
class Form:
    """The whole plan: phrases in order, tempo marks, and the step at which the last note ends."""

    phrases: tuple[Phrase, ...]
    tempo: tuple[TempoMark, ...]
    n_steps: int
    velocity: tuple[float, float]

    @property
    def n_bars(self) -> int:
        """Bars of the composing grid, the last note's own bar left out."""
        return sum(phrase.n_bars for phrase in self.phrases)

    def velocity_at(self, step: int) -> float:
        """Return the velocity of a melody note at a step of the score."""
        return falling(*self.velocity, step / self.n_steps)


def plan_form(brief: Brief, rng: np.random.Generator) -> Form:
    """Return the plan for a brief; chance decides which themes return where."""
    target_s = brief.minutes * 60.0 - SILENT_END_S
    tempo = _tempo_marks(brief, target_s)
    clock = Clock(tempo)
    n_steps = round(clock.step_at(target_s))
    # The last note gets one to two bars of its own to ring.
    n_bars = max((n_steps - STEPS_PER_BAR) // STEPS_PER_BAR, 1)
    depth = _wind_down(brief.minutes)
    velocity = (_VELOCITY[0], _VELOCITY[0] + depth * (_VELOCITY[1] - _VELOCITY[0]))
    calm = 1.0 + _DENSITY_OF_CALMNESS * (_CALMNESS_OF_PROFILE - brief.calmness)
    sections = _themes(-(-n_bars // (BARS_PER_PHRASE * PHRASES_PER_SECTION)), rng)
    phrases = []
    first_bar = 0
    while first_bar < n_bars:
        index = len(phrases)
        size = min(BARS_PER_PHRASE, n_bars - first_bar)
        # Two bars or fewer left over would be a stump of a phrase.
        if 0 < n_bars - first_bar - size <= 2:
            size = n_bars - first_bar
        step = first_bar * STEPS_PER_BAR
        share = step / n_steps
        bpm = bpm_at(tempo, step)
        theme, occurrence = sections[min(index // PHRASES_PER_SECTION, len(sections) - 1)]
        is_last = first_bar + size >= n_bars
        phrases.append(
            Phrase(
                index,
                first_bar,
                size,
                theme,
                index % PHRASES_PER_SECTION,
                occurrence,
                is_last or index % PHRASES_PER_SECTION == PHRASES_PER_SECTION - 1,
                is_last,
                share,
                bpm,
                _per_bar(_MELODY_PER_MINUTE, _LIMITS_MELODY, depth, share, bpm, calm),
                _per_bar(_ALL_PER_MINUTE, (118.0, 78.0), depth, share, bpm, calm),
            )
        )
        first_bar += size
    return Form(tuple(phrases), tempo, n_steps, velocity)


def bpm_at(tempo: tuple[TempoMark, ...], step: int) -> float:
    """Return the tempo that holds at a step."""
    return [mark.bpm for mark in tempo if mark.onset <= step][-1]


def _wind_down(minutes: float) -> float:
    """Return how much of the way down a piece of this length goes: all of it from 15 minutes on."""
    return min(1.0, max(0.25, minutes / _FULL_WIND_DOWN_MINUTES))


def _tempo_marks(brief: Brief, target_s: float) -> tuple[TempoMark, ...]:
    """Return tempo marks, one a bar at most, falling by no more than one bpm a minute."""
    start = brief.tempo_bpm
    steepest = ARRIVAL_SHARE * brief.minutes * 2.0 / math.pi * _MAX_BPM_PER_MINUTE
    end = max(start * _TEMPO_FALL, TEMPO_MIN_BPM, start - steepest)
    marks, at_s, step = [TempoMark(0, midi_tempo(start))], 0.0, 0
    while at_s < target_s:
        at_s += STEPS_PER_BAR * seconds_per_step(marks[-1].bpm)
        step += STEPS_PER_BAR
        bpm = midi_tempo(falling(start, min(end, start), at_s / target_s))
        if bpm < marks[-1].bpm - 0.05:
            marks.append(TempoMark(step, bpm))
    return tuple(marks)


def _per_bar(
    ends: tuple[float, float],
    limits: tuple[float, float],
    depth: float,
    share: float,
    bpm: float,
    calm: float,
) -> float:
    """Return notes a bar that make the asked notes a minute at this tempo."""
    bar_minutes = STEPS_PER_BAR * seconds_per_step(bpm) / 60.0
    lowest = ends[0] + depth * (ends[1] - ends[0])
    limit = falling(limits[0], limits[0] + depth * (limits[1] - limits[0]), share)
    return min(falling(ends[0], lowest, share) * calm, limit) * bar_minutes


def _themes(n_sections: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Return (theme, occurrence) of each section: about half are new, returns keep their distance.

    No theme follows itself except once early on, and none is heard more than three times in ten
    sections, so that what is familiar never becomes a loop.
    """
    order: list[int] = []
    for section in range(n_sections):
        recent = order[-10:]
        returning = [
            theme for theme in sorted(set(order)) if theme != order[-1] and recent.count(theme) < 3
        ]
        wants_return = section > 1 and returning and rng.random() < 0.55
        if section == n_sections - 1 and returning and n_sections > 2:
            order.append(returning[0])
        elif wants_return:
            ages = np.array([section - _last(order, theme) for theme in returning], dtype=float)
            order.append(int(rng.choice(returning, p=ages / ages.sum())))
        else:
            order.append(max(order, default=-1) + 1)
    seen: dict[int, int] = {}
    result = []
    for theme in order:
        result.append((theme, seen.get(theme, 0)))
        seen[theme] = seen.get(theme, 0) + 1
    return result


def _last(order: list[int], theme: int) -> int:
    return len(order) - 1 - order[::-1].index(theme)
