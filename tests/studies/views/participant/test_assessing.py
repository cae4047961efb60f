from datetime import timedelta

import pytest
from django.test import Client

from questionnaires.models import Answer
from questionnaires.selectors import wording_of
from studies import clock
from studies.models.participant import ParticipantState
from studies.models.visit import Assessment, AssessmentState
from tests.factories import answer, answers, make_participant, make_study
from tests.studies.views.browsers import phone_of, short_plan

pytestmark = pytest.mark.django_db


def assessment_of(participant, instrument="cpss", week=0) -> Assessment:
    visits = Assessment.objects.filter(visit__participant=participant, visit__week=week)
    return visits.get(instrument=instrument)


def skip_the_optional_items(client: Client, assessment: Assessment) -> None:
    start = f"/me/assess/{assessment.pk}/"
    while not (item := client.get(start).url).endswith("/check/"):
        assert client.post(item, {"answer": ""}).status_code == 302


@pytest.fixture
def consented(db):
    return make_participant("consented")


def test_looking_at_a_task_does_not_begin_it(consented):
    assessment = assessment_of(consented)
    page = phone_of(consented).get(f"/me/assess/{assessment.pk}/")
    assert "This takes about 4 minutes." in page.content.decode()
    assert assessment_of(consented).state == AssessmentState.OPEN


def test_every_answer_is_saved_on_continue_and_taken_up_where_it_was_left(consented):
    assessment = assessment_of(consented)
    client = phone_of(consented)
    first = client.post(f"/me/assess/{assessment.pk}/").url
    assert "Question 1 of 14" in client.get(first).content.decode()
    second = client.post(first, {"answer": "3", "elapsed_ms": "1500"}).url
    saved = Answer.objects.get(response=assessment_of(consented).response)
    assert (saved.value, saved.elapsed_ms) == (3, 1500)
    other_device = phone_of(consented)
    assert other_device.get(f"/me/assess/{assessment.pk}/").url == second
    page = other_device.get(first).content.decode()
    assert page.count(" checked") == 1


def test_an_answer_out_of_range_is_refused_in_plain_words_and_kept_nowhere(consented):
    client = phone_of(consented)
    pk = assessment_of(consented, "psqi").pk
    item = client.post(f"/me/assess/{pk}/").url
    page = client.post(item, {"hour": "31", "minute": "00"}, follow=True).content.decode()
    assert "<title>Error: " in page
    assert "That is not a time of day" in page
    assert 'value="31"' in page
    assert not Answer.objects.exists()
    assert 'value="31"' not in client.get(item).content.decode()


def test_continue_without_an_answer_says_what_to_do(consented):
    client = phone_of(consented)
    item = client.post(f"/me/assess/{assessment_of(consented).pk}/").url
    assert "Choose one answer." in client.post(item, {}, follow=True).content.decode()


def test_an_item_that_does_not_exist_is_not_here(consented):
    client = phone_of(consented)
    pk = assessment_of(consented).pk
    client.post(f"/me/assess/{pk}/")
    assert client.get(f"/me/assess/{pk}/item_99/").status_code == 404


def test_somebody_elses_assessment_does_not_exist(consented):
    stranger = assessment_of(make_participant("consented"))
    client = phone_of(consented)
    for address in ("", "check/", "thanks/", "item_1/"):
        assert client.get(f"/me/assess/{stranger.pk}/{address}").status_code == 404
        assert client.post(f"/me/assess/{stranger.pk}/{address}").status_code in {404, 405}


def test_the_check_page_comes_when_all_is_answered_and_sending_twice_is_sending_once(consented):
    client = phone_of(consented)
    assessment = assessment_of(consented)
    client.post(f"/me/assess/{assessment.pk}/")
    check = f"/me/assess/{assessment.pk}/check/"
    assert client.get(check).status_code == 302
    assert client.post(check).url.endswith("/item_1/")
    answer(assessment)
    assert "Send my answers" in client.get(check).content.decode()
    assert [client.post(check).url for _ in range(2)] == [f"/me/assess/{assessment.pk}/thanks/"] * 2
    assert "Thank you" in client.get(f"/me/assess/{assessment.pk}/thanks/").content.decode()


def test_the_check_page_asks_back_what_looks_like_a_slip(consented):
    client = phone_of(consented)
    assessment = assessment_of(consented, "psqi")
    answer(assessment)
    client.post(f"/me/assess/{assessment.pk}/bed/", {"hour": "11", "minute": "30"})
    skip_the_optional_items(client, assessment)
    page = client.get(f"/me/assess/{assessment.pk}/check/").content.decode()
    assert "look unusual" in page
    assert f'href="/me/assess/{assessment.pk}/bed/"' in page


def test_a_second_tab_after_sending_meets_a_calm_page(consented):
    client = phone_of(consented)
    assessment = assessment_of(consented)
    answer(assessment)
    client.post(f"/me/assess/{assessment.pk}/check/")
    page = client.post(f"/me/assess/{assessment.pk}/item_1/", {"answer": "0"})
    assert page.status_code == 200
    assert "These answers are sent" in page.content.decode()


def test_the_last_answer_of_baseline_decides_and_the_page_says_what_comes_next(consented):
    client = phone_of(consented)
    for instrument in ("psqi", "cpss"):
        assessment = assessment_of(consented, instrument)
        for key, raw in answers(instrument).items():
            parts = raw.split(":")
            names = ("hour", "minute") if key in {"bed", "rise"} else ("hours", "minutes")
            data = dict(zip(names, parts, strict=True)) if len(parts) == 2 else {"answer": raw}
            client.post(f"/me/assess/{assessment.pk}/")
            client.post(f"/me/assess/{assessment.pk}/{key}/", data)
        client.post(f"/me/assess/{assessment.pk}/check/")
    consented.refresh_from_db()
    assert consented.state == ParticipantState.BASELINE_DONE
    assert "Thank you, that is all for now" in client.get("/me/").content.decode()


def test_questions_before_and_after_their_days_say_so_calmly():
    participant = make_participant("allocated", study=make_study(protocol=short_plan()))
    client = phone_of(participant)
    week4 = assessment_of(participant, week=4)
    address = f"/me/assess/{week4.pk}/"
    assert "not open yet" in client.get(address).content.decode()
    with clock.at(week4.visit.opens_at):
        assert "There are questions for you" in client.get("/me/").content.decode()
        assert "Begin" in client.get(address).content.decode()
    with clock.at(week4.visit.ends_at + timedelta(days=1)):
        assert "These questions are closed" in client.post(address).content.decode()


def test_not_wanting_to_answer_is_kept_shown_and_can_be_taken_back(consented):
    client, pk = phone_of(consented), assessment_of(consented, "psqi").pk
    client.post(f"/me/assess/{pk}/")
    page = client.get(f"/me/assess/{pk}/d_b/").content.decode()
    assert "I do not want to answer" in page
    assert client.post(f"/me/assess/{pk}/d_b/", {"declined": "yes"}).url.endswith("/d_c/")
    assert Answer.objects.get().is_declined
    assert "You chose not to answer this." in client.get(f"/me/assess/{pk}/d_b/").content.decode()
    answer(assessment_of(consented, "psqi"))
    client.post(f"/me/assess/{pk}/quality/", {"declined": "yes"})
    skip_the_optional_items(client, assessment_of(consented, "psqi"))
    assert "You chose not to answer" in client.get(f"/me/assess/{pk}/check/").content.decode()
    assert client.post(f"/me/assess/{pk}/check/").url.endswith("/thanks/")


def test_what_decides_eligibility_offers_no_way_out_of_answering(consented):
    client, pk = phone_of(consented), assessment_of(consented, "cpss").pk
    item = client.post(f"/me/assess/{pk}/").url
    assert "I do not want to answer" not in client.get(item).content.decode()
    assert (
        "Choose one answer." in client.post(item, {"declined": "yes"}, follow=True).content.decode()
    )
    assert not Answer.objects.exists()


def test_the_language_can_be_switched_in_the_middle_and_each_answer_knows_its_own(consented):
    client, pk = phone_of(consented), assessment_of(consented, "cpss").pk
    item = client.post(f"/me/assess/{pk}/").url
    english = client.get(item).content.decode()
    client.post(item, {"answer": "3"})
    client.post("/language/", {"language": "zh-hans", "next": item})
    chinese = client.get(item).content.decode()
    labels = [wording_of("cpss", language).items["item_1"].label for language in ("en", "zh-hans")]
    assert (labels[0] in english, labels[1] in chinese) == (True, True)
    assert labels[0] not in chinese
    client.post(f"/me/assess/{pk}/item_2/", {"answer": "1"})
    kept = Answer.objects.values_list("item_key", "value", "language")
    assert sorted(kept) == [("item_1", 3, "en"), ("item_2", 1, "zh-hans")]
    answer(assessment_of(consented, "cpss"))
    check = client.get(f"/me/assess/{pk}/check/").content.decode()
    assert labels[1] in check
    assert labels[0] not in check


def test_the_instruments_own_introduction_is_read_before_the_first_item(consented):
    client, pk = phone_of(consented), assessment_of(consented, "cpss").pk
    page = client.get(f"/me/assess/{pk}/").content.decode()
    assert wording_of("cpss", "en").introduction in page
    assert "This takes about 4 minutes." in page
