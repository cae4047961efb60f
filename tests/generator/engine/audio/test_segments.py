import numpy as np
import pytest
import soundfile
from pydub import AudioSegment

from generator.engine.audio.encoding import write_mp3
from generator.engine.audio.profile import SAMPLE_RATE_HZ
from generator.engine.audio.segments import (
    CHIME_MS,
    EXCERPT_MS,
    JOIN_MS,
    chime,
    excerpt,
    joined,
    samples,
    volume_check,
)


def noise(seconds, seed, level=0.1):
    frames = np.random.default_rng(seed).normal(0, level, (round(seconds * SAMPLE_RATE_HZ), 2))
    return frames.astype(np.float32)


def segment(seconds, seed):
    data = (noise(seconds, seed) * 2**15).astype("<i2").tobytes()
    return AudioSegment(data, frame_rate=SAMPLE_RATE_HZ, sample_width=2, channels=2)


@pytest.fixture
def night(tmp_path):
    """Forty seconds: twelve of silence, then noise."""
    path = tmp_path / "night.mp3"
    write_mp3([np.zeros((12 * SAMPLE_RATE_HZ, 2), np.float32), noise(28, 1)], path)
    return path


def test_a_join_of_unlike_sounds_has_no_hole_in_the_middle():
    first, second = segment(4, 1), segment(4, 2)
    whole = joined(first, second, 1000)
    assert len(whole) == 7000
    hole_db = whole[3400:3600].dBFS - first.dBFS
    assert abs(hole_db) < 0.3
    # What pydub's own crossfade does to them is why we have ours.
    assert first.append(second, crossfade=1000)[3400:3600].dBFS - first.dBFS < -2.5


def test_a_join_without_overlap_sets_one_after_the_other():
    assert len(joined(segment(1, 1), segment(2, 2), 0)) == 3000


def test_an_excerpt_is_the_stretch_that_was_asked_for(night):
    piece = excerpt(night, start_s=12.5, length_ms=3000)
    assert len(piece) == 3000
    # The encoder cuts what lies above 16 kHz of the noise.
    assert piece.dBFS == pytest.approx(-21.5, abs=1)
    assert excerpt(night, start_s=2, length_ms=5000).dBFS < -80


def test_an_excerpt_ends_with_the_file(night):
    assert len(excerpt(night, start_s=38, length_ms=5000)) == pytest.approx(2000, abs=60)


def test_the_chime_is_soft_and_begins_and_ends_in_silence():
    rung = chime()
    assert len(rung) == CHIME_MS
    assert rung.max_dBFS < -20
    assert rung[:5].dBFS < -45
    assert rung[-5:].dBFS < -60


def test_the_volume_check_is_a_chime_then_the_music_fading_out(night):
    piece = volume_check(night, start_s=12)
    assert len(piece) == CHIME_MS + EXCERPT_MS - JOIN_MS
    assert piece[5000:15000].dBFS == pytest.approx(-21.5, abs=1)
    assert piece[-100:].dBFS < -50


def test_nights_of_one_length_have_volume_checks_of_one_size(night, tmp_path):
    write_mp3([noise(40, 3, level=0.01)], tmp_path / "other.mp3")
    sizes = []
    for path in (night, tmp_path / "other.mp3"):
        write_mp3(samples(volume_check(path, start_s=12)), tmp_path / "check.mp3")
        sizes.append((tmp_path / "check.mp3").stat().st_size)
    assert sizes[0] == sizes[1]


def test_samples_are_what_the_encoders_take(tmp_path):
    original = segment(6, 4)
    got = np.concatenate(list(samples(original)))
    assert got.dtype == np.float32
    assert got.shape == (6 * SAMPLE_RATE_HZ, 2)
    soundfile.write(tmp_path / "a.wav", got, SAMPLE_RATE_HZ, subtype="PCM_16")
    back = AudioSegment.from_wav(tmp_path / "a.wav")
    assert back.raw_data == original.raw_data
