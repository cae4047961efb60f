import hashlib
import json

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from generator.engine.audio import fluidsynth
from generator.engine.audio.encoders import built_in
from generator.engine.composers.engines import available_engines
from generator.engine.composers.releases import composers_name
from generator.models.playlist import FailureCode, Playlist, PlaylistState, WorkerHeartbeat


def told(capsys, command, **options):
    call_command(command, **options)
    return capsys.readouterr().out


def night(capsys, out, **options):
    options = {"composer": "markov", "minutes": 0.5, "seed": 3} | options
    return json.loads(told(capsys, "render_night", out=out, json=True, **options))


def test_render_night_prints_all_that_is_known_of_the_file(tmp_path, capsys):
    out = tmp_path / "new" / "night.mp3"
    facts = night(capsys, out, composer="lstm_acm", style="classical=1")
    assert facts["brief"]["composer"] == "lstm_acm"
    assert facts["brief"]["seed"] == 3
    assert facts["pin"]["renderer"] == "built-in"
    assert facts["pin"]["composers"] == composers_name()
    assert facts["audio_sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    midi = out.with_suffix(".mid")
    assert facts["midi_sha256"] == hashlib.sha256(midi.read_bytes()).hexdigest()
    assert facts["features"]["tempo_mean_bpm"] > 40
    assert facts["quality"]["profile"] == "sleep-0.5/v1"
    items = {row["item"] for row in facts["quality"]["rows"]}
    assert {"local_jump_lu", "tilt_db_per_octave", "repetition_4", "reverb_t60_s"} <= items


def test_the_same_options_give_the_same_hash_and_other_ones_another(tmp_path, capsys):
    first = night(capsys, tmp_path / "a.mp3")
    again = night(capsys, tmp_path / "b.mp3")
    rain = night(capsys, tmp_path / "c.mp3", bed="rain")
    assert first["audio_sha256"] == again["audio_sha256"]
    assert first["midi_sha256"] == again["midi_sha256"] == rain["midi_sha256"]
    assert first["audio_sha256"] != rain["audio_sha256"]
    assert first["audio_bytes"] == again["audio_bytes"] == rain["audio_bytes"]


def test_render_night_speaks_to_people_too(tmp_path, capsys):
    text = told(capsys, "render_night", composer="markov", minutes=0.5, out=tmp_path / "night.mp3")
    assert "notes by markov-" in text
    assert "passed  loudness_error_lu" in text
    assert "0 draws failed before this one" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"out": "night.wav"}, r"ends in \.mp3 was expected, got night\.wav"),
        ({"minutes": 200.0}, "minutes between"),
        ({"style": "techno"}, "Known styles"),
        ({"soundfont": "no-such-font"}, "a SoundFont like 'no-such-font' was expected"),
    ],
)
def test_render_night_says_what_is_wrong(tmp_path, options, message):
    given = {"composer": "markov", "minutes": 0.5, "out": "night.mp3"} | options
    given["out"] = tmp_path / given["out"]
    message = message.replace("got night", "got .*night")
    with pytest.raises(CommandError, match=message):
        call_command("render_night", **given)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(
    fluidsynth.library() is None,
    reason="the system has no libfluidsynth (Debian: apt-get install libfluidsynth3)",
)
def test_render_night_plays_a_soundfont_when_asked(tmp_path, capsys):
    facts = night(capsys, tmp_path / "night.mp3", soundfont="TimGM6mb")
    assert facts["pin"]["renderer"] == "fluidsynth"
    assert len(facts["pin"]["soundfont_sha256"]) == 64
    assert facts["loudness_lufs"] == pytest.approx(-24.0, abs=0.5)


def test_audio_doctor_tells_encoder_device_renderers_and_speed(capsys):
    facts = json.loads(told(capsys, "audio_doctor", json=True))
    assert facts["encoders"][0].startswith("libsndfile ")
    assert facts["n_cores"] >= 1
    assert facts["engines"] == available_engines()
    assert facts["composers"] == composers_name()
    assert facts["renderers"][0]["pin"]["renderer"] == "built-in"
    assert all(row["times_real_time"] > 1 for row in facts["renderers"])
    assert bool(facts["soundfonts"]) == bool(facts["fluidsynth"])


def test_audio_doctor_says_whether_a_machine_meets_a_pin(capsys):
    pin = json.loads(told(capsys, "audio_doctor", json=True))["renderers"][0]["pin"]
    assert pin["encoder"] == built_in().name
    assert "meets the pin" in told(capsys, "audio_doctor", pin=json.dumps(pin))
    with pytest.raises(CommandError, match="the pinned renderer"):
        call_command("audio_doctor", pin=json.dumps(pin | {"version": "0"}))
    with pytest.raises(CommandError, match="the pinned composers"):
        call_command("audio_doctor", pin=json.dumps(pin | {"composers": "0-feed"}))
    with pytest.raises(CommandError, match="a pin as this command prints it"):
        call_command("audio_doctor", pin="the built-in one")


def test_audio_doctor_speaks_to_people_too(capsys):
    text = told(capsys, "audio_doctor")
    assert "Encoder     libsndfile " in text
    assert "Engines     numpy" in text
    assert "Renderer    built-in" in text
    assert "x real time a core" in text


@pytest.mark.django_db
def test_render_status_of_an_empty_house(capsys):
    text = told(capsys, "render_status")
    assert "0 waiting; 0 in work; 0 failed" in text
    assert "no playlist was ever asked for" in text
    assert "none is running" in text


@pytest.mark.django_db
def test_render_status_tells_depth_age_states_workers_and_failures(capsys):
    now = timezone.now()
    Playlist.objects.create(key="a", brief={}, requested_at=now - timezone.timedelta(seconds=90))
    Playlist.objects.create(
        key="b",
        brief={},
        requested_at=now,
        finished_at=now,
        state=PlaylistState.FAILED,
        failure_code=FailureCode.QUALITY,
        attempt=1,
    )
    WorkerHeartbeat.objects.create(
        name="w1@here", seen_at=now, started_at=now, device="cpu", queues="cpu"
    )
    text = told(capsys, "render_status")
    assert "1 waiting, the oldest for 90 s; 0 in work; 1 failed" in text
    assert "1 queued, 1 failed" in text
    assert "w1@here: idle" in text
    assert "[quality] after 1 attempts: The music did not pass" in text
    facts = json.loads(told(capsys, "render_status", json=True))
    assert facts["queue"]["n_waiting"] == 1
    assert facts["queue"]["by_state"]["failed"] == 1
    assert facts["workers"][0]["device"] == "cpu"
    assert facts["failures"][0]["code"] == "quality"
