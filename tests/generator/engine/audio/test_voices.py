import numpy as np
import pytest

from generator.engine.audio.loudness import LoudnessMeter
from generator.engine.audio.performance import TimedNote
from generator.engine.audio.profile import SAMPLE_RATE_HZ
from generator.engine.audio.synthesis import synthesise
from generator.engine.audio.voices import (
    BASS,
    FLUTE,
    GUITAR,
    HARP,
    HIGHEST_PARTIAL_HZ,
    HIGHEST_PITCH,
    LOWEST_PITCH,
    PAD,
    PIANO,
    STRINGS,
    VIBRAPHONE,
    frequency_hz,
    voice_for_program,
)

VOICES = [PIANO, HARP, GUITAR, VIBRAPHONE, BASS, STRINGS, PAD, FLUTE]


def loudest_lufs(program, pitch):
    meter = LoudnessMeter(SAMPLE_RATE_HZ)
    note = TimedNote(0.5, 3.5, pitch, gain=1.0, loudness=0.35, program=program, pan=0.0)
    for chunk in synthesise([note], 4 * SAMPLE_RATE_HZ):
        meter.add(chunk)
    return meter.momentary().max()


@pytest.mark.parametrize("voice", VOICES, ids=lambda voice: voice.name)
def test_every_pitch_has_finite_partials_in_the_quiet_part_of_the_spectrum(voice):
    for pitch in range(LOWEST_PITCH, HIGHEST_PITCH + 1):
        partials = voice.partials(pitch)
        assert len(partials.amplitudes) > 0
        assert np.isfinite(partials.amplitudes).all()
        assert partials.frequencies_hz.max() < HIGHEST_PARTIAL_HZ
        assert (np.diff(partials.decays_per_s) >= 0).all()


@pytest.mark.parametrize("program", [0, 46, 24, 11, 32, 49, 89])
def test_a_voice_is_equally_loud_at_every_pitch(program):
    levels = [loudest_lufs(program, pitch) for pitch in (43, 57, 72, 79)]
    assert max(levels) - min(levels) < 4.0


def test_every_general_midi_program_has_a_voice():
    assert {voice_for_program(program).name for program in range(128)} == {
        voice.name for voice in VOICES
    }


def test_the_four_melody_instruments_are_themselves():
    assert [voice_for_program(program) for program in (0, 46, 24, 11)] == VOICES[:4]


def test_no_struck_voice_has_a_sharp_attack_and_held_ones_join_seamlessly():
    assert all(voice.attack_s >= 0.008 for voice in VOICES)
    assert all(voice.attack_s >= 0.3 for voice in (STRINGS, PAD))
    assert all(voice.attack_s == voice.release_s for voice in (STRINGS, PAD))


def test_concert_a_is_440_hz():
    assert frequency_hz(69) == 440.0
    assert frequency_hz(57) == 220.0


def test_playing_softly_takes_from_the_upper_partials_only():
    soft, full = PIANO.darkening(60, 0.2), PIANO.darkening(60, 1.0)
    assert full == pytest.approx(1.0)
    assert soft.max() == pytest.approx(1.0)
    assert soft.min() < 0.5
