"""From a brief to a score: the form is planned, a writer fills it, the parts are woven.

A *writer* is what differs between composers: it finds the chords and the melody of one phrase. The
rest is shared: the plan, the accompaniment, returns of themes, dynamics, instruments, registers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

import numpy as np

from generator.engine.brief import Brief, Instrument, Style
from generator.engine.composers.accompaniment import PAD_NOTES, Accompanist, PartNote
from generator.engine.composers.composer import Progress
from generator.engine.composers.consonance import without_rubs
from generator.engine.composers.form import BAR, BREADTH, Form, Phrase, plan_form
from generator.engine.composers.foundation import Foundation
from generator.engine.composers.guards import MelodyGuard, MelodyNote
from generator.engine.composers.harmony import (
    DOMINANT,
    SUBDOMINANT,
    TONIC,
    Chord,
    chord_of,
    degree_weights,
    endings,
)
from generator.engine.composers.textures import Texture
from generator.engine.score.notes import Note, Part, Role, Score

MELODY_RANGE = (60, 79)
MELODY_PROGRAM = {
    Instrument.PIANO: 0,
    Instrument.HARP: 46,
    Instrument.GUITAR: 24,
    Instrument.VIBRAPHONE: 11,
}
_INNER_PROGRAM = {
    Instrument.PIANO: 0,
    Instrument.HARP: 0,
    Instrument.GUITAR: 4,
    Instrument.VIBRAPHONE: 0,
}
_BASS_PROGRAM = 42
_PAD_PROGRAMS = (49, 89, 91)
# Tonics that keep melody 60-79 and bass 36-52 comfortable: semitones from C.
_TRANSPOSITIONS = (-5, -3, -2, 0, 2, 3, 5)
_SEVENTHS = {Style.JAZZ: 0.7, Style.SONG: 0.15}
_SOFTER = {Role.MELODY: 0.0, Role.INNER: -9.0, Role.BASS: -7.0, Role.PAD: -12.0}
_VELOCITY_RANGE = (12, 72)
_SHORTEST = 1
# How often a returning theme comes whole, without its last bar, without its last two: set so that
# night pieces say again about as much as people do (8-grams, music.md).
_WHOLE, _BUT_ONE, _BUT_TWO = 0.7, 0.2, 0.1
# A return may be this much fuller than its moment asks before notes are taken out of it.
_FULLNESS = 1.3


@dataclass
class Music:
    """What a writer found for one phrase: a chord a bar, the accompaniment, the melody."""

    chords: list[Chord]
    accompaniment: list[PartNote]
    melody: list[MelodyNote]


@dataclass
class Stage:
    """All that a writer may use while it fills the form.

    `play(bar, chord)` lets the accompanist play one bar of the phrase; `draw_chord(bar, weights)`
    turns degree weights into a chord. `breath` is the place of the phrase at which a melody without
    given notes begins; `given` holds the notes that a returning theme brings along, already moved
    to where they belong.
    """

    brief: Brief
    phrase: Phrase
    guard: MelodyGuard
    rng: np.random.Generator
    chain: np.ndarray
    accompanist: Accompanist
    texture: Texture
    sevenths: float
    before: tuple[int, int]
    breath: int
    given: list[MelodyNote] = field(default_factory=list)
    given_degrees: list[int] = field(default_factory=list)

    @property
    def goal(self) -> tuple[int, ...]:
        """The degrees a phrase ends on: home by way of the dominant, or open on it."""
        if self.phrase.is_last:
            return (SUBDOMINANT, DOMINANT)
        return (DOMINANT, TONIC) if self.phrase.closes else (DOMINANT,)

    def bar_start(self, bar: int) -> int:
        """Return the first place of a bar of the phrase."""
        return self.phrase.start + bar * BAR

    def chord_weights(self, bar: int, chosen: Sequence[int]) -> np.ndarray:
        """Return the probability of each degree in a bar, given the degrees chosen so far."""
        if bar < len(self.given_degrees):
            return np.eye(len(self.chain))[self.given_degrees[bar]]
        outlook = endings(self.chain, self.phrase.n_bars, self.goal)
        past = [*self.before, *chosen]
        return degree_weights(self.chain, outlook, bar, (past[-2], past[-1]), self.goal)

    def draw_chord(self, weights: np.ndarray) -> Chord:
        """Return a chord drawn by degree."""
        degree = int(self.rng.choice(len(weights), p=weights / weights.sum()))
        seventh = bool(self.rng.random() < self.sevenths) and degree != TONIC
        return chord_of(degree, self.brief.mode, seventh=seventh)

    def play(self, bar: int, chord: Chord) -> list[PartNote]:
        """Return the accompaniment of one bar."""
        return self.accompanist.bar(
            self.bar_start(bar), chord, self.texture, _accompanying(self.phrase)
        )


class Writer(Protocol):
    """Finds the chords and the melody of one phrase after another; remembers what it wrote."""

    def write(self, stage: Stage) -> Music:
        """Return the music of one phrase; every melody note has passed the stage's guard."""
        ...


@dataclass
class _Theme:
    """What is kept of a phrase for its return."""

    melody: list[MelodyNote]
    degrees: list[int]
    start: int
    texture: Texture


WriterFactory = Callable[[Brief, MelodyGuard], Writer]
_BREATHS = (0, 0, 0, 4, 8)


def compose_long_form(
    brief: Brief,
    rng: np.random.Generator,
    foundation: Foundation,
    new_writer: WriterFactory,
    progress: Progress | None = None,
) -> Score:
    """Return the score that a writer makes of a brief.

    Parameters
    ----------
    brief : Brief
    rng : numpy.random.Generator
    foundation : Foundation
        Chord chain and originality filter.
    new_writer : callable
        Makes the writer for one piece from (brief, guard).
    progress : callable, optional
    """
    form = plan_form(brief, rng)
    transposition = int(rng.choice(_TRANSPOSITIONS))
    low, high = (pitch - transposition for pitch in MELODY_RANGE)
    guard = MelodyGuard(brief.mode, low, high, foundation.originals)
    accompanist = Accompanist(transposition, rng)
    writer = new_writer(brief, guard)
    chain = foundation.harmony.chain(brief.styles, brief.mode)
    sevenths = sum(_SEVENTHS.get(style, 0.0) * w for style, w in brief.styles.items())
    themes: dict[tuple[int, int], _Theme] = {}
    textures: dict[int, Texture] = {}
    before = (TONIC, TONIC)
    melody: list[MelodyNote] = []
    accompaniment: list[PartNote] = []
    for phrase in form.phrases:
        if phrase.theme not in textures:
            moving = _accompanying(phrase) - PAD_NOTES
            textures[phrase.theme] = foundation.textures.draw(brief.styles, moving, rng)
        texture = textures[phrase.theme]
        breath = int(rng.choice(_BREATHS))
        stage = Stage(
            brief, phrase, guard, rng, chain, accompanist, texture, sevenths, before, breath
        )
        _recall(stage, themes.get((phrase.theme, phrase.part_of_theme)))
        music = writer.write(stage)
        degrees = [chord.degree for chord in music.chords]
        themes.setdefault(
            (phrase.theme, phrase.part_of_theme),
            _Theme(music.melody, degrees, phrase.start, texture),
        )
        before = (degrees[-2] if len(degrees) > 1 else before[1], degrees[-1])
        melody += music.melody
        accompaniment += music.accompaniment
        if progress is not None:
            progress((phrase.first_bar + phrase.n_bars) / form.n_bars)
    _close(brief, form, guard, accompanist, melody, accompaniment)
    return _score(brief, form, transposition, rng, melody, accompaniment)


def _accompanying(phrase: Phrase) -> float:
    """Return how many notes a bar are not the melody's."""
    return max(phrase.all_notes - phrase.melody_notes, 3.0)


def _recall(stage: Stage, theme: _Theme | None) -> None:
    """Give the stage the head of a theme that returns, thinned to the density of the moment."""
    if theme is None:
        return
    phrase = stage.phrase
    left_out = int(stage.rng.choice(3, p=(_WHOLE, _BUT_ONE, _BUT_TWO)))
    # A theme that ends where this phrase must end may come whole; another gives up its cadence.
    ends_well = tuple(theme.degrees[-len(stage.goal) :]) == stage.goal
    fits = ends_well and len(theme.degrees) == phrase.n_bars
    bars = phrase.n_bars - (left_out if fits else max(left_out, len(stage.goal)))
    stage.given_degrees = theme.degrees[: max(bars, 0)]
    head = [n for n in theme.melody if n.onset < theme.start + len(stage.given_degrees) * BAR]
    wanted = phrase.melody_notes * len(stage.given_degrees)
    while len(head) > max(_FULLNESS * wanted + 0.5, 2.0):
        # The shortest note on the weakest place goes first; the outline stays.
        weakest = min(head[1:], key=lambda n: (n.onset % 4 == 0, n.onset % 8 == 0, n.duration))
        head = [note for note in head if note is not weakest]
    stage.given = [
        MelodyNote(n.onset - theme.start + phrase.start, n.duration, n.pitch) for n in head
    ]


def _close(
    brief: Brief,
    form: Form,
    guard: MelodyGuard,
    accompanist: Accompanist,
    melody: list[MelodyNote],
    accompaniment: list[PartNote],
) -> None:
    """Add the last chord and the tonic above it, held to the end."""
    start = form.n_bars * BAR
    length = max(form.n_steps // BREADTH - start, 4)
    home = chord_of(TONIC, brief.mode)
    accompaniment += accompanist.last_chord(start, home, length)
    last = melody[-1].pitch if melody else (guard.low + guard.high) // 2
    tonics = [pitch for pitch in range(guard.low, guard.high + 1) if pitch % 12 == 0]
    pitch = min(tonics, key=lambda tonic: abs(tonic - last))
    melody.append(MelodyNote(start, length, pitch))


def _score(
    brief: Brief,
    form: Form,
    transposition: int,
    rng: np.random.Generator,
    melody: Sequence[MelodyNote],
    accompaniment: Sequence[PartNote],
) -> Score:
    programs = {
        Role.MELODY: MELODY_PROGRAM[brief.instrument],
        Role.INNER: _INNER_PROGRAM[brief.instrument],
        Role.BASS: _BASS_PROGRAM,
        Role.PAD: int(rng.choice(_PAD_PROGRAMS)),
    }
    rows: dict[Role, list[tuple[int, int, int]]] = {role: [] for role in programs}
    tied = _legato(melody)
    rows[Role.MELODY] = [(n.onset, n.pitch, n.duration) for n in tied]
    for note in without_rubs(tied, accompaniment):
        rows[note.role].append((note.onset, note.pitch, note.duration))
    lean = _phrase_lean(form)
    parts = [
        _part(role, programs[role], rows[role], form, transposition, lean) for role in programs
    ]
    return Score(
        tuple(_without_clashes(parts)),
        form.tempo,
        BAR,
        transposition % 12,
        brief.mode.value,
    )


def _legato(melody: Sequence[MelodyNote]) -> list[MelodyNote]:
    """Return the melody with each note held until the next begins."""
    tied = [
        MelodyNote(here.onset, max(there.onset - here.onset, 1), here.pitch)
        for here, there in pairwise(melody)
    ]
    return [*tied, melody[-1]]


def _phrase_lean(form: Form) -> Callable[[int], float]:
    """Return the swell of a phrase at a place: up to 3 velocities more in its middle."""
    starts = np.array([phrase.start for phrase in form.phrases])
    lengths = np.array([phrase.n_bars * BAR for phrase in form.phrases])

    def lean(place: int) -> float:
        index = int(np.searchsorted(starts, place, side="right")) - 1
        inside = min((place - starts[index]) / lengths[index], 1.0)
        return 3.0 * float(np.sin(np.pi * inside))

    return lean


def _part(
    role: Role,
    program: int,
    rows: Sequence[tuple[int, int, int]],
    form: Form,
    transposition: int,
    lean: Callable[[int], float],
) -> Part:
    notes = []
    for onset, pitch, duration in sorted(rows):
        step = onset * BREADTH
        accent = 1.5 if onset % BAR == 0 else 0.0
        velocity = form.velocity_at(step) + lean(onset) + accent + _SOFTER[role]
        length = min(duration * BREADTH, form.n_steps - step)
        if length >= _SHORTEST:
            velocity = int(np.clip(round(velocity), *_VELOCITY_RANGE))
            notes.append(Note(step, length, pitch + transposition, velocity))
    return Part(role, program, tuple(notes))


def _without_clashes(parts: Sequence[Part]) -> list[Part]:
    """Return the parts with no pitch struck again on a program before it has ended.

    The earlier note gives way; of two that begin together, the later part's is left out.
    """
    taken: dict[tuple[int, int], list[Note]] = {}
    result = []
    for part in parts:
        kept = []
        for note in part.notes:
            fitted = _fitted(note, taken.setdefault((part.program, note.pitch), []))
            if fitted is not None:
                kept.append(fitted)
        for note in kept:
            taken[part.program, note.pitch].append(note)
        kept = _own_clashes_resolved(kept)
        result.append(Part(part.role, part.program, tuple(kept)))
    return result


def _fitted(note: Note, others: Sequence[Note]) -> Note | None:
    """Return the note shortened to stay clear of others on its pitch, or None where it cannot."""
    end = note.offset
    for other in others:
        if other.onset <= note.onset < other.offset:
            return None
        if note.onset < other.onset < end:
            end = other.onset
    return Note(note.onset, end - note.onset, note.pitch, note.velocity)


def _own_clashes_resolved(notes: Sequence[Note]) -> list[Note]:
    last: dict[int, int] = {}
    kept: list[Note] = []
    for note in notes:
        index = last.get(note.pitch)
        if index is not None and kept[index].offset > note.onset:
            earlier = kept[index]
            if earlier.onset == note.onset:
                continue
            kept[index] = Note(
                earlier.onset, note.onset - earlier.onset, earlier.pitch, earlier.velocity
            )
        last[note.pitch] = len(kept)
        kept.append(note)
    return kept
