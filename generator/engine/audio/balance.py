"""The touch of a night: it sinks evenly, and no note group stands out of what sounded before it.

What wakes a sleeper is the sudden step more than the level (docs/sound.md). How loud a note will be
is known before a sample is computed, since every tone is a known sum of decaying partials; so the
hands are evened out here, and no compressor has to pump later. All composers pass through the same
hands, so that a decline or a sudden note cannot tell one from another.

Conventions
-----------
power       K-weighted energy a second, in units of a tone of gain 1
hop         100 ms; a window is four hops, as for the momentary loudness
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import groupby

import numpy as np

from generator.engine.audio.mastering import room_power
from generator.engine.audio.performance import TimedNote
from generator.engine.audio.profile import SAMPLE_RATE_HZ, SHORTEST_NIGHT_S, Profile, Timeline
from generator.engine.audio.voices import Voice, k_weight, voice_for_program

HOP_S = 0.1
# A rise above the loudest of the last three seconds passes up to the knee, then at a third of its
# size, and never beyond the limit; likewise the excess over the last half minute.
JUMP_KNEE_LU, JUMP_RATIO, JUMP_LIMIT_LU = 2.0, 0.35, 3.2
EXCESS_LIMIT_LU = 3.5
# Softer than this (-9 dB) a note would be lost.
SMALLEST_SCALE = 0.125
# The slope of the hands is bent by no more than this over a night.
LARGEST_BEND_DB = 18.0

_WINDOW, _BEFORE, _LONG = 4, 33, 300
_LONGEST_S = 20.0
# The age at which a tone is judged in the room: its attack is over, its tail not yet.
_TYPICAL_AGE_S = 0.3


def sink(notes: Sequence[TimedNote], timeline: Timeline, profile: Profile) -> tuple[TimedNote, ...]:
    """Return the notes with gains that sink over the night by as much as the profile asks.

    Parameters
    ----------
    notes : sequence of TimedNote
        Sorted by onset.
    timeline : Timeline
    profile : Profile
        `decline_lu` holds for nights (15 minutes and more); shorter files sink in proportion.

    Returns
    -------
    tuple of TimedNote
        As given, their gains tilted by a straight line in dB.
    """
    fade_s = timeline.fade_out_start / SAMPLE_RATE_HZ
    length_s = timeline.n_samples / SAMPLE_RATE_HZ
    span_s = min(length_s / 9, fade_s / 3)
    power = foretold_power(notes)
    first = _mean_db(power, 0.0, span_s)
    last = _mean_db(power, fade_s - span_s, fade_s)
    wanted_db = profile.decline_lu * min(1.0, length_s / SHORTEST_NIGHT_S)
    bend_db = float(np.clip((first - last) - wanted_db, -LARGEST_BEND_DB, LARGEST_BEND_DB))
    # The two means stand in the middles of their spans.
    slope_db_per_s = bend_db / (fade_s - span_s)
    return tuple(
        replace(note, gain=note.gain * 10 ** (slope_db_per_s * min(note.onset_s, fade_s) / 20))
        for note in notes
    )


def even_out(notes: Sequence[TimedNote]) -> tuple[TimedNote, ...]:
    """Return the notes with those strikes softened that would rise too far above what is sounding.

    Held notes swell of themselves and are left alone: they are the bed that carries the others.

    Parameters
    ----------
    notes : sequence of TimedNote
        Sorted by onset. Notes that start in the same tenth of a second are one group.

    Returns
    -------
    tuple of TimedNote
        As given, with some gains smaller.
    """
    power = _silence(notes)
    evened: list[TimedNote] = []
    for hop, group in groupby(notes, key=lambda note: _hop(note.onset_s)):
        members = list(group)
        for note in (member for member in members if _is_held(member)):
            _add(power, hop, _power_profile(note))
        profiles = {note: _power_profile(note) for note in members if not _is_held(note)}
        added = sum(float(profile[:_WINDOW].mean()) for profile in profiles.values())
        scale = _scale(power, hop, added)
        for profile in profiles.values():
            _add(power, hop, scale * profile)
        evened.extend(
            replace(note, gain=note.gain * scale**0.5) if note in profiles else note
            for note in members
        )
    return tuple(evened)


def fit_room(notes: Sequence[TimedNote], profile: Profile) -> tuple[TimedNote, ...]:
    """Return the notes with gains that make up for what the room adds to or takes from each pitch.

    A long tail answers one pitch with 3 dB more and its neighbour with 3 dB less; a player hears
    that and adjusts.
    """
    return tuple(
        replace(note, gain=note.gain / _room_gain(note.program, note.pitch, profile) ** 0.5)
        for note in notes
    )


def foretold_power(notes: Sequence[TimedNote]) -> np.ndarray:
    """Return the power that the notes will have together, one value a hop."""
    power = _silence(notes)
    for note in notes:
        _add(power, _hop(note.onset_s), _power_profile(note))
    return power


def mean_amplitude(notes: Sequence[TimedNote], timeline: Timeline) -> float:
    """Return the amplitude that the notes will have on the mean of the night's first ninth.

    A bed that starts from here and sinks as the notes do keeps its distance all night.
    """
    stop_s = timeline.n_samples / SAMPLE_RATE_HZ / 9
    return 10 ** (_mean_db(foretold_power(notes), 0.0, stop_s) / 20)


def _add(power: np.ndarray, hop: int, profile: np.ndarray) -> None:
    power[hop : hop + len(profile)] += profile


def _is_held(note: TimedNote) -> bool:
    return voice_for_program(note.program).held


@lru_cache(maxsize=1024)
def _room_gain(program: int, pitch: int, profile: Profile) -> float:
    voice = voice_for_program(program)
    partials = voice.partials(pitch)
    weights = (partials.amplitudes * k_weight(partials.frequencies_hz)) ** 2
    weights = weights * np.exp(-2 * _TYPICAL_AGE_S * partials.decays_per_s)
    return float(np.average(room_power(partials.frequencies_hz, profile), weights=weights))


def _silence(notes: Sequence[TimedNote]) -> np.ndarray:
    last_s = notes[-1].onset_s if notes else 0.0
    return np.zeros(_hop(last_s + _LONGEST_S) + _WINDOW + 1)


def _mean_db(power: np.ndarray, start_s: float, stop_s: float) -> float:
    span = power[_hop(start_s) : max(_hop(stop_s), _hop(start_s) + 1)]
    return float(10 * np.log10(max(span.mean() if len(span) else 0.0, 1e-12)))


def _scale(power: np.ndarray, hop: int, added: float) -> float:
    """Return the share of its power with which a group at `hop` may enter."""
    recent = power[max(hop - _BEFORE, 0) : hop]
    if len(recent) < _BEFORE or added <= 0.0:
        return 1.0
    ringing = float(power[hop : hop + _WINDOW].mean())
    windows = np.convolve(recent, np.full(_WINDOW, 1 / _WINDOW), mode="valid")
    loudest = float(windows.max())
    mean = float(power[max(hop - _LONG, 0) : hop].mean())
    if loudest <= 0.0:
        return 1.0
    rise_lu = 10 * np.log10((ringing + added) / loudest)
    allowed_lu = min(JUMP_KNEE_LU + JUMP_RATIO * max(rise_lu - JUMP_KNEE_LU, 0.0), JUMP_LIMIT_LU)
    limit = min(loudest * 10 ** (allowed_lu / 10), mean * 10 ** (EXCESS_LIMIT_LU / 10))
    return float(np.clip((limit - ringing) / added, SMALLEST_SCALE, 1.0))


def _power_profile(note: TimedNote) -> np.ndarray:
    """Return the note's power in each hop from its onset on."""
    voice = voice_for_program(note.program)
    tone = _tone_powers(voice, note.pitch)
    held_s = min(note.offset_s - note.onset_s + voice.ring_s + voice.release_s / 3, _LONGEST_S)
    level = note.gain * 10 ** (voice.level_db / 20)
    return level**2 * tone[: max(1, round(held_s / HOP_S))]


@lru_cache(maxsize=512)
def _tone_powers(voice: Voice, pitch: int) -> np.ndarray:
    times_s = (np.arange(round(_LONGEST_S / HOP_S)) + 0.5) * HOP_S
    swell = np.sin(np.pi / 2 * np.minimum(times_s / voice.attack_s, 1.0)) ** 4
    return swell * voice.powers(pitch, times_s)


def _hop(seconds: float) -> int:
    return int(seconds / HOP_S)
