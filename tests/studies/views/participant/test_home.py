from datetime import timedelta

import pytest
from django.urls import reverse

from generator.engine.brief import Style
from studies import clock
from studies.exceptions import StudyNotOpen
from studies.models.consent import Withdrawal
from studies.models.participant import MusicPreference, ParticipantState
from studies.services.conduct.withdrawal import withdraw_participant
from studies.services.protocol.setup import close_study
from studies.services.trail.audit import SYSTEM
from tests.factories import decide, make_participant, make_study
from tests.studies.views.browsers import listener, phone_of, short_plan

pytestmark = pytest.mark.django_db

TASTE = {"styles": ["folk", "jazz"], "instrument": "harp", "tempo": "slow", "mode": "major"}


def test_the_page_before_the_start_lists_what_to_do_with_one_button():
    page = phone_of(make_participant("consented")).get("/me/").content.decode()
    assert page.count('class="status due"') == 3
    assert page.count('class="button"') == 1


def test_a_taste_is_kept_as_weights_and_shown_again():
    participant = make_participant("consented")
    client = phone_of(participant)
    assert client.post("/me/music/", {**TASTE, "favourite": "jazz"}).url == "/me/"
    stated = MusicPreference.objects.get(participant=participant)
    assert stated.styles[Style.JAZZ] == pytest.approx(2 / 3)
    assert (stated.instrument, stated.tempo_bpm, stated.mode) == ("harp", 58.0, "major")
    page = client.get("/me/music/").content.decode()
    # Two styles, instrument, tempo, colour, and no bed of nature unless one is chosen.
    assert page.count(" checked") == 6
    assert '<option value="jazz" selected>' in page


def test_nothing_is_kept_of_somebody_before_they_agreed():
    participant = make_participant("invited")
    client = phone_of(participant)
    assert client.get("/me/music/").url == "/me/"
    assert client.post("/me/music/", TASTE).url == "/me/"
    assert not MusicPreference.objects.exists()


def test_a_study_that_ended_takes_nobody_in():
    participant = make_participant("invited", study=make_study(protocol=short_plan()))
    client = phone_of(participant)
    close_study(study=participant.study, actor=SYSTEM)
    assert "It takes nobody in any more" in client.get("/me/").content.decode()
    for page in ("questions", "decide", "check"):
        answer = client.post(f"/me/consent/{page}/", {"decision": "yes", "question_1": "2"})
        assert answer.url == "/me/"
    with pytest.raises(StudyNotOpen):
        decide(participant)
    assert not participant.consents.exists()
    assert not participant.visits.exists()


def test_a_bed_of_nature_may_be_chosen_and_is_shown_again():
    participant = make_participant("consented")
    client = phone_of(participant)
    client.post("/me/music/", {**TASTE, "bed": "waves"})
    assert MusicPreference.objects.get(participant=participant).bed == "waves"
    assert 'value="waves"' in client.get("/me/music/").content.decode().split(" checked")[-2]


def test_a_taste_without_music_says_what_to_do():
    client = phone_of(make_participant("consented"))
    page = client.post("/me/music/", {"tempo": "hectic"}).content.decode()
    assert "Choose at least one kind of music" in page
    assert "Choose an instrument" in page
    assert not MusicPreference.objects.exists()


def test_the_group_is_told_once_and_never_by_an_algorithm():
    client = phone_of(listener())
    assert client.get("/me/").url == "/me/group/"
    page = client.get("/me/group/").content.decode()
    assert "You are in the music group" in page
    assert "made by a computer program" in page
    assert "Music for tonight" in client.get("/me/").content.decode()


def test_nobody_is_promised_music_after_the_end():
    participant = listener()
    close_study(study=participant.study, actor=SYSTEM, reason="the sponsor ended it")
    page = phone_of(participant).get("/me/")
    assert (page.status_code, "every night" in page.content.decode().lower()) == (200, False)


def test_a_new_device_in_the_fourth_week_begins_with_today():
    participant = listener()
    with clock.at(clock.now() + timedelta(weeks=2)):
        assert phone_of(participant).get("/me/").status_code == 200


def test_nobody_without_a_group_is_told_one():
    assert phone_of(make_participant("consented")).get("/me/group/").url == "/me/"


def test_stopping_is_asked_once_more_and_then_done():
    participant = make_participant("consented")
    client = phone_of(participant)
    assert client.post("/me/stop/", {}).content.decode().count("Choose what you want to stop") == 2
    page = client.post("/me/stop/", {"scope": "contact"}).content.decode()
    assert "Check before you stop" in page
    participant.refresh_from_db()
    assert participant.state == ParticipantState.CONSENTED
    page = client.post("/me/stop/", {"scope": "contact", "confirmed": "yes"}).content.decode()
    assert "You have stopped" in page
    participant.refresh_from_db()
    assert participant.state == ParticipantState.WITHDRAWN
    assert client.get("/me/").status_code == 302


def test_only_the_evenings_can_be_stopped_by_those_who_have_them():
    before = phone_of(make_participant("consented")).get("/me/stop/").content.decode()
    assert "Only the evenings" not in before
    participant = listener()
    client = phone_of(participant)
    client.post("/me/stop/", {"scope": "intervention", "confirmed": "yes"})
    assert Withdrawal.objects.filter(participant=participant).count() == 1
    assert client.get("/me/tonight/").url == "/me/"
    client.get("/me/group/")
    assert "There is nothing to do today." in client.get("/me/").content.decode()


def test_somebody_not_eligible_reads_kind_words_and_finds_help():
    participant = make_participant("consented")
    participant.move_to(ParticipantState.INELIGIBLE, state_reason="cpss_total below 26")
    page = phone_of(participant).get("/me/").content.decode()
    assert "This study is not the right one for you" in page
    assert "cpss" not in page


def test_whoever_stopped_the_evenings_has_not_finished_the_study_and_finds_help():
    participant = make_participant("week8", study=make_study(protocol=short_plan()))
    withdraw_participant(participant=participant, scope="intervention", reason="", actor=SYSTEM)
    page = phone_of(participant).get("/me/").content.decode()
    assert "Your evenings ended earlier than planned, and that is all right." in page
    assert "finished the study" not in page
    assert f'href="{reverse("studies:help")}"' in page


def test_a_study_that_is_closed_early_says_so_to_those_who_were_under_way_or_waited():
    study = make_study()
    people = {at: make_participant(at, study=study) for at in ("consented", "allocated")}
    close_study(study=study, actor=SYSTEM, reason="no more money")
    pages = {at: phone_of(who).get("/me/").content.decode() for at, who in people.items()}
    assert "It ended before you could start" in pages["consented"]
    assert "It ended earlier than planned, and not because of you." in pages["allocated"]
    for page in pages.values():
        assert "no more money" not in page
        assert 'class="status due"' not in page


def test_whoever_missed_the_last_questions_is_thanked_without_having_finished():
    participant = make_participant("allocated")
    client = phone_of(participant)
    with clock.at(clock.now() + timedelta(weeks=30)):
        page = client.get("/me/").content.decode()
    assert "Your time in the study is over" in page
    assert "finished" not in page


def test_the_end_of_the_study_says_thank_you():
    page = (
        phone_of(make_participant("week8", study=make_study(protocol=short_plan())))
        .get("/me/")
        .content.decode()
    )
    assert "You have finished the study" in page
