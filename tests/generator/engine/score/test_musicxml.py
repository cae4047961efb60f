"""What was written is read again by a reader that knows MusicXML and nothing of the writer."""

from collections import defaultdict
from xml.etree import ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st

from generator.engine.score.musicxml import to_musicxml
from generator.engine.score.notes import Note, Part, Role, Score, TempoMark

TONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def read_notes(part: ET.Element) -> list[tuple[int, int, int, int]]:
    """Return (onset, duration, pitch, velocity) of a part, ties joined, in divisions."""
    notes, held, at, bar_start = [], {}, 0, 0
    for measure in part.findall("measure"):
        at = farthest = bar_start
        last_onset = at
        for element in measure:
            if element.tag in ("backup", "forward"):
                at += (-1 if element.tag == "backup" else 1) * int(element.find("duration").text)
            elif element.tag == "note":
                duration = int(element.find("duration").text)
                onset = last_onset if element.find("chord") is not None else at
                last_onset, at = onset, onset + duration
                farthest = max(farthest, at)
                if element.find("rest") is None:
                    _take(element, onset, duration, held, notes)
        assert at >= bar_start
        bar_start = farthest
    assert not held, "every tie that starts has an end"
    return sorted(notes)


def _take(element, onset, duration, held, notes):
    written = element.find("pitch")
    alter = int(written.findtext("alter", "0"))
    octave = int(written.findtext("octave"))
    pitch = TONES[written.findtext("step")] + alter + 12 * (octave + 1)
    velocity = round(float(element.get("dynamics")) * 90 / 100)
    ties = {tie.get("type") for tie in element.findall("tie")}
    if "stop" in ties:
        began, so_far, first_velocity = held.pop((pitch, onset))
        assert first_velocity == velocity
    else:
        began, so_far = onset, 0
    if "start" in ties:
        held[pitch, onset + duration] = (began, so_far + duration, velocity)
    else:
        notes.append((began, so_far + duration, pitch, velocity))


def parsed(score: Score) -> ET.Element:
    return ET.fromstring(to_musicxml(score))  # noqa: S314 (our own text)


def a_score(*notes: Note, **values: object) -> Score:
    defaults = {
        "parts": (Part(Role.MELODY, 0, tuple(sorted(notes))),),
        "tempo": (TempoMark(0, 60.0),),
    }
    return Score(**defaults | values)


def as_rows(notes):
    return sorted((n.onset, n.duration, n.pitch, n.velocity) for n in notes)


@st.composite
def melodies(draw):
    """Notes of any overlap, except that no pitch sounds twice at once."""
    taken, notes = defaultdict(set), []
    for _ in range(draw(st.integers(1, 25))):
        onset = draw(st.integers(0, 70))
        duration = draw(st.integers(1, 40))
        pitch = draw(st.integers(21, 108))
        steps = set(range(onset, onset + duration))
        if not taken[pitch] & steps:
            taken[pitch] |= steps
            notes.append(Note(onset, duration, pitch, draw(st.integers(1, 127))))
    return tuple(sorted(notes))


@settings(max_examples=60, deadline=None)
@given(melodies(), st.sampled_from([12, 16, 6, 7]), st.integers(0, 11), st.booleans())
def test_every_note_comes_back_as_it_was(notes, steps_per_bar, tonic, is_minor):
    score = a_score(
        *notes, steps_per_bar=steps_per_bar, tonic=tonic, mode="minor" if is_minor else "major"
    )
    (part,) = parsed(score).findall("part")
    assert read_notes(part) == as_rows(notes)


def test_every_bar_is_full():
    score = a_score(Note(3, 5, 60, 64), Note(40, 7, 62, 64))
    for measure in parsed(score).iter("measure"):
        lengths = [int(note.findtext("duration")) for note in measure.findall("note")]
        assert sum(lengths) == 16


def test_parts_keep_their_role_and_program():
    parts = (
        Part(Role.MELODY, 46, (Note(0, 4, 72, 60),)),
        Part(Role.BASS, 32, (Note(0, 16, 40, 50),)),
    )
    root = parsed(a_score(parts=parts))
    assert [name.text for name in root.iter("part-name")] == ["melody", "bass"]
    assert [program.text for program in root.iter("midi-program")] == ["47", "33"]
    signs = [sign.text for sign in root.iter("sign")]
    assert signs == ["G", "F"]


def test_tempo_marks_come_back_where_they_were():
    marks = (TempoMark(0, 66.0), TempoMark(24, 61.25), TempoMark(32, 50.0))
    score = a_score(Note(0, 40, 60, 64), tempo=marks)
    got = []
    for number, measure in enumerate(parsed(score).iter("measure")):
        for direction in measure.findall("direction"):
            onset = 16 * number + int(direction.findtext("offset", "0"))
            got.append(TempoMark(onset, float(direction.find("sound").get("tempo"))))
    assert tuple(got) == marks


def test_keys_have_their_signature_and_spelling():
    for tonic, mode, fifths, name in (
        (0, "major", "0", "Bb"),
        (2, "major", "2", "A#"),
        (9, "minor", "0", "Bb"),
        (4, "minor", "1", "A#"),
        (3, "major", "-3", "Bb"),
    ):
        root = parsed(a_score(Note(0, 4, 70, 64), tonic=tonic, mode=mode))
        assert next(root.iter("fifths")).text == fifths
        assert next(root.iter("mode")).text == mode
        pitch = next(root.iter("pitch"))
        mark = {"1": "#", "-1": "b"}[pitch.findtext("alter")]
        assert pitch.findtext("step") + mark == name


def test_the_leading_note_of_minor_is_spelt_as_one():
    for tonic, pitch, name in ((9, 68, "G#"), (7, 66, "F#"), (2, 61, "C#"), (0, 71, "B")):
        written = next(
            parsed(a_score(Note(0, 4, pitch, 64), tonic=tonic, mode="minor")).iter("pitch")
        )
        assert written.findtext("step") + {"1": "#", None: ""}[written.findtext("alter")] == name


def test_a_bar_of_seven_sixteenths_is_called_so():
    root = parsed(a_score(Note(0, 7, 60, 64), steps_per_bar=7))
    assert next(root.iter("beats")).text == "7"
    assert next(root.iter("beat-type")).text == "16"


def test_a_score_without_notes_is_one_bar_of_rest():
    (measure,) = parsed(a_score()).iter("measure")
    assert measure.find("note/rest") is not None


def test_the_text_names_nobody_and_nothing():
    text = to_musicxml(a_score(Note(0, 4, 60, 64)))
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE score-partwise')
    for word in ("creator", "encoding-date", "software", "identification", "markov", "lstm"):
        assert word not in text
