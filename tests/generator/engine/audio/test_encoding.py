import resource

import numpy as np
import pytest
import soundfile

from generator.engine.audio.encoding import (
    BIT_RATE_KBPS,
    Scratch,
    mp3_duration_s,
    publish,
    sha256,
    write_mp3,
)
from generator.engine.audio.profile import CHUNK_SAMPLES, SAMPLE_RATE_HZ
from generator.engine.errors import SynthesisError


def chunks(seconds, seed=0, level=0.05):
    noise = np.random.default_rng(seed).normal(0, level, (int(seconds * SAMPLE_RATE_HZ), 2))
    noise = noise.astype(np.float32)
    return [noise[start : start + CHUNK_SAMPLES] for start in range(0, len(noise), CHUNK_SAMPLES)]


@pytest.fixture
def small_disk():
    """Let no file of this process grow beyond 100 kB: what a full disk looks like."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_the_mp3_is_as_long_and_as_loud_as_what_went_in(tmp_path):
    pieces = chunks(6)
    write_mp3(pieces, tmp_path / "a.mp3")
    assert mp3_duration_s(tmp_path / "a.mp3") == pytest.approx(6.0, abs=0.06)
    decoded, rate_hz = soundfile.read(tmp_path / "a.mp3", dtype="float32")
    assert rate_hz == SAMPLE_RATE_HZ
    assert decoded.shape[1] == 2


def test_the_encoder_leaves_the_level_alone(tmp_path):
    t = np.arange(3 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    tone = np.stack([0.1 * np.sin(2 * np.pi * 440 * t)] * 2, axis=1).astype(np.float32)
    write_mp3([tone], tmp_path / "a.mp3")
    decoded, _ = soundfile.read(tmp_path / "a.mp3", dtype="float32")
    middle = slice(SAMPLE_RATE_HZ, 2 * SAMPLE_RATE_HZ)
    assert decoded[middle].std() == pytest.approx(tone[middle].std(), rel=0.002)


def test_equal_lengths_have_equal_sizes_at_the_stated_bit_rate(tmp_path):
    write_mp3(chunks(10, seed=1), tmp_path / "loud.mp3")
    write_mp3(chunks(10, seed=2, level=0.0001), tmp_path / "soft.mp3")
    size = (tmp_path / "loud.mp3").stat().st_size
    assert size == (tmp_path / "soft.mp3").stat().st_size
    assert size * 8 / 10_000 == pytest.approx(BIT_RATE_KBPS, rel=0.01)


def test_the_file_tells_nothing_but_its_sound(tmp_path):
    write_mp3(chunks(1), tmp_path / "a.mp3")
    data = (tmp_path / "a.mp3").read_bytes()
    assert not data.startswith(b"ID3")
    assert b"TAG" not in data[-128:]
    with soundfile.SoundFile(tmp_path / "a.mp3") as file:
        assert not any(file.copy_metadata().values())


def test_the_same_samples_give_the_same_file(tmp_path):
    write_mp3(chunks(2), tmp_path / "a.mp3")
    write_mp3(chunks(2), tmp_path / "b.mp3")
    assert sha256(tmp_path / "a.mp3") == sha256(tmp_path / "b.mp3")


def test_sha256_is_the_published_digest_of_abc(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256(tmp_path / "abc").startswith("ba7816bf8f01cfea")


def test_a_disk_that_fills_up_while_encoding_is_told(tmp_path, small_disk):
    with pytest.raises(SynthesisError, match=r"room to write a\.mp3 was expected.*Free disk space"):
        write_mp3(chunks(30), tmp_path / "a.mp3")


def test_a_disk_that_fills_up_with_the_scratch_is_told(tmp_path, small_disk):
    scratch = Scratch.emptied(tmp_path / "a.pcm")
    with pytest.raises(SynthesisError, match=r"room to write a\.pcm was expected"):
        scratch.append(chunks(5)[0])


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(SynthesisError, match="No such file or directory"):
        write_mp3(chunks(1), tmp_path / "missing" / "a.mp3")
    with pytest.raises(SynthesisError, match="No such file or directory"):
        Scratch.emptied(tmp_path / "missing" / "a.pcm")


def test_the_scratch_gives_back_what_it_took_to_24_bits(tmp_path):
    scratch = Scratch.emptied(tmp_path / "a.pcm")
    pieces = chunks(7)
    for piece in pieces:
        scratch.append(piece)
    back = list(scratch.chunks())
    assert [len(piece) for piece in back] == [len(piece) for piece in pieces]
    assert np.abs(np.concatenate(back) - np.concatenate(pieces)).max() <= 2**-23
    assert (tmp_path / "a.pcm").stat().st_size == 7 * SAMPLE_RATE_HZ * 6


def test_a_sample_beyond_full_scale_is_held_there_not_wrapped_around(tmp_path):
    scratch = Scratch.emptied(tmp_path / "a.pcm")
    scratch.append(np.array([[1.5, -1.5], [0.25, -0.25]], dtype=np.float32))
    (back,) = scratch.chunks()
    assert back.tolist() == [[pytest.approx(1.0), pytest.approx(-1.0)], [0.25, -0.25]]


def test_publishing_renames_in_one_step_and_replaces(tmp_path):
    (tmp_path / "a.part").write_text("new")
    (tmp_path / "a").write_text("old")
    publish(tmp_path / "a.part", tmp_path / "a")
    assert (tmp_path / "a").read_text() == "new"
    assert not (tmp_path / "a.part").exists()
