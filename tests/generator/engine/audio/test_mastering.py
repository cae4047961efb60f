from dataclasses import replace

import numpy as np
import pytest

from generator.engine.audio.loudness import TruePeakMeter
from generator.engine.audio.mastering import (
    Master,
    fades,
    gain_to_target,
    lowpass_hz,
    narrow,
    room_power,
    room_t60_s,
    soften_peaks,
)
from generator.engine.audio.profile import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Profile, timeline
from generator.engine.errors import SynthesisError

PROFILE = Profile()


def mastered(samples, seconds):
    master = Master(timeline(seconds), PROFILE)
    pieces = [
        master.process(samples[start : start + CHUNK_SAMPLES])
        for start in range(0, len(samples), CHUNK_SAMPLES)
    ]
    return np.concatenate(pieces)


def sine(frequency_hz, seconds, amplitude=0.1):
    wave = amplitude * np.sin(
        2 * np.pi * frequency_hz * np.arange(seconds * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    )
    return np.stack([wave, wave], axis=1).astype(np.float32)


def level_db(samples):
    return 10 * np.log10((samples.astype(np.float64) ** 2).mean() + 1e-20)


def test_a_night_fades_in_over_12_s_and_out_over_180_s_before_two_seconds_of_silence():
    night = timeline(2700.0)
    assert night.n_samples == 2700 * SAMPLE_RATE_HZ
    assert night.fade_in == 12 * SAMPLE_RATE_HZ
    assert night.fade_out_start == (2700 - 2 - 180) * SAMPLE_RATE_HZ


@pytest.mark.parametrize("seconds", [30.0, 60.0, 120.0, 900.0, 3600.0])
def test_the_fades_of_any_length_fit_and_never_jump(seconds):
    plan = timeline(seconds)
    assert plan.fade_out <= plan.n_samples / 3
    assert plan.fade_in < plan.fade_out_start
    gains = fades(np.arange(0, plan.n_samples, 441), plan)
    assert gains[0] == 0.0
    assert gains.max() == pytest.approx(1.0)
    assert np.abs(np.diff(gains)).max() < 0.01
    assert (fades(np.arange(plan.music_end, plan.n_samples), plan) == 0.0).all()


def test_the_end_is_exact_silence_although_the_room_still_rings():
    samples = mastered(sine(440, 30), 30.0)
    assert (samples[-2 * SAMPLE_RATE_HZ :] == 0.0).all()
    assert np.abs(samples[-3 * SAMPLE_RATE_HZ : -2 * SAMPLE_RATE_HZ]).max() > 0.0


def test_the_low_pass_glides_down_geometrically_and_stays():
    assert lowpass_hz(0.0, PROFILE) == 7000.0
    assert lowpass_hz(0.4, PROFILE) == pytest.approx(np.sqrt(7000 * 3500))
    assert lowpass_hz(0.8, PROFILE) == lowpass_hz(1.0, PROFILE) == pytest.approx(3500.0)


def test_rumble_and_hiss_are_taken_out_and_the_middle_is_kept():
    middle = slice(8 * SAMPLE_RATE_HZ, 18 * SAMPLE_RATE_HZ)
    level = {hz: level_db(mastered(sine(hz, 30), 30.0)[middle]) for hz in (12, 500, 12_000)}
    assert level[12] < level[500] - 15
    assert level[12_000] < level[500] - 20


def test_the_room_rings_for_about_the_given_time_and_in_both_ears_differently():
    click = np.zeros((30 * SAMPLE_RATE_HZ, 2), dtype=np.float32)
    click[12 * SAMPLE_RATE_HZ] = 1.0
    tail = mastered(click, 30.0)[12 * SAMPLE_RATE_HZ :]
    early, late = (
        level_db(tail[int(a * SAMPLE_RATE_HZ) : int((a + 0.2) * SAMPLE_RATE_HZ)])
        for a in (0.2, 1.2)
    )
    assert 60 / (early - late) == pytest.approx(PROFILE.reverb_t60_s, rel=0.25)
    assert np.corrcoef(tail[4410:44100].T)[0, 1] < 0.9


def test_the_chunk_borders_leave_no_click():
    samples = mastered(sine(200, 30), 30.0)[:, 0]
    bends = np.abs(np.diff(samples, n=2))
    steady = slice(12 * SAMPLE_RATE_HZ, 16 * SAMPLE_RATE_HZ)
    border = 3 * CHUNK_SAMPLES
    assert bends[border - 5 : border + 5].max() <= 1.02 * bends[steady].max()


def test_narrowing_keeps_the_middle_and_shrinks_the_side():
    left_only = np.array([[1.0, 0.0]])
    assert narrow(left_only, 0.0).tolist() == [[0.5, 0.5]]
    assert narrow(left_only, 1.0).tolist() == [[1.0, 0.0]]


def test_the_gain_brings_any_loudness_to_the_target_and_silence_is_refused():
    assert gain_to_target(-40.0, PROFILE) == pytest.approx(16.0)
    with pytest.raises(SynthesisError, match="an audible sound was expected, got -120 LUFS"):
        gain_to_target(-120.0, PROFILE)


def test_peaks_are_bent_under_the_ceiling_and_quiet_sound_is_untouched():
    loud = np.random.default_rng(0).normal(0, 0.4, (SAMPLE_RATE_HZ, 2)).cumsum(axis=0)
    loud = (loud / np.abs(loud).max() * 1.5).astype(np.float32)
    meter = TruePeakMeter()
    meter.add(soften_peaks(loud, PROFILE))
    assert meter.dbtp() <= PROFILE.true_peak_max_dbtp
    quiet = loud * 0.25
    assert (soften_peaks(quiet, PROFILE) == quiet).all()


def test_the_room_neither_adds_nor_takes_much_on_average():
    powers = room_power(np.linspace(200, 2000, 2000), PROFILE)
    assert 0.9 < powers.mean() < 1.3
    assert powers.std() > 0.1


def test_the_room_is_as_long_as_the_profile_says():
    assert room_t60_s(PROFILE) == pytest.approx(PROFILE.reverb_t60_s, rel=0.05)
    assert room_t60_s(replace(PROFILE, reverb_t60_s=1.5)) == pytest.approx(1.5, rel=0.05)
