"""Scores as MusicXML 4.0 (score-partwise), for notation programs.

A part of the score is a part of the file. Notes that cross a bar line, or whose length no single
note value has, are tied; notes that overlap without beginning and ending together get voices of
their own. What the grid says comes back exactly: onset, duration, pitch, velocity, program, tempo.

Deviations
----------
1. Every pitch is spelt by the key: sharps in sharp keys, flats in flat ones, the leading note of
   minor as a sharp. No double sharps, no E sharp or B sharp: the leading note of F sharp minor is
   spelt F.
2. Velocities are written as `dynamics`, a percentage of 90, rounded to two decimals.

References
----------
W3C Music Notation Community Group (2021). MusicXML 4.0.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET

from generator.engine.score.notes import STEPS_PER_BEAT, Note, Part, Score, TempoMark

MIME_TYPE: Final = "application/vnd.recordare.musicxml+xml"
DOCTYPE: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">\n'
)
# What MusicXML's dynamics are a percentage of.
FORTE_VELOCITY = 90

_SHARPS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_FLATS = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
# Fifths of the major key on each pitch class; six flats rather than six sharps.
_FIFTHS = (0, -5, 2, -3, 4, -1, -6, 1, -4, 3, -2, 5)
# Steps to note value and dots, longest first.
_VALUES = (
    (16, "whole", 0),
    (12, "half", 1),
    (8, "half", 0),
    (6, "quarter", 1),
    (4, "quarter", 0),
    (3, "eighth", 1),
    (2, "eighth", 0),
    (1, "16th", 0),
)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of a note inside one bar, and whether the note goes on at either end of it."""

    onset: int
    duration: int
    pitch: int
    velocity: int
    is_held: bool
    holds_on: bool

    @property
    def offset(self) -> int:
        """The step at which the piece has ended."""
        return self.onset + self.duration


def to_musicxml(score: Score) -> str:
    """Return the score as the text of a MusicXML file.

    The text names no composer, date or software: it tells the notes and nothing else.
    """
    root = ET.Element("score-partwise", version="4.0")
    listing = ET.SubElement(root, "part-list")
    for number, part in enumerate(score.parts, start=1):
        _announce(listing, number, part)
    n_bars = max(1, -(-score.n_steps // score.steps_per_bar))
    for number, part in enumerate(score.parts, start=1):
        _write_part(root, number, part, score, n_bars)
    ET.indent(root, " ")
    return DOCTYPE + ET.tostring(root, encoding="unicode") + "\n"


def _announce(listing: ET.Element, number: int, part: Part) -> None:
    entry = ET.SubElement(listing, "score-part", id=f"P{number}")
    ET.SubElement(entry, "part-name").text = part.role.value
    instrument = ET.SubElement(entry, "score-instrument", id=f"P{number}-I1")
    ET.SubElement(instrument, "instrument-name").text = part.role.value
    midi = ET.SubElement(entry, "midi-instrument", id=f"P{number}-I1")
    # MIDI channel 10 is percussion.
    ET.SubElement(midi, "midi-channel").text = str(number if number < 10 else number + 1)
    ET.SubElement(midi, "midi-program").text = str(part.program + 1)


def _write_part(root: ET.Element, number: int, part: Part, score: Score, n_bars: int) -> None:
    element = ET.SubElement(root, "part", id=f"P{number}")
    bars = _by_bar(part.notes, score.steps_per_bar)
    marks = score.tempo if number == 1 else ()
    for bar in range(n_bars):
        start = bar * score.steps_per_bar
        measure = ET.SubElement(element, "measure", number=str(bar + 1))
        if bar == 0:
            _write_attributes(measure, score, part)
        _write_tempo(measure, marks, start, start + score.steps_per_bar)
        _write_voices(measure, bars[bar], start, score)


def _write_attributes(measure: ET.Element, score: Score, part: Part) -> None:
    attributes = ET.SubElement(measure, "attributes")
    ET.SubElement(attributes, "divisions").text = str(STEPS_PER_BEAT)
    key = ET.SubElement(attributes, "key")
    ET.SubElement(key, "fifths").text = str(_fifths(score))
    ET.SubElement(key, "mode").text = score.mode
    time = ET.SubElement(attributes, "time")
    in_quarters = score.steps_per_bar % STEPS_PER_BEAT == 0
    beats = score.steps_per_bar // STEPS_PER_BEAT if in_quarters else score.steps_per_bar
    ET.SubElement(time, "beats").text = str(beats)
    ET.SubElement(time, "beat-type").text = "4" if in_quarters else "16"
    clef = ET.SubElement(attributes, "clef")
    is_low = part.notes and sum(note.pitch for note in part.notes) / len(part.notes) < 58
    ET.SubElement(clef, "sign").text = "F" if is_low else "G"
    ET.SubElement(clef, "line").text = "4" if is_low else "2"


def _write_tempo(measure: ET.Element, marks: Sequence[TempoMark], start: int, end: int) -> None:
    for mark in marks:
        if start <= mark.onset < end:
            direction = ET.SubElement(measure, "direction")
            words = ET.SubElement(direction, "direction-type")
            ET.SubElement(words, "words")
            if mark.onset > start:
                ET.SubElement(direction, "offset", sound="yes").text = str(mark.onset - start)
            ET.SubElement(direction, "sound", tempo=repr(mark.bpm))


def _write_voices(measure: ET.Element, pieces: list[_Piece], start: int, score: Score) -> None:
    at = start
    spelling = _spelling(score)
    for voice, chords in enumerate(_voices(pieces) or [[]], start=1):
        if at > start:
            _move(measure, "backup", at - start)
        at = start
        for chord in chords:
            _rest(measure, chord[0].onset - at, voice)
            _chord(measure, chord, voice, spelling)
            at = chord[0].offset
        if voice == 1:
            _rest(measure, start + score.steps_per_bar - at, voice)
            at = start + score.steps_per_bar


def _spelling(score: Score) -> tuple[str, ...]:
    """Return the name of each pitch class in the key of the score."""
    names = _SHARPS if _fifths(score) > 0 else _FLATS
    if score.mode != "minor":
        return names
    leading = (score.tonic + 11) % 12
    return (*names[:leading], _SHARPS[leading], *names[leading + 1 :])


def _by_bar(notes: Iterable[Note], steps_per_bar: int) -> defaultdict[int, list[_Piece]]:
    """Return the notes cut at the bar lines, by bar."""
    bars: defaultdict[int, list[_Piece]] = defaultdict(list)
    for note in notes:
        onset = note.onset
        while onset < note.offset:
            bar = onset // steps_per_bar
            end = min(note.offset, (bar + 1) * steps_per_bar)
            bars[bar].append(
                _Piece(
                    onset,
                    end - onset,
                    note.pitch,
                    note.velocity,
                    is_held=onset > note.onset,
                    holds_on=end < note.offset,
                )
            )
            onset = end
    return bars


def _voices(pieces: list[_Piece]) -> list[list[list[_Piece]]]:
    """Return chords (equal onset and duration), each in the first voice that is free by then."""
    chords: defaultdict[tuple[int, int], list[_Piece]] = defaultdict(list)
    for piece in pieces:
        chords[piece.onset, -piece.duration].append(piece)
    voices: list[list[list[_Piece]]] = []
    for _when, chord in sorted(chords.items()):
        chord.sort(key=lambda piece: piece.pitch)
        free = (voice for voice in voices if voice[-1][0].offset <= chord[0].onset)
        voice = next(free, None)
        if voice is None:
            voices.append([chord])
        else:
            voice.append(chord)
    return voices


def _chord(measure: ET.Element, chord: list[_Piece], voice: int, spelling: tuple[str, ...]) -> None:
    values = list(_note_values(chord[0].duration))
    for index, value in enumerate(values):
        for place, piece in enumerate(chord):
            element = ET.SubElement(
                measure, "note", dynamics=f"{100 * piece.velocity / FORTE_VELOCITY:.2f}"
            )
            if place:
                ET.SubElement(element, "chord")
            _pitch(element, piece.pitch, spelling)
            ends = (
                piece.is_held or index > 0,
                piece.holds_on or index < len(values) - 1,
            )
            _length(element, value, voice, *ends)


def _rest(measure: ET.Element, steps: int, voice: int) -> None:
    for value in _note_values(steps):
        element = ET.SubElement(measure, "note")
        ET.SubElement(element, "rest")
        _length(element, value, voice, stops=False, starts=False)


def _pitch(element: ET.Element, pitch: int, spelling: tuple[str, ...]) -> None:
    name = spelling[pitch % 12]
    written = ET.SubElement(element, "pitch")
    ET.SubElement(written, "step").text = name[0]
    if name[1:]:
        ET.SubElement(written, "alter").text = "1" if name[1:] == "#" else "-1"
    ET.SubElement(written, "octave").text = str(pitch // 12 - 1)


def _length(
    element: ET.Element, value: tuple[int, str, int], voice: int, stops: bool, starts: bool
) -> None:
    """Write duration, ties and note value in the order that the schema demands."""
    steps, kind, dots = value
    ties = [name for name, wanted in (("stop", stops), ("start", starts)) if wanted]
    ET.SubElement(element, "duration").text = str(steps)
    for tie in ties:
        ET.SubElement(element, "tie", type=tie)
    ET.SubElement(element, "voice").text = str(voice)
    ET.SubElement(element, "type").text = kind
    for _dot in range(dots):
        ET.SubElement(element, "dot")
    if ties:
        notations = ET.SubElement(element, "notations")
        for tie in ties:
            ET.SubElement(notations, "tied", type=tie)


def _note_values(steps: int) -> Iterable[tuple[int, str, int]]:
    for value in _VALUES:
        while steps >= value[0]:
            yield value
            steps -= value[0]


def _move(measure: ET.Element, name: str, steps: int) -> None:
    ET.SubElement(ET.SubElement(measure, name), "duration").text = str(steps)


def _fifths(score: Score) -> int:
    major_tonic = score.tonic + (3 if score.mode == "minor" else 0)
    return _FIFTHS[major_tonic % 12]
