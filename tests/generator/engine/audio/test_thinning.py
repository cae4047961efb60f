import pytest

from generator.engine.audio.notation import judge_score
from generator.engine.audio.profile import timeline
from generator.engine.audio.thinning import thin
from generator.engine.score.notes import Note, Part, Role, Score, TempoMark

SIXTY = (TempoMark(0, 60.0),)
PAD = Part(Role.PAD, 89, (Note(0, 3600, 57, 40),))


def melody(apart, minutes=15):
    n_notes = int(minutes * 240 / apart)
    notes = tuple(Note(apart * i, apart, 60 + (2 * i) % 7, 50) for i in range(n_notes))
    return Part(Role.MELODY, 0, notes)


def densities(score, minutes=15.0):
    rows = judge_score(score, stretch=1.0, timeline=timeline(60 * minutes))
    return {row["item"]: row for row in rows if row["item"].startswith("melody_per_minute")}


@pytest.mark.parametrize("apart", [2, 4, 5, 6, 8])
def test_a_dense_melody_is_thinned_to_what_the_profile_lets_pass(apart):
    thinned = thin(Score((melody(apart), PAD), SIXTY), timeline(900.0))
    rows = densities(thinned)
    assert all(row["passed"] for row in rows.values())
    # No more is taken than has to be.
    assert rows["melody_per_minute_last"]["value"] > 17.0


def test_a_calm_melody_and_the_other_parts_stay_as_they_are():
    score = Score((melody(16), PAD), SIXTY)
    assert thin(score, timeline(900.0)) == score
    dense = thin(Score((melody(4), PAD), SIXTY), timeline(900.0))
    assert dense.parts[1] == PAD


def test_the_note_before_holds_on_and_the_middle_of_the_night_is_untouched():
    whole = melody(4)
    thinned = thin(Score((whole,), SIXTY), timeline(900.0)).parts[0]
    for note, following in zip(thinned.notes, thinned.notes[1:], strict=False):
        assert note.offset == following.onset
    middle = range(240 * 3, 240 * 7)
    assert [n for n in thinned.notes if n.onset in middle] == [
        n for n in whole.notes if n.onset in middle
    ]


def test_the_beat_is_kept_and_what_lies_beside_it_goes():
    thinned = thin(Score((melody(6),), SIXTY), timeline(900.0)).parts[0]
    first = [note.onset for note in thinned.notes if note.onset < 300]
    kept_on_beat = sum(onset % 4 == 0 for onset in first) / len(first)
    before = [note.onset for note in melody(6).notes if note.onset < 300]
    assert kept_on_beat >= sum(onset % 4 == 0 for onset in before) / len(before)


def test_a_score_without_a_melody_has_nothing_to_thin():
    score = Score((PAD, Part(Role.MELODY, 0, ())), SIXTY)
    assert thin(score, timeline(900.0)) == score
