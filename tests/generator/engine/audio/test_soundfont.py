import shutil
from dataclasses import replace

import numpy as np
import pytest

from generator.engine.audio import fluidsynth, soundfont
from generator.engine.audio.performance import TimedNote
from generator.engine.audio.profile import CHUNK_SAMPLES, SAMPLE_RATE_HZ
from generator.engine.audio.refusals import PinUnmet
from generator.engine.audio.renderers import available_renderers, renderer_for
from generator.engine.audio.synthesis import synthesise

with_library = pytest.mark.skipif(
    fluidsynth.library() is None,
    reason="the system has no libfluidsynth (Debian: apt-get install libfluidsynth3)",
)


def note(onset_s=0.2, length_s=1.0, pitch=60, gain=0.3, program=0):
    return TimedNote(onset_s, onset_s + length_s, pitch, gain, 0.4, program, 0.0)


def sound(*notes, seconds=3.0):
    renderer = soundfont.SoundFontRenderer(soundfont.BUNDLED)
    return np.concatenate(list(renderer.synthesise(notes, int(seconds * SAMPLE_RATE_HZ))))


def level_db(samples):
    return 10 * np.log10((samples.astype(np.float64) ** 2).mean() + 1e-20)


@with_library
def test_a_note_sounds_when_it_is_struck_and_ends_after_it():
    samples = sound(note(onset_s=1.0), seconds=9.0)
    assert len(samples) == 9 * SAMPLE_RATE_HZ
    assert samples.dtype == np.float32
    assert np.abs(samples[: SAMPLE_RATE_HZ - 200]).max() < 1e-4
    assert level_db(samples[SAMPLE_RATE_HZ : 2 * SAMPLE_RATE_HZ]) > -60
    assert level_db(samples[7 * SAMPLE_RATE_HZ :]) < -90


@with_library
def test_the_same_notes_give_the_same_samples():
    notes = [note(), note(onset_s=0.9, pitch=64, program=49)]
    assert (sound(*notes) == sound(*notes)).all()


@with_library
def test_instruments_are_brought_to_the_loudness_of_the_built_in_voices():
    for program in (0, 46, 11):
        samples = [sound(note(program=program, gain=gain)) for gain in (0.4, 0.1)]
        assert level_db(samples[0]) - level_db(samples[1]) == pytest.approx(12.04, abs=0.1)
        built_in = np.concatenate(
            list(synthesise([note(program=program, gain=0.4)], 3 * SAMPLE_RATE_HZ))
        )
        assert level_db(samples[0]) == pytest.approx(level_db(built_in), abs=4.0)
    quiet = sound(note(gain=0.05), note(onset_s=1.5, gain=0.4))
    halves = (quiet[: 3 * SAMPLE_RATE_HZ // 2], quiet[3 * SAMPLE_RATE_HZ // 2 :])
    assert level_db(halves[1]) - level_db(halves[0]) == pytest.approx(18.0, abs=4.0)


@with_library
def test_the_hiss_of_the_samples_is_taken_out():
    power = np.abs(np.fft.rfft(sound(note(pitch=72))[:, 0])) ** 2
    frequencies_hz = np.fft.rfftfreq(3 * SAMPLE_RATE_HZ, 1 / SAMPLE_RATE_HZ)
    assert 10 * np.log10(power[frequencies_hz > 6000].sum() / power.sum()) < -75


@with_library
def test_a_held_note_struck_again_is_not_cut_off_by_its_first_ending():
    twice = [note(onset_s=0.2, length_s=2.0, program=49), note(1.5, 2.0, program=49)]
    samples = sound(*twice, seconds=5.0)
    assert level_db(samples[int(2.5 * SAMPLE_RATE_HZ) : 3 * SAMPLE_RATE_HZ]) > -65


@with_library
def test_the_chunk_borders_do_not_click():
    samples = sound(note(onset_s=3.0, length_s=6.0, program=49), seconds=10.0)[:, 0]
    bends = np.abs(np.diff(samples, n=2))
    border = CHUNK_SAMPLES
    assert bends[border - 4 : border + 4].max() <= bends[border - 9000 : border - 10].max()


@with_library
def test_the_machine_finds_a_soundfont_by_its_hash_and_meets_its_pin():
    pin = soundfont.SoundFontRenderer(soundfont.BUNDLED).pin
    assert renderer_for(pin).pin == pin
    assert pin in [renderer.pin for renderer in available_renderers()]


@with_library
def test_another_version_or_another_soundfont_is_refused():
    pin = soundfont.SoundFontRenderer(soundfont.BUNDLED).pin
    with pytest.raises(PinUnmet, match=r"version='1\.0'"):
        renderer_for(replace(pin, version="1.0"))
    with pytest.raises(PinUnmet, match=r"SHA-256 0000 was expected, got .*sf2.* Copy it to"):
        renderer_for(replace(pin, soundfont_sha256="0000"))


@with_library
def test_a_damaged_soundfont_is_refused_with_its_name(tmp_path):
    damaged = tmp_path / "damaged.sf2"
    damaged.write_bytes(soundfont.BUNDLED.read_bytes()[:1000])
    with pytest.raises(PinUnmet, match=r"FluidSynth .* can read was expected, got .*damaged\.sf2"):
        list(soundfont.SoundFontRenderer(damaged).synthesise([note()], 1000))


def test_a_missing_soundfont_is_refused_with_its_place(tmp_path):
    with pytest.raises(PinUnmet, match=r"a SoundFont was expected at .*none\.sf2, got No such"):
        soundfont.SoundFontRenderer(tmp_path / "none.sf2")


def test_a_soundfont_that_was_exchanged_has_another_hash(tmp_path):
    path = tmp_path / "a.sf2"
    path.write_bytes(b"one")
    before = soundfont.soundfont_sha256(path)
    path.write_bytes(b"another")
    assert soundfont.soundfont_sha256(path) != before
    copy = tmp_path / "b.sf2"
    shutil.copy(path, copy)
    assert soundfont.soundfont_sha256(copy) == soundfont.soundfont_sha256(path)
