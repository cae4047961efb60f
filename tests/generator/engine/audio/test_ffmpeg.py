import errno
import os
import resource
import sys
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from generator.engine.audio import ffmpeg
from generator.engine.audio.encoders import available_encoders, built_in, encoder_for
from generator.engine.audio.encoding import mp3_duration_s, sha256
from generator.engine.audio.profile import SAMPLE_RATE_HZ
from generator.engine.audio.refusals import PinUnmet
from generator.engine.audio.renderers import BuiltInRenderer
from generator.engine.errors import RenderCancelled, SynthesisError

needs_ffmpeg = pytest.mark.skipif(not ffmpeg.found(), reason="ffmpeg is not installed")


def tone(seconds=10, level=0.1):
    t = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    sound = np.stack([level * np.sin(2 * np.pi * 440 * t)] * 2, axis=1).astype(np.float32)
    return [sound[start : start + 100_000] for start in range(0, len(sound), 100_000)]


@pytest.fixture
def stub(tmp_path, monkeypatch):
    """Put a program of ours on PATH as ffmpeg: what it says and how it ends is up to the test."""

    def put(body: str) -> None:
        program = tmp_path / "bin" / "ffmpeg"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!{sys.executable}\nimport os, sys\n{body}\n", "utf-8")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent))
        ffmpeg.version.cache_clear()

    yield put
    ffmpeg.version.cache_clear()


@needs_ffmpeg
def test_ffmpeg_writes_the_same_length_level_and_rate_as_the_built_in_encoder(tmp_path):
    ffmpeg.write_mp3(tone(), tmp_path / "a.mp3")
    built_in().write(tone(), tmp_path / "b.mp3")
    assert mp3_duration_s(tmp_path / "a.mp3") == pytest.approx(10.0, abs=0.06)
    decoded, _ = soundfile.read(tmp_path / "a.mp3")
    assert decoded[99_000:200_000].std() == pytest.approx(0.1 / np.sqrt(2), rel=0.005)
    sizes = [(tmp_path / name).stat().st_size for name in ("a.mp3", "b.mp3")]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.01)


@needs_ffmpeg
def test_a_long_file_tells_its_length_exactly(tmp_path):
    silence = [np.zeros((60 * SAMPLE_RATE_HZ, 2), np.float32)] * 5
    ffmpeg.write_mp3(silence, tmp_path / "a.mp3")
    assert mp3_duration_s(tmp_path / "a.mp3") == pytest.approx(300.0, abs=0.06)


@needs_ffmpeg
def test_ffmpeg_writes_equal_sizes_no_tags_and_the_same_bytes_again(tmp_path):
    for name, level in (("a.mp3", 0.1), ("b.mp3", 0.001), ("c.mp3", 0.1)):
        ffmpeg.write_mp3(tone(level=level), tmp_path / name)
    data = (tmp_path / "a.mp3").read_bytes()
    assert len(data) == (tmp_path / "b.mp3").stat().st_size
    assert sha256(tmp_path / "a.mp3") == sha256(tmp_path / "c.mp3")
    assert not data.startswith(b"ID3")
    assert b"TAG" not in data[-128:]


@needs_ffmpeg
def test_a_disk_that_fills_up_under_ffmpeg_is_told(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(SynthesisError, match=r"room to write a\.mp3 was expected"):
            ffmpeg.write_mp3(tone(), tmp_path / "a.mp3")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_a_full_disk_makes_ffmpeg_say_is_known_as_a_full_disk(tmp_path, stub):
    stub("sys.stderr.write('av_interleaved_write_frame(): No space left on device'); sys.exit(1)")
    with pytest.raises(SynthesisError, match="No space left on device") as refusal:
        ffmpeg.write_mp3(tone(), tmp_path / "a.mp3")
    assert refusal.value.__cause__.errno == errno.ENOSPC


def test_an_encoder_that_dies_in_the_middle_is_told(tmp_path, stub):
    stub("sys.stdin.buffer.read(1000); os.kill(os.getpid(), 9)")
    with pytest.raises(SynthesisError, match="got ffmpeg ending with -9"):
        ffmpeg.write_mp3(tone(), tmp_path / "a.mp3")


def test_a_cancelled_render_leaves_no_encoder_running(tmp_path, stub):
    stub(f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); sys.stdin.buffer.read()")

    def cancelled():
        yield from tone()
        # The encoder reads all of this before it could end by itself.
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            yield np.zeros((1000, 2), np.float32)
        raise RenderCancelled("somebody cancelled it")

    with pytest.raises(RenderCancelled):
        ffmpeg.write_mp3(cancelled(), tmp_path / "a.mp3")
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_without_ffmpeg_there_is_the_built_in_encoder(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [e.name for e in available_encoders()] == [built_in().name]
    with pytest.raises(SynthesisError, match="ffmpeg on PATH was expected"):
        ffmpeg.write_mp3(tone(1), tmp_path / "a.mp3")


def test_an_ffmpeg_that_does_not_run_is_none(stub):
    stub("sys.exit(1)")
    assert len(available_encoders()) == 1


def test_a_pin_gets_the_encoder_it_names_and_no_other(stub):
    stub("print('ffmpeg version 7.1-stub Copyright')")
    pin = BuiltInRenderer().pin
    assert encoder_for(None).name == encoder_for(pin).name == built_in().name
    assert encoder_for(replace(pin, encoder="ffmpeg 7.1-stub")).name == "ffmpeg 7.1-stub"
    with pytest.raises(PinUnmet, match=r"encoder ffmpeg 4\.0 was expected, got libsndfile"):
        encoder_for(replace(pin, encoder="ffmpeg 4.0"))
