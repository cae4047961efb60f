import numpy as np
import pytest
import soundfile
from django.core.management import CommandError, call_command

from generator.engine.audio.pictures import HEIGHT, WIDTH, loudness_curve, spectrogram, write_png
from generator.engine.audio.profile import SAMPLE_RATE_HZ
from generator.engine.errors import SynthesisError


@pytest.fixture
def two_tones(tmp_path):
    """Ten seconds of a low tone at -20 dBFS, then ten of a high one at -40 dBFS."""
    t = np.arange(10 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    low, high = 0.1 * np.sin(2 * np.pi * 200 * t), 0.01 * np.sin(2 * np.pi * 3000 * t)
    wave = np.concatenate([low, high])
    path = tmp_path / "night.wav"
    soundfile.write(path, np.stack([wave, wave], axis=1), SAMPLE_RATE_HZ)
    return path


def test_the_spectrogram_shows_pitch_upwards_and_time_to_the_right(two_tones):
    brightness = spectrogram(two_tones).sum(axis=2)
    assert brightness.shape == (HEIGHT, WIDTH)
    low = int(np.argmax(brightness[:, WIDTH // 4]))
    high = int(np.argmax(brightness[:, 3 * WIDTH // 4]))
    octaves = (low - high) / HEIGHT * 8
    assert octaves == pytest.approx(np.log2(3000 / 200), abs=0.2)


def test_the_loudness_curve_falls_with_the_music(two_tones):
    lit = loudness_curve(two_tones)[..., 0] > 200
    rows = [int(np.argmax(lit[:, column])) for column in (WIDTH // 4, 3 * WIDTH // 4)]
    # 20 dB softer, 4 dB more audible by K-weighting: 16 LU of the 60 that the picture spans.
    assert (rows[1] - rows[0]) / HEIGHT * 60 == pytest.approx(16.6, abs=1.0)


def test_the_file_is_a_png_that_opens_with_the_right_size(tmp_path, two_tones):
    write_png(loudness_curve(two_tones), tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert int.from_bytes(data[16:20], "big") == WIDTH
    assert int.from_bytes(data[20:24], "big") == HEIGHT
    assert data.endswith(b"IEND\xaeB`\x82")


def test_the_command_draws_both_pictures(tmp_path, two_tones, capsys):
    call_command("picture_night", two_tones, out=tmp_path / "pictures")
    names = sorted(path.name for path in (tmp_path / "pictures").iterdir())
    assert names == ["night-loudness.png", "night-spectrogram.png"]
    assert "bytes" in capsys.readouterr().out


def test_what_is_no_night_is_refused(tmp_path):
    (tmp_path / "a.mp3").write_bytes(b"not sound")
    with pytest.raises(SynthesisError, match=r"a rendered night was expected, got .*a\.mp3"):
        spectrogram(tmp_path / "a.mp3")
    soundfile.write(tmp_path / "mono.wav", np.zeros(100), 8000)
    with pytest.raises(CommandError, match="1 channels at 8000 Hz"):
        call_command("picture_night", tmp_path / "mono.wav", out=tmp_path)
