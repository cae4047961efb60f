from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from generator.models.playlist import Playlist, PlaylistState
from studies import clock
from studies.exceptions import NightUnknown, PreferenceRefused
from studies.models.audit import AuditEntry
from studies.models.listening import PlaylistAssignment
from studies.models.participant import Participant
from studies.models.study import ArmKind
from studies.services.allocation import arm_of
from studies.services.conduct.withdrawal import withdraw_participant
from studies.services.music.listening import record_listening
from studies.services.music.playlists import request_tonight, serve_tonight
from studies.services.music.pool import FIRST_REST
from studies.services.music.preferences import state_preferences
from studies.services.music.ratings import night_to_rate, rate_night
from studies.services.music.tastes import next_taste
from studies.services.music.upkeep import request_due, retry_nights, settle_nights
from studies.services.trail.audit import SYSTEM
from studies.services.treatment import tonight
from tests.factories import make_study
from tests.studies.services.evenings import make_ready, someone_with

pytestmark = pytest.mark.django_db


@pytest.fixture
def participant() -> Participant:
    return someone_with(ArmKind.MUSIC)


def hear(night: PlaylistAssignment) -> None:
    record_listening(
        participant=night.participant, night_id=night.pk, client_id=uuid4(), intervals=[[0, 20]]
    )


def nights_of(participant: Participant) -> list[PlaylistAssignment]:
    return list(participant.nights.select_related("playlist", "replacement").order_by("night_on"))


def prepared(participant: Participant, *, n_ready: int = 3) -> list[PlaylistAssignment]:
    """Return three nights asked for, the first so many ready, tonight's heard."""
    request_due()
    for night in nights_of(participant)[:n_ready]:
        make_ready(night.playlist)
    hear(nights_of(participant)[0])
    return nights_of(participant)


def like(participant: Participant, **changes: object) -> None:
    stated = {"styles": {"classical": 2, "folk": 1}, "instrument": "piano", "mode": "major"}
    state_preferences(participant=participant, **{**stated, "tempo_bpm": 58, **changes})


def test_a_night_that_was_heard_can_be_rated_and_rated_otherwise(participant):
    first = prepared(participant)[0]
    assert night_to_rate(participant) == first
    rate_night(participant=participant, night_on=first.night_on, rating="liked")
    rate_night(participant=participant, night_on=first.night_on, rating="calming")
    assert night_to_rate(participant).rating.rating == "calming"
    entries = AuditEntry.objects.filter(action="rate_night").order_by("number")
    assert [entry.old for entry in entries] == [None, {"rating": "liked"}]


def test_a_night_that_was_not_heard_cannot_be_rated(participant):
    first, second, _third = prepared(participant)
    other = someone_with(ArmKind.MUSIC, study=participant.study)
    for who, night_on in ((participant, second.night_on), (other, first.night_on)):
        with pytest.raises(NightUnknown):
            rate_night(participant=who, night_on=night_on, rating="liked")


def test_only_three_things_can_be_said(participant):
    first = prepared(participant)[0]
    with pytest.raises(PreferenceRefused, match="one of calming, liked, never_again"):
        rate_night(participant=participant, night_on=first.night_on, rating="boring")


def test_never_again_replaces_what_is_prepared_and_the_old_one_serves_until_then(participant):
    first, second, third = prepared(participant)
    before = second.playlist
    rate_night(participant=participant, night_on=first.night_on, rating="never_again")
    first, second, third = nights_of(participant)
    assert first.replacement is None, "what was heard stays as it was"
    assert second.playlist == before, "the old one serves"
    assert third.replacement.brief["instrument"] == second.replacement.brief["instrument"] == "harp"
    make_ready(second.replacement)
    settle_nights()
    second = nights_of(participant)[1]
    assert second.playlist.brief["instrument"] == "harp"
    assert (second.replacement, second.version) == (None, 2)
    assert not second.is_from_pool


def fail(playlist: Playlist, ago: timedelta) -> None:
    Playlist.objects.filter(pk=playlist.pk).update(
        state=PlaylistState.FAILED, finished_at=timezone.now() - ago
    )


def test_a_coming_night_that_failed_is_asked_for_anew_after_a_rest_that_doubles(participant):
    second = prepared(participant, n_ready=1)[1]
    fail(second.playlist, FIRST_REST / 2)
    assert retry_nights() == 0
    fail(second.playlist, FIRST_REST)
    assert (retry_nights(), retry_nights()) == (1, 0)
    again = nights_of(participant)[1]
    assert (again.version, again.playlist.state) == (2, PlaylistState.QUEUED)
    assert again.playlist.brief["seed"] != second.playlist.brief["seed"]
    fail(again.playlist, FIRST_REST)
    assert retry_nights() == 0
    fail(again.playlist, 2 * FIRST_REST)
    assert retry_nights() == 1


def test_a_replacement_that_failed_is_asked_for_anew_and_the_old_one_serves_until_then(participant):
    first, second, _third = prepared(participant)
    rate_night(participant=participant, night_on=first.night_on, rating="never_again")
    fail(nights_of(participant)[1].replacement, 2 * FIRST_REST)
    assert retry_nights() == 1
    again = nights_of(participant)[1]
    assert again.playlist == second.playlist
    assert (again.version, again.replacement.state) == (3, PlaylistState.QUEUED)
    assert AuditEntry.objects.filter(action="change_night", new__because="failed").count() == 1


def test_nobody_tries_again_for_who_stopped(participant):
    second = prepared(participant, n_ready=1)[1]
    fail(second.playlist, FIRST_REST)
    withdraw_participant(participant=participant, scope="intervention", reason="", actor=SYSTEM)
    assert retry_nights() == 0


def test_a_page_that_is_opened_first_puts_the_replacement_in_place(participant):
    first, second, _third = prepared(participant)
    rate_night(participant=participant, night_on=first.night_on, rating="never_again")
    make_ready(nights_of(participant)[1].replacement)
    with clock.at(clock.now() + timedelta(days=1)):
        served = serve_tonight(participant=participant)
    assert served.pk == second.pk
    assert served.playlist.brief["instrument"] == "harp"


def test_a_night_that_was_played_meanwhile_keeps_its_music(participant):
    first, second, _third = prepared(participant)
    rate_night(participant=participant, night_on=first.night_on, rating="never_again")
    with clock.at(clock.now() + timedelta(days=1)):
        hear(second)
        make_ready(nights_of(participant)[1].replacement)
        settle_nights()
        assert serve_tonight(participant=participant).playlist == second.playlist


def test_what_nobody_has_begun_is_asked_for_anew_at_once(participant):
    first, _second, third = prepared(participant, n_ready=1)
    rate_night(participant=participant, night_on=first.night_on, rating="never_again")
    new = nights_of(participant)[2]
    third.playlist.refresh_from_db()
    assert third.playlist.state == PlaylistState.CANCELLED
    assert new.playlist.brief["instrument"] == "harp"
    assert new.playlist.brief["seed"] != third.playlist.brief["seed"]
    assert new.playlist.wanted_by == third.playlist.wanted_by


def test_a_changed_taste_renews_what_nobody_has_begun_and_leaves_what_is_made(participant):
    _first, second, third = prepared(participant, n_ready=2)
    like(participant, instrument="harp")
    _, made, asked = nights_of(participant)
    assert (made.playlist, made.replacement) == (second.playlist, None)
    assert asked.playlist != third.playlist
    assert asked.playlist.brief["instrument"] == "harp"


def test_stating_the_same_taste_again_renews_nothing(participant):
    like(participant)
    prepared(participant, n_ready=1)
    n_before = Playlist.objects.count()
    like(participant)
    assert Playlist.objects.count() == n_before


def test_what_calmed_raises_its_style_in_the_nights_to_come(participant):
    like(participant)
    first = prepared(participant)[0]
    rate_night(participant=participant, night_on=first.night_on, rating="calming")
    assert next_taste(participant).styles["classical"] > 2 / 3
    with clock.at(clock.now() + timedelta(days=1)):
        request_due()
    assert nights_of(participant)[3].playlist.brief["styles"]["classical"] > 2 / 3


def test_all_music_arms_follow_the_same_rule():
    study, by_composer = make_study(), {}
    while len(by_composer) < 3:
        participant = someone_with(ArmKind.MUSIC, study=study)
        like(participant)
        first = prepared(participant)[0]
        rate_night(participant=participant, night_on=first.night_on, rating="never_again")
        brief = nights_of(participant)[1].replacement.brief
        by_composer[arm_of(participant).composer] = {
            name: value for name, value in brief.items() if name not in ("composer", "seed")
        }
    lstm, *others = by_composer.values()
    assert all(other == lstm for other in others)


def test_a_second_never_again_takes_the_place_of_the_first_ones_replacement(participant):
    first, second, _third = prepared(participant)
    rate_night(participant=participant, night_on=first.night_on, rating="never_again")
    replacement = nights_of(participant)[1].replacement
    like(participant, instrument="guitar")
    newest = nights_of(participant)[1].replacement
    replacement.refresh_from_db()
    assert replacement.state == PlaylistState.CANCELLED
    assert newest.brief["instrument"] == "guitar"
    assert nights_of(participant)[1].playlist == second.playlist


def test_who_stopped_gets_nothing_made_anew(participant):
    first = prepared(participant)[0]
    rate_night(participant=participant, night_on=first.night_on, rating="never_again")
    withdraw_participant(participant=participant, scope="intervention", reason="", actor=SYSTEM)
    waiting = Playlist.objects.filter(state=PlaylistState.QUEUED)
    assert not waiting.filter(pk__in=participant.nights.values("replacement")).exists()
    n_before = Playlist.objects.count()
    rate_night(participant=participant, night_on=first.night_on, rating="never_again")
    assert Playlist.objects.count() == n_before


def test_the_trail_says_that_a_night_changed_and_why(participant):
    first = prepared(participant)[0]
    rate_night(participant=participant, night_on=first.night_on, rating="never_again")
    entry = AuditEntry.objects.filter(action="change_night").first()
    assert entry.new["because"] == "never_again"
    assert arm_of(participant).composer not in str(entry.new)


def test_tonight_is_wanted_before_the_nights_after_it(participant):
    request_due()
    order = list(Playlist.objects.due(timezone.now()))
    own = [night.playlist for night in nights_of(participant)]
    assert [playlist for playlist in order if playlist in own] == own
    assert request_tonight(participant=participant).night_on == tonight(participant)
