import numpy as np
import pytest

from generator.engine.audio.loudness import SILENCE_LUFS, LoudnessMeter, k_weighting

RATE_HZ = 44_100


def sine(frequency_hz, level_dbfs, seconds, rate_hz=RATE_HZ, phase=0.0):
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    wave = 10 ** (level_dbfs / 20) * np.sin(2 * np.pi * frequency_hz * t + phase)
    return np.stack([wave, wave], axis=1)


def measured(samples, rate_hz=RATE_HZ, chunk=220_500):
    meter = LoudnessMeter(rate_hz)
    for start in range(0, len(samples), chunk):
        meter.add(samples[start : start + chunk])
    return meter


def test_the_k_weighting_at_48_khz_is_the_table_of_bs_1770():
    shelf, highpass = k_weighting(48_000)
    numerator = [1.53512485958697, -2.69169618940638, 1.19839281085285]
    denominator = [1, -1.69065929318241, 0.73248077421585]
    assert shelf == pytest.approx(numerator + denominator, abs=1e-7)
    assert highpass == pytest.approx([1, -2, 1, 1, -1.99004745483398, 0.99007225036621], abs=1e-7)


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_a_997_hz_sine_at_minus_23_dbfs_reads_minus_23_lufs(rate_hz):
    meter = measured(sine(997, -23, 20, rate_hz), rate_hz)
    assert meter.integrated() == pytest.approx(-23.0, abs=0.05)


def test_the_gate_ignores_the_quiet_as_ebu_tech_3341_case_3_asks():
    parts = [sine(1000, -36, 10), sine(1000, -23, 30), sine(1000, -36, 10)]
    assert measured(np.concatenate(parts)).integrated() == pytest.approx(-23.0, abs=0.1)


def test_a_louder_middle_weighs_in_as_ebu_tech_3341_case_5_asks():
    parts = [sine(1000, -26, 20), sine(1000, -20, 20.1), sine(1000, -26, 20)]
    assert measured(np.concatenate(parts)).integrated() == pytest.approx(-23.0, abs=0.1)


def test_the_size_of_the_chunks_does_not_matter():
    samples = np.random.default_rng(1).normal(0, 0.05, (RATE_HZ * 3, 2))
    whole, pieces = measured(samples, chunk=10**9), measured(samples, chunk=1_777)
    assert pieces.integrated() == pytest.approx(whole.integrated(), abs=1e-9)
    assert pieces.true_peak_dbtp() == pytest.approx(whole.true_peak_dbtp(), abs=1e-6)
    assert len(pieces.momentary()) == len(whole.momentary()) == 27


def test_the_true_peak_lies_between_the_samples():
    quarter_rate = sine(RATE_HZ / 4, -6.0206, 1, phase=np.pi / 4)
    assert 20 * np.log10(np.abs(quarter_rate).max()) == pytest.approx(-9.03, abs=0.01)
    assert measured(quarter_rate).true_peak_dbtp() == pytest.approx(-6.02, abs=0.15)


def test_the_true_peak_of_a_slow_wave_is_its_amplitude():
    assert measured(sine(997, -3, 1)).true_peak_dbtp() == pytest.approx(-3.0, abs=0.05)


def test_silence_and_less_than_a_block_read_as_silence():
    assert measured(np.zeros((RATE_HZ, 2))).integrated() == SILENCE_LUFS
    assert measured(np.zeros((100, 2))).integrated() == SILENCE_LUFS
    assert LoudnessMeter(RATE_HZ).true_peak_dbtp() == SILENCE_LUFS
