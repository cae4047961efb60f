from dataclasses import replace

import numpy as np
import pytest

from generator.engine.audio.profile import SAMPLE_RATE_HZ, Profile, timeline
from generator.engine.audio.quality import (
    HARD_ITEMS,
    SoundMeasurer,
    judge,
    momentary_jumps,
    refuse_unfit,
    spectral_features,
)
from generator.engine.errors import SynthesisError

PROFILE = Profile()


def calm_sound(seconds=30.0, frequency_hz=400.0):
    plan = timeline(seconds)
    t = np.arange(plan.n_samples) / SAMPLE_RATE_HZ
    left = 0.05 * np.sin(2 * np.pi * frequency_hz * t)
    right = 0.05 * np.sin(2 * np.pi * frequency_hz * t + 0.5)
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
    assert set(rows) > HARD_ITEMS
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


def test_only_hard_lines_refuse_a_file():
    rows = list(table(calm_sound(frequency_hz=5000.0)).values())
    refuse_unfit(rows)
    with pytest.raises(SynthesisError, match=r"loudness_error_lu <= 0\.5, got \d"):
        refuse_unfit(list(table(calm_sound(), gain_db=0.0).values()))


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
