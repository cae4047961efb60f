"""From the page to the hands: a score becomes notes in seconds, with touch and timing.

Conventions
-----------
onset_s, offset_s   seconds from the start of the file; the offset is where the finger lifts, a
                    voice may ring on
gain                linear amplitude; 1.0 is a melody note at velocity 127
loudness            velocity / 127, which also decides how bright a voice speaks
pan                 -1 left, 0 middle, 1 right
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from generator.engine.audio.voices import HIGHEST_PITCH, LOWEST_PITCH
from generator.engine.errors import SynthesisError
from generator.engine.score.clock import Clock
from generator.engine.score.notes import Note, Part, Role, Score

LEAD_IN_S = 0.25
# A player's hands: 8 ms of spread, never more than 20 ms, chords rolled upwards by 6 ms a note.
TIMING_SD_S, TIMING_MAX_S, CHORD_ROLL_S = 0.008, 0.020, 0.006
# Twice the velocity is 9 dB more, between the 6 dB of a linear and the 12 dB of a square law.
VELOCITY_EXPONENT = 1.5
# A score may end this much early and is then played slower; beyond it, it is the wrong score.
STRETCH_MAX = 1.12
SHORTEST_S = 0.08
UNISON_S = 0.06

_ROLE_DB = {Role.MELODY: 0.0, Role.INNER: -5.0, Role.BASS: -3.0, Role.PAD: -1.0}
_ROLE_PAN = {Role.MELODY: 0.10, Role.INNER: -0.15, Role.BASS: 0.0, Role.PAD: 0.0}


@dataclass(frozen=True, slots=True)
class TimedNote:
    """One note as it is played: when, how high, how strong, on which MIDI program, where."""

    onset_s: float
    offset_s: float
    pitch: int
    gain: float
    loudness: float
    program: int
    pan: float


@dataclass(frozen=True, slots=True)
class Performance:
    """A score as it is played: its notes by onset, and how many times slower than written."""

    notes: tuple[TimedNote, ...]
    stretch: float


def perform(score: Score, *, music_end_s: float, rng: np.random.Generator) -> Performance:
    """Return a score as it is played.

    Parameters
    ----------
    score : Score
        Any length from a little under `music_end_s` on; what lies beyond is left out.
    music_end_s : float
        Where the sound has faded out, seconds.
    rng : numpy.random.Generator
        Decides the small irregularities of the hands; the same state gives the same performance.

    Raises
    ------
    SynthesisError
        The score has no notes, notes no voice can play, or ends much too early.
    """
    _require_playable(score)
    clock = Clock(score.tempo)
    stretch = _stretch(clock.seconds(score.n_steps), music_end_s)
    timed: list[TimedNote] = []
    for part in score.parts:
        timed.extend(_play_part(part, clock, stretch, rng))
    heard = [note for note in timed if note.onset_s < music_end_s]
    return Performance(notes=_without_unisons(heard), stretch=stretch)


def end_repeats(score: Score) -> Score:
    """Return the score with every note ended where its part sounds the same pitch again.

    A legato line holds notes into the next; when the next has the same pitch, the old note's end
    would silence the new one in any synthesiser. Two notes that start together become the longer.
    """
    parts = tuple(replace(part, notes=_without_overlaps(part.notes)) for part in score.parts)
    return replace(score, parts=parts)


def _without_overlaps(notes: Iterable[Note]) -> tuple[Note, ...]:
    ended: list[Note] = []
    by_pitch = sorted(notes, key=lambda note: (note.pitch, note.onset, -note.duration))
    for _, repeats in groupby(by_pitch, key=lambda note: note.pitch):
        previous: Note | None = None
        for note in repeats:
            if previous is not None and previous.onset == note.onset:
                continue
            if previous is not None and previous.offset > note.onset:
                ended[-1] = replace(previous, duration=note.onset - previous.onset)
            ended.append(note)
            previous = note
    return tuple(sorted(ended, key=lambda note: (note.onset, note.pitch)))


def _without_unisons(notes: Iterable[TimedNote]) -> tuple[TimedNote, ...]:
    """Return the notes by onset; where two parts strike one string together, one strike is left."""
    kept: list[TimedNote] = []
    strings = sorted(notes, key=lambda note: (note.program, note.pitch, note.onset_s))
    for note in strings:
        last = kept[-1] if kept else None
        if (
            last is not None
            and (last.program, last.pitch) == (note.program, note.pitch)
            and note.onset_s - last.onset_s < UNISON_S
        ):
            louder = max(last, note, key=lambda strike: strike.gain)
            kept[-1] = replace(louder, offset_s=max(last.offset_s, note.offset_s))
        else:
            kept.append(note)
    return tuple(sorted(kept, key=lambda note: (note.onset_s, note.program, note.pitch)))


def _require_playable(score: Score) -> None:
    if score.n_notes == 0:
        raise SynthesisError(
            "a score with at least one note was expected, got none. "
            "Compose again with another seed."
        )
    pitches = [note.pitch for part in score.parts for note in part.notes]
    if min(pitches) < LOWEST_PITCH or max(pitches) > HIGHEST_PITCH:
        raise SynthesisError(
            f"pitches between {LOWEST_PITCH} and {HIGHEST_PITCH} (a piano's) were expected, "
            f"got {min(pitches)} to {max(pitches)}. Transpose the part by octaves."
        )
    programs = [part.program for part in score.parts]
    if not all(0 <= program <= 127 for program in programs):
        raise SynthesisError(
            f"General MIDI programs 0-127 were expected, got {programs}. Correct the parts."
        )


def _stretch(score_s: float, music_end_s: float) -> float:
    """How much slower to play: never faster, for the tempo must not rise above the brief's."""
    needed = max(1.0, (music_end_s - LEAD_IN_S) / score_s)
    if needed > STRETCH_MAX:
        raise SynthesisError(
            f"a score of at least {music_end_s / STRETCH_MAX:.1f} s was expected, "
            f"got {score_s:.1f} s. Compose more bars for a file of this length."
        )
    return needed


def _play_part(
    part: Part, clock: Clock, stretch: float, rng: np.random.Generator
) -> list[TimedNote]:
    notes = _without_overlaps(part.notes)
    lateness = np.clip(rng.normal(0.0, TIMING_SD_S, len(notes)), -TIMING_MAX_S, TIMING_MAX_S)
    played: list[TimedNote] = []
    for _, chord in groupby(enumerate(notes), key=lambda entry: entry[1].onset):
        for rank, (index, note) in enumerate(chord):
            late_s = float(lateness[index]) + rank * CHORD_ROLL_S
            onset_s = LEAD_IN_S + stretch * clock.seconds(note.onset) + late_s
            # The earliest that a following note can start, so that a repeated pitch never overlaps.
            offset_s = LEAD_IN_S + stretch * clock.seconds(note.offset) - TIMING_MAX_S
            played.append(_timed(part, note, onset_s, max(offset_s, onset_s + SHORTEST_S)))
    return played


def _timed(part: Part, note: Note, onset_s: float, offset_s: float) -> TimedNote:
    loudness = note.velocity / 127
    role_gain = 10 ** (_ROLE_DB[part.role] / 20)
    # As at the keyboard: low notes a little left, high notes a little right.
    pan = _ROLE_PAN[part.role] + (note.pitch - 60) / 100
    return TimedNote(
        onset_s=onset_s,
        offset_s=offset_s,
        pitch=note.pitch,
        gain=role_gain * loudness**VELOCITY_EXPONENT,
        loudness=loudness,
        program=part.program,
        pan=float(np.clip(pan, -0.6, 0.6)),
    )
