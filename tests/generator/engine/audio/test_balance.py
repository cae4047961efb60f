import numpy as np
import pytest

from generator.engine.audio.balance import even_out, fit_room, foretold_power, sink
from generator.engine.audio.performance import TimedNote
from generator.engine.audio.profile import Profile, timeline

PROFILE = Profile()


def strike(onset_s, gain=0.1, pitch=60, program=0, length_s=1.0):
    return TimedNote(onset_s, onset_s + length_s, pitch, gain, 0.4, program, 0.0)


def level_db(notes, start_s, stop_s):
    return 10 * np.log10(foretold_power(notes)[int(start_s * 10) : int(stop_s * 10)].mean())


def test_a_sudden_strong_note_is_softened_and_the_others_are_not():
    notes = tuple(strike(float(i), gain=0.4 if i == 20 else 0.1) for i in range(40))
    evened = even_out(notes)
    assert evened[20].gain < 0.25
    assert [note.gain for note in evened[:20]] == [0.1] * 20


def test_held_notes_are_left_alone():
    notes = tuple(strike(float(i), gain=0.4 if i == 20 else 0.05, program=89) for i in range(40))
    assert even_out(notes) == notes


def test_an_even_line_stays_as_it_is():
    notes = tuple(strike(float(i)) for i in range(60))
    assert even_out(notes) == notes
    assert even_out(()) == ()


@pytest.mark.parametrize("end_gain", [0.1, 0.03, 0.2])
def test_the_night_sinks_by_what_the_profile_asks_whatever_the_score_did(end_gain):
    gains = np.linspace(0.1, end_gain, 2700)
    notes = tuple(strike(float(i), gain=float(gain)) for i, gain in enumerate(gains))
    sunk = sink(notes, timeline(2700.0), PROFILE)
    fall = level_db(sunk, 0, 300) - level_db(sunk, 2218, 2518)
    assert fall == pytest.approx(PROFILE.decline_lu, abs=0.6)


def test_a_short_file_sinks_in_proportion():
    notes = tuple(strike(float(i)) for i in range(300))
    sunk = sink(notes, timeline(300.0), PROFILE)
    fall = level_db(sunk, 1, 34) - level_db(sunk, 164, 198)
    assert fall == pytest.approx(PROFILE.decline_lu / 3, abs=0.3)


def test_the_room_is_made_up_for_within_a_few_decibels():
    notes = [strike(0.0, pitch=pitch) for pitch in range(36, 84)]
    changes_db = [20 * np.log10(note.gain / 0.1) for note in fit_room(notes, PROFILE)]
    assert np.std(changes_db) > 0.3
    assert np.abs(changes_db).max() < 6.0
