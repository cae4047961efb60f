from dataclasses import replace

import pytest
from django.urls import reverse

from questionnaires.models import Answer
from questionnaires.selectors import revisions_of
from studies.models.visit import Assessment
from studies.services.conduct.withdrawal import withdraw_participant
from studies.services.trail.audit import SYSTEM
from studies.services.visits.assessment import (
    begin_assessment,
    decline_answer,
    save_answer,
    submit_assessment,
)
from tests.factories import answer, make_participant, make_study
from tests.studies.views.browsers import clinician_in, short_plan

pytestmark = pytest.mark.django_db
NIGHT = {
    "into_bed": "22:30",
    "tried_to_sleep": "23:00",
    "latency_min": "20",
    "awakenings": "0",
    "final_waking": "06:30",
    "out_of_bed": "07:00",
    "quality": "3",
}
REASON = "The participant called: it was the evening"


@pytest.fixture
def slipped():
    """Somebody who went to bed at 11:30, by their answers."""
    participant = make_participant("consented")
    for assessment in Assessment.objects.filter(visit__participant=participant):
        answer(assessment)
        if assessment.instrument == "psqi":
            save_answer(assessment=assessment, item_key="bed", raw="11:30")
            save_answer(assessment=assessment, item_key="d_j_reason", raw="")
        submit_assessment(assessment=assessment)
    return participant


def psqi_of(participant) -> Assessment:
    return Assessment.objects.get(visit__participant=participant, instrument="psqi", visit__week=0)


def address(participant, item="", instrument="psqi"):
    sheet = Assessment.objects.get(
        visit__participant=participant, instrument=instrument, visit__week=0
    )
    place = [participant.study.code, participant.code, sheet.pk]
    return reverse(
        "studies:correct" if item else "studies:answers", args=[*place, item][: 3 + bool(item)]
    )


def test_flags_are_shown_in_plain_words_and_lead_to_the_answers(slipped):
    client = clinician_in(slipped.study)
    page = client.get(f"/clinic/{slipped.study.code}/p/{slipped.code}/").content.decode()
    assert "more than 14 hours in bed: perhaps a slip of twelve hours" in page
    assert "tib_over_14_h" not in page
    assert address(slipped) in page


def test_an_answer_is_corrected_and_the_one_before_stays_visible(slipped):
    client = clinician_in(slipped.study)
    page = client.get(address(slipped)).content.decode()
    assert "You go to bed at 11:30" in page
    assert address(slipped, "bed") in page
    sent = {"hour": "23", "minute": "30", "reason": REASON, "revision": "1"}
    page = client.post(address(slipped, "bed"), sent, follow=True).content.decode()
    assert "Corrected, and scored again." in page
    assert "You go to bed at 23:30" in page
    assert "You go to bed at 11:30" in page
    assert REASON in page
    newest, _line, older = page.partition("Revisions before")
    assert "perhaps a slip of twelve hours" not in newest
    assert "perhaps a slip of twelve hours" in older
    assert [r.revision for r in revisions_of(psqi_of(slipped).response)] == [1, 2]


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"hour": "25", "minute": "00", "reason": REASON}, "That is not a time of day"),
        ({"hour": "23", "minute": "30", "reason": ""}, "Enter a reason"),
        ({"hour": "11", "minute": "30", "reason": REASON}, "This is the answer already."),
        ({"hour": "", "minute": "", "reason": REASON}, "Write the hour and the minutes."),
        ({"hour": "23", "minute": "30", "reason": "Ã¥" * 600}, "at most 500 characters"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_lost(slipped, sent, words):
    page = clinician_in(slipped.study).post(address(slipped, "bed"), {**sent, "revision": "1"})
    text = page.content.decode()
    assert words in text
    assert "<title>Error: " in text
    assert f'value="{sent["hour"]}"' in text or not sent["hour"]
    assert psqi_of(slipped).response.revision == 1


def test_an_answer_that_opens_another_question_names_it():
    plan = short_plan()
    visits = tuple(replace(visit, instruments=("cpss", "sleep_diary")) for visit in plan.visits)
    study = make_study(protocol=replace(plan, visits=visits))
    participant = make_participant("consented", study=study)
    baseline = Assessment.objects.filter(visit__participant=participant, visit__week=0)
    sheet = baseline.get(instrument="sleep_diary")
    begin_assessment(assessment=sheet)
    for item_key, raw in NIGHT.items():
        save_answer(assessment=sheet, item_key=item_key, raw=raw)
    submit_assessment(assessment=sheet)
    sent = {"answer": "2", "reason": REASON, "revision": "1"}
    path = address(participant, "awakenings", instrument="sleep_diary")
    page = clinician_in(study).post(path, sent).content.decode()
    assert "another question needs one first: Minutes awake in the night" in page


def test_whoever_looked_at_an_older_revision_is_asked_to_look_again(slipped):
    client = clinician_in(slipped.study)
    for hour in ("23", "22"):
        sent = {"hour": hour, "minute": "30", "reason": REASON, "revision": "1"}
        page = client.post(address(slipped, "bed"), sent, follow=True).content.decode()
    assert "Somebody corrected these answers meanwhile." in page
    assert psqi_of(slipped).response.revision == 2


def test_answers_of_somebody_who_withdrew_offer_no_correction(slipped):
    withdraw_participant(participant=slipped, scope="contact", reason="", actor=SYSTEM)
    client = clinician_in(slipped.study)
    assert "can no longer be corrected" in client.get(address(slipped)).content.decode()
    sent = {"hour": "23", "minute": "30", "reason": REASON, "revision": "1"}
    page = client.post(address(slipped, "bed"), sent, follow=True).content.decode()
    assert "Nothing was changed." in page
    assert psqi_of(slipped).response.revision == 1


def test_what_is_not_handed_in_or_does_not_exist_is_not_there(slipped):
    client = clinician_in(slipped.study)
    assert client.get(address(slipped, "q17")).status_code == 404
    begun = make_participant("consented", study=make_study(protocol=short_plan()))
    sheet = Assessment.objects.get(visit__participant=begun, visit__week=0)
    begin_assessment(assessment=sheet)
    path = reverse("studies:answers", args=[begun.study.code, begun.code, sheet.pk])
    assert clinician_in(begun.study).get(path).status_code == 404
    own = reverse("studies:answers", args=[slipped.study.code, slipped.code, sheet.pk])
    assert client.get(own).status_code == 404


def test_a_look_at_the_answers_changes_nothing(slipped):
    before = Answer.objects.count()
    client = clinician_in(slipped.study)
    assert client.get(address(slipped)).status_code == 200
    assert client.get(address(slipped, "bed")).status_code == 200
    assert Answer.objects.count() == before


def test_answering_alike_throughout_stays_a_question_after_a_correction():
    participant = make_participant("consented")
    sheet = Assessment.objects.get(visit__participant=participant, instrument="cpss")
    begin_assessment(assessment=sheet)
    for number in range(1, 15):
        save_answer(assessment=sheet, item_key=f"item_{number}", raw="2")
    submit_assessment(assessment=sheet)
    client = clinician_in(participant.study)
    sent = {"answer": "3", "reason": REASON, "revision": "1"}
    client.post(address(participant, "item_1", "cpss"), sent)
    sheet.refresh_from_db()
    assert sheet.response.revision == 2
    page = client.get(f"/clinic/{participant.study.code}/p/{participant.code}/").content.decode()
    assert "the same answer throughout" in page


def test_scores_stand_beside_the_answers_and_a_missing_total_is_worth_a_look():
    participant = make_participant("consented")
    sheet = psqi_of(participant)
    answer(sheet)
    decline_answer(assessment=sheet, item_key="d_b")
    submit_assessment(assessment=sheet)
    client = clinician_in(participant.study)
    page = client.get(f"/clinic/{participant.study.code}/p/{participant.code}/").content.decode()
    assert "no total: too many answers are missing" in page
    page = client.get(address(participant)).content.decode()
    assert "not derivable" in page
    assert "pitt2005" in page
