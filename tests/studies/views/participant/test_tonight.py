import json
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from generator.engine.score.midi import write_midi
from generator.engine.score.notes import Note, Part, Role, Score, TempoMark
from generator.models.playlist import FailureCode, Playlist, PlaylistState, Track
from generator.services.rendering import claim
from generator.services.storage import nights
from studies import clock
from studies.models.listening import ListeningSession, PlaylistAssignment, PoolMix
from studies.services.allocation import arm_of
from studies.services.music.listening import record_listening
from studies.services.music.playlists import request_tonight
from studies.services.music.pool import fill_pools
from tests.factories import make_participant
from tests.studies.views.browsers import learner, listener, phone_of

pytestmark = pytest.mark.django_db

AUDIO = bytes(range(256)) * 40
NONSENSE = ("", "x", "[]", "[[5, 2]]", "[[0, null]]", "[[0]]", "{}", "[[0, 1e999]]", "[[-1, 2]]")


def publish(night: PlaylistAssignment) -> Track:
    """Put a finished file in place of the worker's."""
    name = f"{uuid.uuid4().hex}.mp3"
    (nights() / name).write_bytes(AUDIO)
    Playlist.objects.filter(pk=night.playlist_id).update(
        state=PlaylistState.READY, progress=1.0, finished_at=timezone.now()
    )
    return Track.objects.create(
        playlist=night.playlist,
        audio_name=name,
        midi_name=name.replace("mp3", "mid"),
        audio_sha256=uuid.uuid4().hex * 2,
        midi_sha256=uuid.uuid4().hex * 2,
        duration_s=60.0,
        loudness_lufs=-23.0,
        true_peak_dbtp=-3.0,
        n_notes=10,
        composer_release="test",
        renderer="test",
        published_at=timezone.now(),
    )


def test_the_first_look_asks_for_tonights_mix_once_and_shows_how_far_it_is():
    participant = listener()
    client = phone_of(participant)
    pages = [client.get("/me/tonight/").content.decode() for _ in range(2)]
    assert PlaylistAssignment.objects.filter(participant=participant).count() == 1
    assert "Your music is next in line" in pages[1]
    assert '<noscript><meta http-equiv="refresh"' in pages[1]
    assert 'data-theme="night"' in pages[1]
    assert '<meta name="color-scheme" content="dark">' in pages[1]


def test_the_status_tells_stage_and_share_and_nothing_else():
    participant = listener()
    client = phone_of(participant)
    night = request_tonight(participant=participant)
    night.playlist.lease, night.playlist.lease_until = uuid.uuid4(), timezone.now()
    night.playlist.state, night.playlist.progress = PlaylistState.COMPOSING, 0.25
    night.playlist.started_at = timezone.now()
    night.playlist.save()
    answer = client.get("/me/tonight/status").json()
    assert set(answer) == {"percent", "stage", "remaining", "is_final"}
    assert (answer["percent"], answer["is_final"]) == (25, False)
    assert answer["stage"] == "Writing the notes"


def test_no_status_before_anything_was_asked_for():
    assert phone_of(listener()).get("/me/tonight/status").status_code == 404


def test_a_finished_mix_has_one_player_that_works_without_scripts():
    participant = listener()
    track = publish(request_tonight(participant=participant))
    page = phone_of(participant).get("/me/tonight/").content.decode()
    assert page.count("<audio controls") == 1
    assert f'src="/me/tonight/audio/{track.pk}/"' in page
    assert "It fades out by itself. You can lock your phone." in page
    assert 'data-lost="No connection at the moment"' in page


def test_the_audio_comes_in_ranges_to_its_listener_alone():
    participant = listener()
    track = publish(request_tonight(participant=participant))
    address = f"/me/tonight/audio/{track.pk}/"
    client = phone_of(participant)
    part = client.get(address, headers={"range": "bytes=0-99"})
    assert (part.status_code, part["Content-Range"]) == (206, f"bytes 0-99/{len(AUDIO)}")
    assert part.content == AUDIO[:100]
    assert client.head(address).status_code == 200
    stranger = phone_of(listener())
    assert stranger.get(address).status_code == 404


def test_minutes_heard_are_a_union_and_a_replay_changes_nothing():
    participant = listener()
    night = request_tonight(participant=participant)
    publish(night)
    client = phone_of(participant)
    report = {
        "night": night.pk,
        "client_id": str(uuid.uuid4()),
        "intervals": json.dumps([[0, 20], [10, 35]]),
    }
    assert [client.post("/me/tonight/heard", report).status_code for _ in range(2)] == [204, 204]
    assert ListeningSession.objects.get().heard_s == 35.0


def test_every_page_sends_what_was_heard_without_a_connection():
    client = phone_of(listener())
    for path in ("/me/tonight/", "/me/music/"):
        assert "studies/heard.js" in client.get(path).content.decode(), path


def test_a_report_that_makes_no_sense_is_refused():
    participant = listener()
    night = request_tonight(participant=participant)
    publish(night)
    client = phone_of(participant)
    for intervals in NONSENSE:
        report = {"night": night.pk, "client_id": str(uuid.uuid4()), "intervals": intervals}
        assert client.post("/me/tonight/heard", report).status_code == 400, intervals
    assert not ListeningSession.objects.exists()


def test_nobody_reports_for_somebody_elses_night():
    night = request_tonight(participant=listener())
    publish(night)
    report = {"night": night.pk, "client_id": str(uuid.uuid4()), "intervals": "[[0, 5]]"}
    assert phone_of(listener()).post("/me/tonight/heard", report).status_code == 404


def test_a_mix_that_failed_is_asked_for_again_by_a_button_only():
    participant = listener()
    night = request_tonight(participant=participant)
    failed = Playlist.objects.filter(pk=night.playlist_id)
    failed.update(
        state=PlaylistState.FAILED,
        finished_at=timezone.now(),
        failure_code=FailureCode.MEMORY,
        failure="out of memory",
    )
    client = phone_of(participant)
    page = client.get("/me/tonight/").content.decode()
    assert "did not work out" in page
    assert "memory" not in page
    assert failed.get().state == PlaylistState.FAILED
    assert client.post("/me/tonight/again/").url == "/me/tonight/"
    assert failed.get().state == PlaylistState.QUEUED


def test_the_page_works_while_the_broker_is_down(broker_is_down):
    page = phone_of(listener()).get("/me/tonight/")
    assert page.status_code == 200
    assert "Your music is next in line" in page.content.decode()


def test_those_who_learn_skills_are_led_to_their_lessons():
    assert phone_of(learner()).get("/me/tonight/").url == "/me/lessons/"


def test_nobody_hears_music_before_they_are_in_a_group():
    assert phone_of(make_participant("consented")).get("/me/tonight/").url == "/me/"


def allow(participant, *forms):
    """Let the protocol allow these downloads."""
    study = participant.study
    study.protocol["music"] = {"downloads": list(forms)}
    study.save(update_fields=["protocol"])


def with_notes(night: PlaylistAssignment) -> Track:
    """Publish a night with a MIDI file that can be read, and a volume check."""
    track = publish(night)
    melody = Part(Role.MELODY, 0, (Note(0, 4, 60, 64), Note(4, 8, 64, 64)))
    write_midi(Score((melody,), (TempoMark(0, 60.0),)), nights() / track.midi_name)
    track.check_name = f"{track.pk.hex}.check.mp3"
    track.save()
    (nights() / track.check_name).write_bytes(AUDIO[:100])
    return track


def test_music_may_be_kept_in_the_forms_that_the_protocol_allows():
    participant = listener()
    allow(participant, "mp3", "midi", "musicxml")
    night = request_tonight(participant=participant)
    track = with_notes(night)
    client = phone_of(participant)
    assert "Sheet music (MusicXML)" in client.get("/me/tonight/").content.decode()
    for form, suffix, kind in (
        ("mp3", "mp3", "audio/mpeg"),
        ("midi", "mid", "audio/midi"),
        ("musicxml", "musicxml", "application/vnd.recordare.musicxml+xml"),
    ):
        answer = client.get(f"/me/tonight/keep/{track.pk}/{form}/")
        assert answer.status_code == 200
        assert answer["Content-Type"] == kind
        name = f"music-{night.night_on}.{suffix}"
        assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert body
    assert body.count(b"<pitch>") == 2


def test_nothing_may_be_kept_unless_the_protocol_says_so():
    participant = listener()
    track = with_notes(request_tonight(participant=participant))
    client = phone_of(participant)
    assert "Keep this music" not in client.get("/me/tonight/").content.decode()
    for form in ("mp3", "midi", "musicxml", "wav"):
        assert client.get(f"/me/tonight/keep/{track.pk}/{form}/").status_code == 404
    allow(participant, "mp3")
    assert client.get(f"/me/tonight/keep/{track.pk}/mp3/").status_code == 200
    assert client.get(f"/me/tonight/keep/{track.pk}/midi/").status_code == 404


def test_another_persons_music_does_not_exist_in_any_form():
    participant = listener()
    allow(participant, "mp3", "midi", "musicxml")
    track = with_notes(request_tonight(participant=participant))
    stranger = phone_of(listener())
    for form in ("mp3", "midi", "musicxml"):
        assert stranger.get(f"/me/tonight/keep/{track.pk}/{form}/").status_code == 404
    assert stranger.get(f"/me/tonight/volume/{track.pk}/").status_code == 404


def test_notes_that_are_gone_are_not_found():
    participant = listener()
    allow(participant, "midi", "musicxml")
    track = publish(request_tonight(participant=participant))
    client = phone_of(participant)
    for form in ("midi", "musicxml"):
        assert client.get(f"/me/tonight/keep/{track.pk}/{form}/").status_code == 404


def test_the_volume_can_be_tried_where_there_is_a_piece_for_it():
    participant = listener()
    night = request_tonight(participant=participant)
    track = publish(night)
    client = phone_of(participant)
    assert "Try the volume" not in client.get("/me/tonight/").content.decode()
    assert client.get(f"/me/tonight/volume/{track.pk}/").status_code == 404
    track.check_name = "a.check.mp3"
    track.save()
    (nights() / "a.check.mp3").write_bytes(AUDIO[:100])
    assert "Try the volume" in client.get("/me/tonight/").content.decode()
    part = client.get(f"/me/tonight/volume/{track.pk}/", headers={"Range": "bytes=0-1"})
    assert (part.status_code, part.content) == (206, AUDIO[:2])


def heard_night(participant) -> PlaylistAssignment:
    night = request_tonight(participant=participant)
    publish(night)
    record_listening(
        participant=participant, night_id=night.pk, client_id=uuid.uuid4(), intervals=[[0, 30]]
    )
    return night


def test_a_night_is_rated_the_evening_after_it_was_heard():
    participant = listener()
    client = phone_of(participant)
    night = heard_night(participant)
    assert "Never again" not in client.get("/me/tonight/").content.decode()
    with clock.at(clock.now() + timedelta(days=1)):
        client = phone_of(participant)
        page = client.get("/me/tonight/").content.decode()
        assert "Never again" in page
        assert "rating.js" not in page
        publish(request_tonight(participant=participant))
        assert "rating.js" in client.get("/me/tonight/").content.decode()
        answer = client.post("/me/tonight/rate/", {"night_on": night.night_on, "rating": "liked"})
        assert answer["Location"] == "/me/tonight/"
        page = client.get("/me/tonight/").content.decode()
        assert 'value="liked" aria-pressed="true"' in page


def test_a_rating_that_was_given_in_the_morning_leads_back_there():
    participant = listener()
    client = phone_of(participant)
    night = heard_night(participant)
    back = {"night_on": night.night_on, "rating": "calming", "back": "morning"}
    answer = client.post("/me/tonight/rate/", back)
    morning = night.night_on + timedelta(days=1)
    assert answer["Location"] == f"/me/morning/{morning}/check/"


def test_only_a_heard_night_of_ones_own_can_be_rated():
    participant = listener()
    night = heard_night(participant)
    stranger = phone_of(listener())
    said = {"night_on": night.night_on, "rating": "liked"}
    assert stranger.post("/me/tonight/rate/", said).status_code == 404
    for wrong in ({"rating": "liked"}, {**said, "rating": "x"}, {**said, "night_on": "soon"}):
        assert phone_of(participant).post("/me/tonight/rate/", wrong).status_code == 400
    assert phone_of(participant).get("/me/tonight/rate/").status_code == 405


def test_at_bedtime_a_mix_of_the_pool_looks_and_sounds_like_any_other():
    participant = listener()
    client = phone_of(participant)
    night = request_tonight(participant=participant)
    fill_pools()
    mix = PoolMix.objects.get(arm=arm_of(participant), position=0)
    night.playlist, own = mix.playlist, night.playlist
    track = publish(night)
    Playlist.objects.filter(pk=own.pk).update(
        state=PlaylistState.FAILED, finished_at=timezone.now()
    )
    page = client.get("/me/tonight/").content.decode()
    assert str(track.pk) in page
    assert "did not work out" not in page
    assert "pool" not in page
    answer = client.get(f"/me/tonight/audio/{track.pk}/")
    assert answer["Content-Disposition"] == 'inline; filename="music.mp3"'
    assert participant.nights.get().is_from_pool


def test_whoever_opens_the_page_waits_behind_those_who_wait_and_before_what_is_prepared():
    participant = listener()
    fill_pools()
    Playlist.objects.update(wanted_by=None)
    client = phone_of(participant)
    assert "Your music is next in line" in client.get("/me/tonight/").content.decode()
    night = participant.nights.get()
    since = night.playlist.awaited_since
    assert Playlist.objects.due(timezone.now()).first() == night.playlist
    client.get("/me/tonight/status")
    client.get("/me/tonight/")
    assert Playlist.objects.get(pk=night.playlist_id).awaited_since == since
    others = Playlist.objects.exclude(pk=night.playlist_id)
    others.update(awaited_since=since - timedelta(seconds=9))
    assert "Your music is in the queue" in client.get("/me/tonight/").content.decode()


def test_the_page_leaves_a_mix_that_is_in_work_alone():
    participant = listener()
    night = request_tonight(participant=participant)
    claim(worker="w1@here", playlist_id=night.playlist_id)
    page = phone_of(participant).get("/me/tonight/").content.decode()
    assert "Writing the notes" in page
    assert Playlist.objects.get().awaited_since is None
