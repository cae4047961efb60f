import numpy as np
import pytest

from generator.engine.audio.performance import TimedNote
from generator.engine.audio.profile import CHUNK_SAMPLES, SAMPLE_RATE_HZ
from generator.engine.audio.synthesis import synthesise
from generator.engine.audio.voices import frequency_hz


def note(onset_s=0.5, length_s=2.0, pitch=69, program=0, pan=0.0):
    return TimedNote(onset_s, onset_s + length_s, pitch, 0.5, 0.5, program, pan)


def sound(*notes, seconds=10.0):
    return np.concatenate(list(synthesise(notes, round(seconds * SAMPLE_RATE_HZ))))


def test_the_chunks_are_five_seconds_and_the_last_one_is_the_rest():
    chunks = list(synthesise([note()], 12 * SAMPLE_RATE_HZ))
    assert [len(chunk) for chunk in chunks] == [CHUNK_SAMPLES, CHUNK_SAMPLES, 2 * SAMPLE_RATE_HZ]
    assert all(chunk.dtype == np.float32 and chunk.shape[1] == 2 for chunk in chunks)


@pytest.mark.parametrize("program", [0, 46, 24, 11, 32, 49, 89, 73])
def test_the_pitch_is_right(program):
    samples = sound(note(pitch=69, program=program, length_s=4.0), seconds=5.0)[:, 0]
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    loudest_hz = np.argmax(spectrum) * SAMPLE_RATE_HZ / len(samples)
    assert loudest_hz == pytest.approx(frequency_hz(69), abs=0.5)


@pytest.mark.parametrize("program", [0, 46, 24, 11, 32, 49, 89, 73])
def test_nothing_sounds_before_the_note_or_long_after_it(program):
    samples = np.abs(sound(note(onset_s=1.0, length_s=1.0, program=program), seconds=9.0))
    assert samples[: SAMPLE_RATE_HZ - 1].max() == 0.0
    assert samples[SAMPLE_RATE_HZ : 2 * SAMPLE_RATE_HZ].max() > 0.001
    assert samples[6 * SAMPLE_RATE_HZ :].max() == 0.0


@pytest.mark.parametrize("program", [0, 11, 49, 89])
def test_a_note_across_a_chunk_border_does_not_click(program):
    samples = sound(note(onset_s=3.0, length_s=6.0, program=program), seconds=10.0)
    bends = np.abs(np.diff(samples[:, 0], n=2))
    border = CHUNK_SAMPLES
    assert np.abs(samples[border]).max() > 0.0
    assert bends[border - 10 : border + 10].max() <= bends[3 * border // 4 :].max() * 1.01
    neighbourhood = bends[border - 4000 : border + 4000]
    assert (
        bends[border - 3 : border + 2].max()
        <= 1.05 * np.delete(neighbourhood, np.s_[3990:4010]).max()
    )


def test_the_place_of_a_note_in_the_chunks_does_not_change_its_sound():
    early = np.abs(sound(note(onset_s=0.5), seconds=5.0)[:, 0])
    late = np.abs(sound(note(onset_s=3.5), seconds=8.0)[3 * SAMPLE_RATE_HZ :, 0])
    # Only the phases differ, for they count from the start of the file.
    assert np.sqrt((late**2).mean()) == pytest.approx(np.sqrt((early**2).mean()), rel=0.01)


def test_a_repeated_chord_of_held_voices_joins_without_a_dip():
    notes = [note(onset_s=1.0 + 2 * i, length_s=2.0, program=49) for i in range(4)]
    samples = sound(*notes, seconds=10.0)[:, 0]
    windows = samples[3 * SAMPLE_RATE_HZ : 7 * SAMPLE_RATE_HZ].reshape(-1, SAMPLE_RATE_HZ // 4)
    levels_db = 20 * np.log10(np.sqrt((windows**2).mean(axis=1)))
    assert levels_db.max() - levels_db.min() < 2.5


def test_a_string_struck_again_does_not_grow_louder_and_louder():
    notes = [note(onset_s=0.5 + 0.5 * i, length_s=0.4) for i in range(16)]
    samples = np.abs(sound(*notes, seconds=9.0)[:, 0])
    peaks = [
        samples[int((0.5 + 0.5 * i) * SAMPLE_RATE_HZ) :][: SAMPLE_RATE_HZ // 2].max()
        for i in range(16)
    ]
    assert max(peaks[8:]) < 1.25 * max(peaks[:2])


def test_the_same_notes_give_the_same_samples():
    notes = [note(), note(onset_s=1.0, pitch=60, program=89)]
    assert (sound(*notes) == sound(*notes)).all()


def test_a_note_on_the_left_is_louder_on_the_left():
    samples = np.abs(sound(note(pan=-0.5)))
    assert samples[:, 0].max() > 1.5 * samples[:, 1].max()


def test_no_notes_are_silence():
    assert not sound(seconds=6.0).any()
