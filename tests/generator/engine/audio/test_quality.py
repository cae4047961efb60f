from dataclasses import replace

import numpy as np
import pytest

from generator.engine.audio.profile import SAMPLE_RATE_HZ, Profile, timeline
from generator.engine.audio.quality import (
    PREVIEW_ITEMS,
    SoundMeasurer,
    judge,
    momentary_jumps,
    spectral_features,
    unfit,
)
from generator.engine.errors import SynthesisError

PROFILE = Profile()


def calm_sound(seconds=30.0, frequency_hz=400.0):
    """A tone, with quiet ones below it and, 12 dB an octave weaker, above it up to 8 kHz."""
    plan = timeline(seconds)
    t = np.arange(plan.n_samples) / SAMPLE_RATE_HZ
    left, right = np.zeros(len(t)), np.zeros(len(t))
    for octave in range(-2, 6):
        hz = 400.0 * 2**octave if octave else frequency_hz
        amplitude = 0.05 * 10 ** (-12 * (octave if octave >= 0 else 1) / 20)
        left += amplitude * np.sin(2 * np.pi * hz * t)
        right += amplitude * np.sin(2 * np.pi * hz * t + 0.5)
    samples = np.stack([left, right], axis=1).astype(np.float32)
    samples[plan.music_end :] = 0.0
    return samples


def measured(samples):
    measurer = SoundMeasurer()
    for start in range(0, len(samples), 220_500):
        measurer.add(samples[start : start + 220_500])
    return measurer.result()


def table(samples, gain_db=None, seconds=None):
    result = measured(samples)
    gain = PROFILE.loudness_lufs - result.integrated_lufs if gain_db is None else gain_db
    plan = timeline(seconds or len(samples) / SAMPLE_RATE_HZ)
    rows = judge(result, gain_db=gain, timeline=plan, profile=PROFILE)
    return {row["item"]: row for row in rows}


def failing(samples, **changes):
    return {item for item, row in table(samples, **changes).items() if not row["passed"]}


def test_a_calm_sound_passes_every_line():
    rows = table(calm_sound())
    assert failing(calm_sound()) == set()
    assert set(rows) > PREVIEW_ITEMS
    assert all(set(row) == {"item", "value", "limit", "passed"} for row in rows.values())
    assert rows["stereo_correlation"]["value"] == pytest.approx(np.cos(0.5), abs=0.01)
    assert rows["centroid_hz"]["value"] == pytest.approx(400, abs=10)


def test_a_wrong_loudness_fails_hard():
    assert "loudness_error_lu" in failing(calm_sound(), gain_db=0.0)


def test_a_clipped_or_peaky_sound_fails_hard():
    samples = calm_sound()
    samples[SAMPLE_RATE_HZ * 10] = 1.0
    assert {"true_peak_dbtp", "clipped_samples"} <= failing(samples)


def test_a_sound_that_does_not_end_in_silence_fails_hard():
    samples = calm_sound()
    samples[-1000:] = 0.01
    assert "last_second_dbfs" in failing(samples)


def test_a_file_of_the_wrong_length_fails_hard():
    assert "duration_error_s" in failing(calm_sound(), seconds=40.0)
    assert "duration_error_s" not in failing(calm_sound(), seconds=32.0)


def test_a_sudden_step_is_a_local_jump():
    samples = calm_sound()
    samples[SAMPLE_RATE_HZ * 14 : SAMPLE_RATE_HZ * 16] *= 2.5
    row = table(samples)["local_jump_lu"]
    # Three of the window's four tenths are 8 dB up before the fourth reaches back.
    assert row["value"] == pytest.approx(10 * np.log10(0.25 + 0.75 * 2.5**2), abs=0.1)
    assert not row["passed"]


def test_a_hole_in_the_music_is_a_gap():
    samples = calm_sound()
    samples[SAMPLE_RATE_HZ * 13 : SAMPLE_RATE_HZ * 16] = 0.0
    row = table(samples)["longest_gap_s"]
    assert row["value"] == pytest.approx(2.6, abs=0.2)
    assert not row["passed"]


def test_offset_opposite_ears_and_hiss_are_seen():
    assert "dc" in failing(calm_sound() + np.float32(0.002))
    opposite = calm_sound() * np.array([1, -1], dtype=np.float32)
    assert "stereo_correlation" in failing(opposite)
    bright = calm_sound(frequency_hz=5000.0)
    assert {"centroid_hz", "brightness_share_1500_hz", "above_4000_hz_db"} <= failing(bright)


def test_the_decline_is_judged_over_a_long_night_only():
    assert "decline_lu" not in table(calm_sound())
    plan = timeline(2700.0)
    n_hops = 27_000
    night = replace(
        measured(calm_sound()),
        n_samples=plan.n_samples,
        momentary_lufs=np.linspace(-20.0, -32.0, n_hops),
    )
    rows = judge(night, gain_db=0.0, timeline=plan, profile=PROFILE)
    values = {row["item"]: row["value"] for row in rows}
    # Seven whole windows of five minutes lie between the first and the last before the fade.
    assert values["decline_lu"] == pytest.approx(7 * 300 / 2700 * 12, abs=0.1)
    assert values["largest_rise_5_min_lu"] < 0


def test_nan_is_found_with_its_place():
    samples = calm_sound()
    samples[SAMPLE_RATE_HZ * 7, 1] = np.nan
    with pytest.raises(SynthesisError, match=r"got NaN or infinity at 7\.00 s"):
        measured(samples)


def test_a_preview_is_refused_for_technical_lines_only_and_a_night_for_any():
    bright = list(table(calm_sound(frequency_hz=5000.0)).values())
    assert unfit(bright, timeline(60.0)) == []
    assert {row["item"] for row in unfit(bright, timeline(900.0))} >= {"centroid_hz"}
    quiet = list(table(calm_sound(), gain_db=0.0).values())
    assert [row["item"] for row in unfit(quiet, timeline(60.0))] == ["loudness_error_lu"]


def test_the_tilt_is_the_slope_of_the_octave_bands():
    frequencies = np.fft.rfftfreq(8192, 1 / SAMPLE_RATE_HZ)
    # Power 1/f is pink: equal in every octave. Each power of f more is 3 dB an octave.
    for exponent, slope_db in ((1, 0.0), (2, -3.0), (3, -6.0)):
        spectrum = np.concatenate([[0.0], frequencies[1:] ** -float(exponent)])
        pink = replace(measured(calm_sound()), spectrum=spectrum)
        tilt = spectral_features(pink)["tilt_db_per_octave"]
        assert tilt == pytest.approx(slope_db, abs=0.15)


def test_centroid_rolloff_and_shares_of_two_tones_are_their_power_weighted_values():
    t = np.arange(20 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    wave = np.sin(2 * np.pi * 500 * t) + 0.5 * np.sin(2 * np.pi * 2000 * t)
    features = spectral_features(measured(np.stack([wave, wave], axis=1).astype(np.float32)))
    assert features["centroid_hz"] == pytest.approx((500 + 0.25 * 2000) / 1.25, rel=0.01)
    assert features["brightness_share_1500_hz"] == pytest.approx(0.2, abs=0.005)
    assert features["rolloff85_hz"] == pytest.approx(2000, abs=12)
    assert features["above_4000_hz_db"] < -60


def test_the_silence_at_the_end_is_measured_to_the_sample():
    samples = calm_sound()
    assert measured(samples).end_silence_s == pytest.approx(2.0, abs=1e-4)
    samples[-SAMPLE_RATE_HZ] = 1e-6
    assert measured(samples).end_silence_s == pytest.approx(1.0, abs=1e-4)
    assert "end_silence_s" in failing(samples)


def test_a_steady_tone_moves_no_spectrum_and_noise_does():
    noise = np.random.default_rng(0).normal(0, 0.05, (10 * SAMPLE_RATE_HZ, 2)).astype(np.float32)
    assert measured(calm_sound()[: 20 * SAMPLE_RATE_HZ]).flux < 0.02
    assert measured(noise).flux > 0.3


def test_jumps_look_back_from_a_third_of_a_second_to_three():
    curve = np.full(100, -30.0)
    curve[60:] = -24.0
    jumps = momentary_jumps(curve)
    assert len(jumps) == 67
    assert jumps[60 - 33] == 6.0
    assert jumps[62 - 33] == 6.0
    assert jumps[63 - 33] == 0.0
    assert len(momentary_jumps(np.zeros(20))) == 0


def test_silence_has_a_spectrum_too():
    features = spectral_features(measured(np.zeros((SAMPLE_RATE_HZ, 2), dtype=np.float32)))
    assert all(np.isfinite(value) for value in features.values())
