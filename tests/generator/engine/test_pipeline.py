import json
import os
import resource
from dataclasses import asdict, replace

import numpy as np
import pytest
import soundfile

from generator.engine.audio.encoders import built_in
from generator.engine.audio.encoding import mp3_duration_s, sha256
from generator.engine.audio.loudness import LoudnessMeter
from generator.engine.audio.mastered import Mastered
from generator.engine.audio.profile import SAMPLE_RATE_HZ
from generator.engine.audio.quality import PREVIEW_ITEMS
from generator.engine.audio.refusals import PinUnmet, UnfitMusic
from generator.engine.audio.renderers import BuiltInRenderer
from generator.engine.brief import Bed, Brief, ComposerName, Instrument, Style
from generator.engine.composers.engines import Engine, engine_name
from generator.engine.composers.gate import MAX_GRADED_DRAWS
from generator.engine.composers.releases import composers_name
from generator.engine.errors import (
    ComposersUnmet,
    EngineUnavailable,
    RenderCancelled,
    SynthesisError,
)
from generator.engine.networks import onnx_graph
from generator.engine.pipeline import (
    MAX_DRAWS,
    drawn_seed,
    encode,
    first_fit,
    master,
    render,
    render_score,
)
from generator.engine.score.notes import Note, Part, Role, Score, TempoMark

SPECTRUM = {
    "centroid_hz",
    "rolloff85_hz",
    "brightness_share_1500_hz",
    "above_4000_hz_db",
    "above_8000_hz_db",
    "tilt_db_per_octave",
}


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
    names = ["night.check.mp3", "night.mid", "night.mp3"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert result.audio_sha256 == sha256(result.audio_path)
    assert result.check_path.name == "night.check.mp3"
    assert mp3_duration_s(result.check_path) == pytest.approx(20.7, abs=0.1)
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


@pytest.mark.skipif(
    onnx_graph.onnxruntime is None, reason="the extra 'fast' (onnx, onnxruntime) is not installed"
)
def test_what_is_pinned_to_int8_is_composed_by_it_and_the_same_pin_gives_the_same_bytes(tmp_path):
    pin = replace(BuiltInRenderer().pin, engine=engine_name(Engine.INT8))
    pinned = replace(brief(pin=pin), composer=ComposerName.LSTM_ACM)
    one, again = (render(pinned, directory=tmp_path, stem=stem) for stem in ("one", "again"))
    assert (one.audio_sha256, one.midi_sha256) == (again.audio_sha256, again.midi_sha256)
    assert one.composer_release.endswith("+int8")
    assert one.pin["engine"] == pin.engine


def test_an_engine_that_is_not_there_is_refused_for_every_composer(tmp_path):
    pin = replace(BuiltInRenderer().pin, engine="int8 onnxruntime 0")
    for composer in ComposerName:
        with pytest.raises(EngineUnavailable, match="pinned engine int8 onnxruntime 0"):
            render(replace(brief(pin=pin), composer=composer), directory=tmp_path, stem="night")
    assert list(tmp_path.iterdir()) == []


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
    assert all(rows[item]["passed"] for item in PREVIEW_ITEMS)
    assert result.quality["profile"] == "sleep-0.5/v1"
    assert result.features["tempo_mean_bpm"] == pytest.approx(60.0)
    assert result.features["notes_per_minute"] == pytest.approx(8 * 60 / 4, rel=0.1)
    assert len(result.quality["loudness_curve_lufs"]) == 1
    assert all(type(value) is float for value in result.features.values())


def test_a_rendering_says_how_usual_its_melody_is(tmp_path):
    result = render(brief(minutes=1.0), directory=tmp_path, stem="night")
    said = result.quality["typicality"]
    assert set(said) == {"grade", "typicality", "draws"}
    assert 1 <= len(said["draws"]) <= MAX_GRADED_DRAWS
    assert said["typicality"] in said["draws"]


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


def handed_over(tmp_path, a_brief):
    """Master here, then go on from the plain facts and the files, as another process does."""
    done = master(a_brief, directory=tmp_path, stem="first")
    facts = json.loads(json.dumps(done.facts()))
    return Mastered.with_files(facts, scratch_path=done.scratch_path, midi_path=done.midi_path)


def test_a_night_mastered_here_and_encoded_there_is_the_same_to_the_byte(tmp_path):
    whole = render(brief(), directory=tmp_path, stem="night")
    mastered = handed_over(tmp_path, brief())
    assert (mastered.scratch_path.name, mastered.midi_path.name) == (
        "first.master.pcm",
        "first.master.mid",
    )
    steps = []
    encoded = encode(
        mastered,
        brief(),
        directory=tmp_path,
        stem="second",
        progress=lambda fraction, stage: steps.append((fraction, stage)),
    )
    assert encoded.audio_path.name == "second.mp3"
    paths = {"audio_path": None, "midi_path": None, "check_path": None}
    assert replace(encoded, **paths) == replace(whole, **paths)
    assert sha256(encoded.check_path) == sha256(whole.check_path)
    assert steps[0][0] > 0.5
    assert steps[-1] == (1.0, "checking")


def test_a_mastered_night_that_was_cut_short_or_lost_is_told_and_leaves_nothing(tmp_path):
    mastered = handed_over(tmp_path, brief())
    os.truncate(mastered.scratch_path, 600)
    before = set(tmp_path.iterdir())
    with pytest.raises(SynthesisError, match=r"1323000 mastered samples .* got 100 and some"):
        encode(mastered, brief(), directory=tmp_path, stem="second")
    mastered.scratch_path.unlink()
    with pytest.raises(SynthesisError, match=r"got 0 and some\. Render the night again"):
        encode(mastered, brief(), directory=tmp_path, stem="second")
    assert set(tmp_path.iterdir()) == before - {mastered.scratch_path}


def test_a_disk_that_fills_up_while_encoding_leaves_the_mastered_night(tmp_path, small_disk):
    mastered = handed_over(tmp_path, brief())
    before = set(tmp_path.iterdir())
    small_disk(100_000)
    with pytest.raises(SynthesisError, match=r"\.part\.mp3 was expected .* Free disk space"):
        encode(mastered, brief(), directory=tmp_path, stem="second")
    small_disk(resource.RLIM_INFINITY)
    assert set(tmp_path.iterdir()) == before


def test_facts_of_another_version_are_told(tmp_path):
    with pytest.raises(SynthesisError, match="Render the night again"):
        Mastered.with_files({"gain": 1.0}, scratch_path=tmp_path, midi_path=tmp_path)


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
    assert names == {"night.mid", "night.mp3", "night.check.mp3", living.name, other.name}


def test_a_missing_directory_is_told(tmp_path):
    with pytest.raises(SynthesisError, match=r"a directory to write night\.mp3 into was expected"):
        rendered(tmp_path / "missing")


def unfit(item):
    return UnfitMusic([{"item": item, "value": 9.0, "limit": "<= 5", "passed": False}])


def test_unfit_music_is_drawn_again_with_seeds_that_follow_from_the_briefs_own(tmp_path):
    asked = []

    def draw(drawn):
        asked.append(drawn.seed)
        if len(asked) < 3:
            raise unfit(f"line_{len(asked)}")
        return Mastered(tmp_path, tmp_path, 0.0, False, -24.0, -6.0, 1, "r", "x")

    result = first_fit(brief(seed=7), draw)
    assert asked == [7, drawn_seed(7, 1), drawn_seed(7, 2)]
    assert len(set(asked)) == 3
    assert all(0 <= seed < 2**63 for seed in asked)
    assert result.quality["seed"] == asked[2]
    assert [draw["seed"] for draw in result.quality["draws"]] == asked[:2]
    assert result.quality["draws"][1]["failed"][0]["item"] == "line_2"


def test_music_that_never_passes_is_refused_with_the_lines_that_failed():
    asked = []

    def draw(drawn):
        asked.append(drawn)
        raise unfit("local_jump_lu")

    with pytest.raises(UnfitMusic, match=r"got in 6 draws none: local_jump_lu <= 5, got 9\.0"):
        first_fit(brief(), draw)
    assert len(asked) == MAX_DRAWS == 6


def test_a_night_that_fails_a_line_of_the_notes_is_refused_before_a_sample_is_made(tmp_path):
    steps = []
    looping = score(n_bars=230)
    with pytest.raises(UnfitMusic, match=r"phrase_8_in_10_min <= 3, got 56"):
        rendered(
            tmp_path,
            looping,
            brief(minutes=15),
            progress=lambda _fraction, stage: steps.append(stage),
        )
    assert steps == []
    assert list(tmp_path.iterdir()) == []


def test_the_rendering_says_what_it_was_rendered_with(tmp_path):
    pin = BuiltInRenderer().pin
    pinned = rendered(tmp_path, a_brief=brief(pin=pin))
    used = replace(pin, encoder=built_in().name, composers=composers_name())
    assert pinned.pin == asdict(used)
    assert pinned.audio_sha256 == rendered(tmp_path).audio_sha256


def test_a_rendering_keeps_the_engine_that_its_brief_pins(tmp_path):
    pin = replace(BuiltInRenderer().pin, engine="int8 onnxruntime 1.2.3")
    assert rendered(tmp_path, a_brief=brief(pin=pin)).pin["engine"] == pin.engine


def test_a_rendering_names_the_composers_installed_also_where_none_were_pinned(tmp_path):
    for pin in (None, BuiltInRenderer().pin):
        assert rendered(tmp_path, a_brief=brief(pin=pin)).pin["composers"] == composers_name()


def test_a_night_pinned_to_other_composers_is_refused_whoever_composes_it(tmp_path):
    pin = replace(BuiltInRenderer().pin, composers="0-feed")
    for composer in ComposerName:
        with pytest.raises(ComposersUnmet, match="pinned composers 0-feed"):
            render(replace(brief(pin=pin), composer=composer), directory=tmp_path, stem="night")
    assert list(tmp_path.iterdir()) == []


def test_a_pin_that_this_machine_cannot_meet_is_refused_and_nothing_else_is_rendered(tmp_path):
    older = replace(BuiltInRenderer().pin, version="0")
    with pytest.raises(PinUnmet, match=r"version='0'.*was expected, got .*audio_doctor"):
        render(brief(pin=older), directory=tmp_path, stem="night")
    assert list(tmp_path.iterdir()) == []


def test_a_bed_changes_the_sound_within_the_profile_and_neither_its_length_nor_its_loudness(
    tmp_path,
):
    plain = rendered(tmp_path)
    size = plain.audio_path.stat().st_size
    for bed in (Bed.RAIN, Bed.WAVES):
        bedded = rendered(tmp_path, a_brief=brief(bed=bed))
        assert bedded.audio_sha256 != plain.audio_sha256
        assert bedded.loudness_lufs == pytest.approx(-24.0, abs=0.1)
        assert bedded.audio_path.stat().st_size == size
        # A preview is published whatever its spectrum; a night would not be.
        failed = {row["item"] for row in bedded.quality["rows"] if not row["passed"]}
        assert not failed & SPECTRUM


@pytest.mark.parametrize("composer", list(ComposerName))
def test_the_composers_files_cannot_be_told_apart_from_outside(tmp_path, composer):
    one = render(replace(brief(), composer=composer), directory=tmp_path, stem="a")
    reference = render(brief(), directory=tmp_path, stem="b")
    assert one.audio_path.stat().st_size == reference.audio_path.stat().st_size
    head = one.audio_path.read_bytes()[:4]
    assert head == reference.audio_path.read_bytes()[:4]
    assert not head.startswith(b"ID3")
    outside = [soundfile.info(str(r.audio_path)) for r in (one, reference)]
    facts = [(i.samplerate, i.channels, i.frames, i.format, i.subtype) for i in outside]
    assert facts[0] == facts[1]
    assert outside[0].extra_info.splitlines()[1:3] == outside[1].extra_info.splitlines()[1:3]
    with soundfile.SoundFile(one.audio_path) as file:
        assert not any(file.copy_metadata().values())
