from collections.abc import Iterator
from dataclasses import replace

import pytest

from questionnaires.models import Response
from questionnaires.selectors import wording_of
from studies.design.errors import ProtocolError
from studies.design.protocol import Protocol, four_arms
from studies.design.screening import ScreeningPlan, ScreeningQuestion
from studies.exceptions import NotEligible, ScreeningMissing, ScreeningRefused
from studies.models.audit import AuditEntry
from studies.models.participant import Participant, ParticipantState, Screening
from studies.services.entry.screening import answer_screening, screening_waits
from studies.services.protocol.rehearsal import in_words, rehearse
from studies.services.trail.audit import SYSTEM
from studies.services.visits.assessment import baseline_facts
from tests.factories import (
    answer_visit,
    answers,
    consent,
    decide,
    invite,
    make_participant,
    make_study,
)
from tests.studies.views.browsers import clinician_in, phone_of

pytestmark = pytest.mark.django_db


def test_a_refused_attempt_is_kept_with_its_reasons_and_without_a_name() -> None:
    study = make_study()
    with pytest.raises(NotEligible):
        invite(study, age_years=30)
    attempt = Screening.objects.get()
    assert attempt.reasons == ["age_years 12-18 expected, got 30"]
    assert attempt.participant is None
    assert not Participant.objects.exists()
    entry = AuditEntry.objects.get(action="screen")
    assert entry.new["reasons"] == attempt.reasons
    assert "ada@" not in attempt.blind_index + str(entry.new)


def test_another_attempt_with_the_same_contact_is_flagged_not_refused() -> None:
    study = make_study()
    with pytest.raises(NotEligible):
        invite(study, age_years=30)
    participant = invite(study, age_years=15).participant
    attempt = participant.screening
    assert (attempt.repeats, attempt.refused_before) == (1, True)
    elsewhere = invite(make_study(), age_years=15).participant.screening
    assert (elsewhere.repeats, elsewhere.refused_before) == (0, False)


def test_staff_see_every_attempt_and_what_is_worth_a_look() -> None:
    study = make_study()
    with pytest.raises(NotEligible):
        invite(study, age_years=30)
    participant = invite(study, age_years=15).participant
    page = clinician_in(study).get(f"/clinic/{study.code}/screening/").content.decode()
    assert "12 to 18 expected, got 30" in page
    assert participant.code in page
    assert "This contact was screened before, and refused" in page
    assert "Ada Example" not in page


APNOEA = ScreeningQuestion(
    "apnoea", "yes", (("en", "Do you stop breathing at night?"), ("zh-hans", "\u547c\u5438"))
)
CPSS_ANSWERS = dict(answers("cpss", 3))


def screened(**changes: object) -> Protocol:
    plan = ScreeningPlan(**({"questions": (APNOEA,), "cpss_at_least": 26} | changes))
    return replace(four_arms(1), screening=plan)


def reply(
    participant: Participant, apnoea: str = "no", cpss: dict[str, str] = CPSS_ANSWERS
) -> Screening:
    return answer_screening(
        participant=participant,
        answers={"apnoea": apnoea},
        cpss=cpss,
        answered_by="staff",
        actor=SYSTEM,
    )


def fresh(participant: Participant) -> Participant:
    return Participant.objects.select_related("study").get(pk=participant.pk)


def test_consent_waits_for_screening_and_baseline_is_asked_anew() -> None:
    invitation = invite(make_study(protocol=screened()))
    participant = invitation.participant
    with pytest.raises(ScreeningMissing):
        decide(participant)
    attempt = reply(participant)
    assert (attempt.reasons, attempt.scores["cpss_total"]) == ([], 42)
    assert not screening_waits(fresh(participant))
    consent(invitation)
    # What was told at screening is neither a response nor a baseline fact.
    assert not Response.objects.exists()
    assert baseline_facts(fresh(participant)) == {"age_years": 15}
    answer_visit(participant, week=0, level=2)
    assert baseline_facts(fresh(participant))["cpss_total"] == 28
    with pytest.raises(ScreeningRefused, match="more of them"):
        reply(fresh(participant))


@pytest.mark.parametrize(
    ("apnoea", "level", "reasons"),
    [
        ("yes", 3, ["apnoea: yes"]),
        ("no", 1, ["cpss_total 26 or more expected, got 14"]),
        ("yes", 0, ["apnoea: yes", "cpss_total 26 or more expected, got 0"]),
    ],
)
def test_who_is_screened_out_is_asked_for_nothing_more(
    apnoea: str, level: int, reasons: list[str]
) -> None:
    study = make_study(protocol=screened())
    participant = invite(study).participant
    assert reply(participant, apnoea, dict(answers("cpss", level))).reasons == reasons
    assert fresh(participant).state == ParticipantState.INELIGIBLE
    entry = AuditEntry.objects.get(action="answer_screening")
    assert (entry.new["reasons"], entry.new["state"]) == (reasons, "ineligible")
    again = invite(study).participant.screening
    assert (again.repeats, again.refused_before) == (1, True)


def test_a_straight_line_is_flagged_and_shown_to_staff() -> None:
    study = make_study(protocol=screened(questions=()))
    participant = invite(study).participant
    same = dict.fromkeys(CPSS_ANSWERS, "2")
    attempt = answer_screening(
        participant=participant, answers={}, cpss=same, answered_by="participant", actor=SYSTEM
    )
    assert (attempt.flags, attempt.scores["cpss_total"]) == (["straight_line"], 28)
    page = clinician_in(study).get(f"/clinic/{study.code}/screening/").content.decode()
    assert "The same answer throughout" in page


@pytest.mark.parametrize(
    ("apnoea", "cpss"),
    [("perhaps", CPSS_ANSWERS), ("no", {}), ("no", {**CPSS_ANSWERS, "item_1": "9"})],
)
def test_answers_that_are_not_whole_change_nothing(apnoea: str, cpss: dict[str, str]) -> None:
    participant = invite(make_study(protocol=screened())).participant
    with pytest.raises(ScreeningRefused):
        reply(participant, apnoea, cpss)
    assert screening_waits(fresh(participant))


def _fields() -> Iterator[tuple[str, str]]:
    yield "asked_apnoea", "yes"
    for key, value in CPSS_ANSWERS.items():
        yield f"cpss_{key}", value


def test_the_participant_answers_by_phone_or_staff_enter_it() -> None:
    study = make_study(protocol=screened())
    participant, other = (make_participant(study=study) for _ in range(2))
    phone, desk = phone_of(participant), clinician_in(study)
    assert phone.get("/me/").url == "/me/screening/"
    assert phone.get("/me/consent/decide/").url == "/me/"
    page = phone.get("/me/screening/").content.decode()
    # The CPSS's own words stand before its items, not before what else is asked.
    stem = wording_of("cpss", "en").stem
    assert 0 < page.index("Do you stop breathing at night?") < page.index(stem)
    page = phone.post("/me/screening/", {}).content.decode()
    assert 'href="#id_asked_apnoea"' in page
    assert "questions still need an answer" in page
    sent = dict(_fields())
    assert phone.post("/me/screening/", sent).url == "/me/"
    assert phone.post("/me/screening/", sent).url == "/me/"
    page = phone.get("/me/").content.decode()
    assert "not the right one for you" in page
    assert "breathing" not in page
    place = f"/clinic/{study.code}/p/{other.code}/"
    assert f"{place}screening/" in desk.get(place).content.decode()
    assert desk.post(f"{place}screening/", sent | {"asked_apnoea": "no"}).url == place
    assert fresh(other).screening.answered_by == "staff"
    assert not screening_waits(fresh(other))
    assert "it was answered already" in desk.get(f"{place}screening/").content.decode()
    log = desk.get(f"/clinic/{study.code}/screening/").content.decode()
    assert "Do you stop breathing at night? Yes" in log


def test_a_question_without_words_in_a_language_stands_in_the_way() -> None:
    english = ScreeningQuestion("apnoea", "yes", (("en", "Do you stop breathing?"),))
    study = make_study(is_open=False, protocol=screened(questions=(english,)))
    problems = [in_words(problem) for problem in rehearse(study, n_walkers=4).problems]
    assert problems == ["the screening question apnoea has no words in zh-hans"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"cpss_at_least": 57},
        {"questions": [{"name": "a b", "excludes": "yes", "texts": {"en": "x"}}]},
        {"questions": [{"name": "a", "excludes": "maybe", "texts": {"en": "x"}}]},
        {"questions": [{"name": "a", "excludes": "no", "texts": {}}]},
        {"questions": [{"name": "a", "excludes": "no", "texts": {"en": "x"}}] * 2},
    ],
)
def test_a_screening_plan_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ProtocolError):
        ScreeningPlan.from_json(wrong)
