import numpy as np
import pytest

from generator.engine.audio.loudness import LoudnessMeter
from generator.engine.audio.nature import NatureBed, with_bed
from generator.engine.audio.profile import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Profile, timeline
from generator.engine.audio.quality import momentary_jumps
from generator.engine.brief import Bed

PROFILE = Profile()
BEDS = [Bed.RAIN, Bed.WAVES]


def bed_of(bed, seed=1, minutes=15.0, amplitude=0.01):
    plan = timeline(60 * minutes)
    return NatureBed(bed, seed=seed, amplitude=amplitude, timeline=plan, profile=PROFILE)


def sound(bed, n_chunks, **options):
    made = bed_of(bed, **options)
    return np.concatenate([made.chunk(CHUNK_SAMPLES) for _ in range(n_chunks)])


def momentary(samples):
    meter = LoudnessMeter(SAMPLE_RATE_HZ)
    meter.add(samples)
    return meter.momentary()


@pytest.mark.parametrize("bed", BEDS)
def test_a_seed_makes_one_bed_and_another_seed_another(bed):
    first = sound(bed, 2)
    assert (first == sound(bed, 2)).all()
    assert not (first == sound(bed, 2, seed=2)).any()


@pytest.mark.parametrize("bed", BEDS)
def test_no_stretch_of_a_bed_comes_again(bed):
    samples = sound(bed, 8)[:, 0]
    block = samples[:SAMPLE_RATE_HZ]
    rest = samples[SAMPLE_RATE_HZ:]
    size = 2 ** int(np.ceil(np.log2(len(samples))))
    matches = np.fft.irfft(np.fft.rfft(rest, size) * np.conj(np.fft.rfft(block, size)))
    matches = matches[: len(rest) - len(block)] / (block**2).sum()
    assert np.abs(matches).max() < 0.25


@pytest.mark.parametrize("bed", BEDS)
def test_the_chunk_borders_cannot_be_heard(bed):
    samples = sound(bed, 4)[:, 0]
    bends = np.abs(np.diff(samples, n=2))
    for border in range(CHUNK_SAMPLES, 4 * CHUNK_SAMPLES, CHUNK_SAMPLES):
        assert bends[border - 4 : border + 4].max() < bends.max() * 1.0001
        around = bends[border - 20_000 : border + 20_000]
        assert bends[border - 4 : border + 4].mean() < 4 * around.mean()


@pytest.mark.parametrize("bed", BEDS)
def test_a_bed_starts_at_the_asked_amplitude(bed):
    levels = momentary(sound(bed, 12))
    power = np.mean(10 ** ((levels + 0.691) / 10))
    assert 10 * np.log10(power / 0.01**2) == pytest.approx(0.0, abs=1.0)


@pytest.mark.parametrize("bed", BEDS)
def test_a_bed_never_jumps(bed):
    assert momentary_jumps(momentary(sound(bed, 24))).max() < 3.5


def test_a_bed_sinks_with_the_music_until_the_fade_out():
    whole = bed_of(Bed.RAIN)
    chunks = [whole.chunk(CHUNK_SAMPLES) for _ in range(180)]
    first = np.mean([np.square(chunk).mean() for chunk in chunks[:20]])
    last = np.mean([np.square(chunk).mean() for chunk in chunks[-36:-16]])
    # Between the middles of both spans lies a little less than the whole way.
    assert 10 * np.log10(first / last) == pytest.approx(PROFILE.decline_lu * 0.93, abs=0.7)


def test_rain_and_waves_stay_out_of_the_bright_part_of_the_spectrum():
    for bed, limit_hz in ((Bed.RAIN, 2600.0), (Bed.WAVES, 1200.0)):
        spectrum = np.abs(np.fft.rfft(sound(bed, 2)[:, 0])) ** 2
        frequencies = np.fft.rfftfreq(2 * CHUNK_SAMPLES, 1 / SAMPLE_RATE_HZ)
        assert np.average(frequencies, weights=spectrum) < limit_hz


def test_no_bed_leaves_the_music_as_it_is():
    music = [np.ones((10, 2), dtype=np.float32)]
    assert next(with_bed(iter(music), None)) is music[0]
    assert not (next(with_bed(iter(music), bed_of(Bed.RAIN))) == music[0]).all()
