import os
import resource

import numpy as np
import pytest
import soundfile

from generator.engine.audio.encoding import sha256
from generator.engine.audio.loudness import LoudnessMeter
from generator.engine.audio.profile import SAMPLE_RATE_HZ
from generator.engine.audio.quality import HARD_ITEMS
from generator.engine.brief import Brief, ComposerName, Instrument, Style
from generator.engine.errors import RenderCancelled, SynthesisError
from generator.engine.pipeline import render, render_score
from generator.engine.score.notes import Note, Part, Role, Score, TempoMark


def brief(minutes=0.5, seed=7, **changes):
    return Brief(ComposerName.MARKOV, minutes, {Style.CLASSICAL: 1.0}, seed, **changes)


def score(n_bars=9, pitch=64, bpm=60.0):
    melody, bass, pad = [], [], []
    for bar in range(n_bars):
        onset = 16 * bar
        melody += [Note(onset + 4 * beat, 6, pitch + (0, 3, 5, 3)[beat], 50) for beat in range(4)]
        bass.append(Note(onset, 16, 45, 44))
        pad += [Note(onset, 16, tone, 40) for tone in (57, 60, 64)]
    return Score(
        (
            Part(Role.MELODY, 0, tuple(melody)),
            Part(Role.BASS, 32, tuple(bass)),
            Part(Role.PAD, 89, tuple(pad)),
        ),
        (TempoMark(0, bpm),),
    )


def rendered(tmp_path, a_score=None, a_brief=None, **options):
    return render_score(
        a_score or score(),
        a_brief or brief(),
        release="by-hand",
        directory=tmp_path,
        stem="night",
        **options,
    )


@pytest.fixture
def small_disk():
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_brief_becomes_one_finished_file_and_its_midi(tmp_path):
    steps = []
    result = render(
        brief(instrument=Instrument.HARP),
        directory=tmp_path,
        stem="night",
        progress=lambda fraction, stage: steps.append((fraction, stage)),
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["night.mid", "night.mp3"]
    assert result.audio_sha256 == sha256(result.audio_path)
    assert result.midi_sha256 == sha256(result.midi_path)
    assert result.duration_s == 30.0
    assert result.loudness_lufs == pytest.approx(-24.0, abs=0.5)
    assert result.true_peak_dbtp <= -3.0
    assert result.composer_release
    assert result.n_notes > 5
    fractions = [fraction for fraction, _ in steps]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert list(dict.fromkeys(stage for _, stage in steps)) == [
        "composing",
        "rendering",
        "checking",
    ]


def test_the_same_brief_gives_the_same_bytes_and_another_seed_others(tmp_path):
    names = ("one", "two", "three")
    results = [
        render(brief(seed=seed), directory=tmp_path, stem=name)
        for name, seed in zip(names, (3, 3, 4), strict=True)
    ]
    assert results[0].audio_sha256 == results[1].audio_sha256
    assert results[0].midi_sha256 == results[1].midi_sha256
    assert results[0].audio_sha256 != results[2].audio_sha256


def test_the_file_that_was_written_measures_what_the_rendering_says(tmp_path):
    result = rendered(tmp_path)
    samples, rate_hz = soundfile.read(result.audio_path, dtype="float32")
    assert len(samples) / rate_hz == pytest.approx(30.0, abs=0.06)
    meter = LoudnessMeter(SAMPLE_RATE_HZ)
    meter.add(samples)
    assert meter.integrated() == pytest.approx(result.loudness_lufs, abs=0.1)
    assert meter.true_peak_dbtp() == pytest.approx(result.true_peak_dbtp, abs=0.3)
    assert np.abs(samples[-SAMPLE_RATE_HZ:]).max() < 10 ** (-70 / 20)
    assert np.abs(samples[: SAMPLE_RATE_HZ // 10]).max() < 0.01


def test_quality_and_features_are_stored_as_plain_values(tmp_path):
    result = rendered(tmp_path)
    rows = {row["item"]: row for row in result.quality["rows"]}
    assert all(rows[item]["passed"] for item in HARD_ITEMS)
    assert result.quality["profile"] == "sleep-45/v1"
    assert result.features["tempo_mean_bpm"] == pytest.approx(60.0)
    assert result.features["notes_per_minute"] == pytest.approx(8 * 60 / 4, rel=0.1)
    assert all(type(value) is float for value in result.features.values())


def test_a_longer_score_is_cut_with_its_fade_complete(tmp_path):
    result = rendered(tmp_path, score(n_bars=20))
    assert result.duration_s == 30.0
    samples, _ = soundfile.read(result.audio_path, dtype="float32")
    levels = np.abs(samples).max(axis=1)
    assert levels[20 * SAMPLE_RATE_HZ : 22 * SAMPLE_RATE_HZ].max() > 0.02
    assert levels[27 * SAMPLE_RATE_HZ : 28 * SAMPLE_RATE_HZ].max() < 0.01


@pytest.mark.parametrize(
    ("a_score", "message"),
    [
        (Score((Part(Role.MELODY, 0, ()),), (TempoMark(0, 60.0),)), "at least one note"),
        (score(pitch=112), "pitches between 21 and 108"),
        (score(n_bars=3), "Compose more bars"),
    ],
)
def test_a_score_that_cannot_be_played_is_refused_and_leaves_nothing(tmp_path, a_score, message):
    with pytest.raises(SynthesisError, match=message):
        rendered(tmp_path, a_score)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("when", [0.0, 0.31, 0.6, 1.0])
def test_a_cancelled_rendering_leaves_nothing(tmp_path, when):
    def stop(fraction, _stage):
        if fraction >= when:
            raise RenderCancelled("the lease was lost")

    with pytest.raises(RenderCancelled):
        render(brief(), directory=tmp_path, stem="night", progress=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [50, 100_000])
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, small_disk, size):
    small_disk(size)
    with pytest.raises(SynthesisError, match="Free disk space"):
        rendered(tmp_path)
    small_disk(resource.RLIM_INFINITY)
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_file_stays_until_the_new_one_is_complete(tmp_path):
    (tmp_path / "night.mp3").write_bytes(b"the old one")

    def stop(fraction, _stage):
        if fraction == 1.0:
            raise RenderCancelled("too late")

    with pytest.raises(RenderCancelled):
        rendered(tmp_path, progress=stop)
    assert (tmp_path / "night.mp3").read_bytes() == b"the old one"
    result = rendered(tmp_path)
    assert sha256(tmp_path / "night.mp3") == result.audio_sha256


def test_what_a_killed_rendering_left_is_swept_away_but_a_living_one_is_not_disturbed(tmp_path):
    dead, living = tmp_path / "night.dead.part.pcm", tmp_path / "night.live.part.pcm"
    other = tmp_path / "nightfall.dead.part.pcm"
    for path in (dead, living, other):
        path.write_bytes(b"unfinished")
    for path in (dead, other):
        os.utime(path, (0, 0))
    rendered(tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"night.mid", "night.mp3", living.name, other.name}


def test_a_missing_directory_is_told(tmp_path):
    with pytest.raises(SynthesisError, match=r"a directory to write night\.mp3 into was expected"):
        rendered(tmp_path / "missing")
