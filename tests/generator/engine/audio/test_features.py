from dataclasses import replace

import numpy as np
import pytest

from generator.engine.audio.features import features, loudness_curve
from generator.engine.audio.performance import perform
from generator.engine.audio.profile import SAMPLE_RATE_HZ, timeline
from generator.engine.audio.quality import SoundMeasurer
from generator.engine.score.notes import Note, Part, Role, Score, TempoMark
from generator.engine.score.scales import estimate_key, key_clarity

MINUTES = 15.0
PLAN = timeline(60 * MINUTES)
SIXTY = (TempoMark(0, 60.0),)
C_MAJOR = (60, 62, 64, 65, 67, 69, 71, 72, 71, 69, 67, 65, 64, 62)


@pytest.fixture(scope="module")
def silence():
    measurer = SoundMeasurer()
    measurer.add(np.zeros((SAMPLE_RATE_HZ, 2), dtype=np.float32))
    return measurer.result()


def scale_score(apart=8, tempo=SIXTY, velocities=(50,)):
    notes = tuple(
        Note(apart * i, apart, C_MAJOR[i % 14], velocities[i % len(velocities)])
        for i in range(int(MINUTES * 240 / apart))
    )
    return Score((Part(Role.MELODY, 0, notes),), tempo)


def of(score, measured, gain_db=0.0):
    end_s = PLAN.music_end / SAMPLE_RATE_HZ
    performance = perform(score, music_end_s=end_s, rng=np.random.default_rng(0))
    return features(score, performance, measured, PLAN, gain_db)


def test_the_features_of_a_scale_in_c_major_are_its_own(silence):
    found = of(scale_score(), silence)
    assert found["tempo_mean_bpm"] == pytest.approx(60.0, abs=0.1)
    assert found["tempo_slope_bpm_per_h"] == 0.0
    assert found["notes_per_minute"] == pytest.approx(30.0, abs=0.2)
    assert found["density_slope_per_h"] == pytest.approx(0.0, abs=8.0)
    assert found["melody_step_share"] == 1.0
    assert found["melody_interval_mean"] == pytest.approx(24 / 14, abs=0.01)
    assert found["melody_ioi_median_s"] == pytest.approx(2.0, abs=0.01)
    assert found["melody_articulation"] == 1.0
    assert found["repetition_4"] > 0.9
    assert found["pitch_p5"] == 60
    assert found["pitch_p95"] == 72
    assert found["share_below_c4"] == 0.0
    assert found["polyphony"] == pytest.approx(1.0, abs=0.05)
    assert found["key_clarity"] > 0.04


def test_slopes_are_changes_an_hour(silence):
    # Ten quarter notes a minute slower and half as loud in touch over a quarter of an hour.
    tempo = tuple(TempoMark(240 * i, 70.0 - 10.0 * i / 15) for i in range(15))
    found = of(scale_score(tempo=tempo), silence)
    assert found["tempo_slope_bpm_per_h"] == pytest.approx(-37.0, abs=4.0)
    whole = scale_score()
    falling = tuple(
        replace(note, velocity=60 - round(40 * i / 450))
        for i, note in enumerate(whole.parts[0].notes)
    )
    softer = replace(whole, parts=(replace(whole.parts[0], notes=falling),))
    found = of(softer, silence)
    assert found["velocity_slope_per_h"] == pytest.approx(-160.0, abs=3.0)
    assert found["velocity_mean"] == pytest.approx(40.0, abs=0.5)


def test_loudness_range_and_decline_are_read_off_the_curve(silence):
    n_hops = round(60 * MINUTES * 10)
    curve = np.where(np.arange(n_hops) % 600 < 300, -20.0, -30.0)
    found = of(scale_score(), replace(silence, momentary_lufs=curve), gain_db=-2.0)
    # Two levels 10 LU apart, half a minute each: EBU Tech 3342's range is their distance.
    assert found["loudness_range_lu"] == pytest.approx(10.0, abs=0.1)
    sinking = np.linspace(-20.0, -29.0, n_hops)
    found = of(scale_score(), replace(silence, momentary_lufs=sinking))
    # From the middle of the first ninth to that of the last ninth before the fade.
    assert found["decline_lu"] == pytest.approx(9 * (718 - 100) / 900, abs=0.1)
    assert found["loudness_range_lu"] == pytest.approx(0.85 * 9 * 718 / 900, abs=0.1)


def test_the_curve_has_one_value_a_minute_at_the_files_own_level(silence):
    curve = np.concatenate([np.full(600, -30.0), np.full(300, -20.0)])
    assert loudness_curve(replace(silence, momentary_lufs=curve), 3.0) == [-27.0, -17.0]


def test_a_clear_key_is_clearer_than_all_twelve_notes_alike():
    scale = np.bincount([0, 2, 4, 5, 7, 9, 11, 0, 4, 7, 0], minlength=12).astype(float)
    assert estimate_key(scale) == (0, "major")
    assert key_clarity(scale) > 0.1
    assert key_clarity(np.ones(12)) == 0.0
