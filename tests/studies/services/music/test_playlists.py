from dataclasses import replace
from datetime import datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from generator.engine.brief import ComposerName
from generator.models.playlist import Playlist, PlaylistState
from studies import clock
from studies.design.parts import ArmPlan
from studies.design.protocol import four_arms
from studies.exceptions import NightUnknown, NoMusicInThisArm, NotInTreatment
from studies.models.listening import PlaylistAssignment
from studies.models.participant import Participant
from studies.models.study import ArmKind
from studies.services.allocation import arm_kind_of, arm_of
from studies.services.conduct.withdrawal import withdraw_participant
from studies.services.music.briefs import brief_of
from studies.services.music.playlists import (
    NightCoverage,
    assign_mix,
    coverage_tonight,
    request_tonight,
)
from studies.services.music.preferences import state_preferences
from studies.services.music.tastes import default_taste
from studies.services.music.upkeep import drop_past_nights, request_due
from studies.services.trail.audit import SYSTEM
from studies.services.treatment import tonight
from tests.factories import make_participant, make_study
from tests.studies.services.evenings import make_ready, someone_with

pytestmark = pytest.mark.django_db


def test_tonight_is_one_mix_however_often_it_is_asked_for() -> None:
    participant = someone_with(ArmKind.MUSIC)
    night = request_tonight(participant=participant)
    assert request_tonight(participant=participant) == night
    assert Playlist.objects.count() == PlaylistAssignment.objects.count() == 1
    assert night.night_on == tonight(participant)


def test_the_brief_follows_arm_protocol_and_taste() -> None:
    participant = someone_with(ArmKind.MUSIC, study=make_study(night_minutes=7))
    state_preferences(
        participant=participant,
        styles={"jazz": 1},
        instrument="harp",
        tempo_bpm=52,
        mode="minor",
        bed="rain",
    )
    brief = request_tonight(participant=participant).playlist.brief
    assert brief["composer"] == arm_of(participant).composer
    assert (brief["minutes"], brief["styles"], brief["instrument"]) == (7.0, {"jazz": 1.0}, "harp")
    assert (brief["tempo_bpm"], brief["mode"], brief["bed"]) == (52.0, "minor", "rain")


def test_a_fifth_arm_may_fuse_the_listeners_styles() -> None:
    plan = four_arms(1)
    arms = (*plan.arms, ArmPlan("FUSION", "music", "fusion"))
    study = make_study(protocol=replace(plan, arms=arms, block_sizes=(10,)))
    arm = study.arms.get(code="FUSION")
    brief = brief_of(study=study, arm=arm, taste=default_taste(study.plan.music), key="7" * 32)
    assert brief.composer is ComposerName.FUSION


def test_without_a_stated_taste_there_is_a_default() -> None:
    brief = request_tonight(participant=someone_with(ArmKind.MUSIC)).playlist.brief
    assert brief["composer"] in set(ComposerName)
    assert sum(brief["styles"].values()) == 1
    assert brief["bed"] == "none"


def test_tonights_coverage_counts_ready_mixes_of_those_who_get_music() -> None:
    first, second = someone_with(ArmKind.MUSIC), someone_with(ArmKind.MUSIC)
    someone_with(ArmKind.CBT)
    # Chance may have allocated others on the way to these three.
    n = sum(arm_kind_of(p) == ArmKind.MUSIC for p in Participant.objects.all())
    assert coverage_tonight() == NightCoverage(n_expected=n, n_ready=0)
    night = request_tonight(participant=first)
    request_tonight(participant=second)
    make_ready(night.playlist)
    assert coverage_tonight() == NightCoverage(n_expected=n, n_ready=1)
    with clock.at(clock.now() + timedelta(days=1)):
        assert coverage_tonight() == NightCoverage(n_expected=n, n_ready=0)


def test_the_next_evening_is_another_mix() -> None:
    participant = someone_with(ArmKind.MUSIC)
    first = request_tonight(participant=participant)
    with clock.at(clock.now() + timedelta(days=1)):
        second = request_tonight(participant=participant)
    assert second.playlist.brief["seed"] != first.playlist.brief["seed"]


def test_the_generators_key_names_neither_participant_nor_arm() -> None:
    participant = someone_with(ArmKind.MUSIC)
    playlist = request_tonight(participant=participant).playlist
    assert participant.code not in playlist.key
    assert arm_of(participant).composer not in playlist.key


def test_lessons_have_no_music_and_nobody_else_has_a_night() -> None:
    with pytest.raises(NoMusicInThisArm):
        request_tonight(participant=someone_with(ArmKind.CBT))
    with pytest.raises(NotInTreatment, match="baseline_done"):
        request_tonight(participant=make_participant("baseline_done"))


@pytest.mark.usefixtures("broker_is_down")
def test_a_broker_that_is_down_costs_nothing(
    django_capture_on_commit_callbacks: object,
) -> None:
    participant = someone_with(ArmKind.MUSIC)
    with django_capture_on_commit_callbacks(execute=True):
        night = request_tonight(participant=participant)
    night.playlist.refresh_from_db()
    assert night.playlist.state == PlaylistState.QUEUED


def test_a_failed_mix_is_asked_for_again() -> None:
    participant = someone_with(ArmKind.MUSIC)
    night = request_tonight(participant=participant)
    Playlist.objects.update(state=PlaylistState.FAILED, finished_at=timezone.now())
    assert request_tonight(participant=participant) == night
    assert Playlist.objects.get().state == PlaylistState.QUEUED


def test_music_is_asked_for_ahead_once_for_everybody_who_gets_some() -> None:
    study = make_study()
    people = [make_participant("allocated", study=study) for _ in range(8)]
    n_music = sum(arm_of(person).kind == ArmKind.MUSIC for person in people)
    assert (request_due(), request_due()) == (3 * n_music, 0)
    with clock.at(clock.now() + timedelta(days=1)):
        assert request_due() == n_music


def test_what_waits_for_a_night_that_is_over_is_dropped_and_nothing_else() -> None:
    participant = someone_with(ArmKind.MUSIC)
    request_due()
    first, second, third = participant.nights.order_by("night_on")
    assert drop_past_nights() == 0
    now = timezone.now()
    Playlist.objects.filter(pk=second.playlist_id).update(
        state=PlaylistState.RENDERING, lease=uuid4(), lease_until=now + timedelta(hours=1)
    )
    noon = datetime.combine(third.night_on, time(12), ZoneInfo(participant.zone))
    with clock.at(noon - timedelta(days=1, seconds=1)):
        assert drop_past_nights() == 0
    with clock.at(noon):
        assert (drop_past_nights(), drop_past_nights()) == (1, 0)
    states = Playlist.objects.in_bulk([night.playlist_id for night in (first, second, third)])
    assert [states[night.playlist_id].state for night in (first, second, third)] == [
        PlaylistState.CANCELLED,
        PlaylistState.RENDERING,
        PlaylistState.QUEUED,
    ]


def test_who_stopped_the_music_gets_none_and_the_queue_forgets_theirs() -> None:
    participant = someone_with(ArmKind.MUSIC)
    request_tonight(participant=participant)
    withdraw_participant(participant=participant, scope="intervention", reason="", actor=SYSTEM)
    assert Playlist.objects.get().state == PlaylistState.CANCELLED
    with pytest.raises(NotInTreatment):
        request_tonight(participant=participant)
    with clock.at(clock.now() + timedelta(days=1)):
        request_due()
    assert not participant.nights.filter(playlist__state=PlaylistState.QUEUED).exists()


def test_a_finished_mix_of_the_same_composer_can_stand_in_and_no_other() -> None:
    participant = someone_with(ArmKind.MUSIC)
    playlist = request_tonight(participant=participant).playlist
    with clock.at(clock.now() + timedelta(days=1)):
        with pytest.raises(NightUnknown):
            assign_mix(participant=participant, playlist=playlist)
        make_ready(playlist)
        night = assign_mix(participant=participant, playlist=playlist)
        assert assign_mix(participant=participant, playlist=playlist) == night
    others = {name.value for name in ComposerName} - {playlist.brief["composer"]}
    playlist.brief["composer"] = others.pop()
    with clock.at(clock.now() + timedelta(days=2)), pytest.raises(NightUnknown):
        assign_mix(participant=participant, playlist=playlist)
