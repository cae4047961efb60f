from datetime import timedelta

import pytest

from questionnaires.exceptions import IncompleteResponse
from questionnaires.instruments.errors import AnswerRefused
from questionnaires.selectors import declined_items, score_table
from studies import clock
from studies.exceptions import AssessmentClosed, PaperRefused
from studies.models.audit import AuditEntry
from studies.models.deviation import Deviation, DeviationKind
from studies.models.participant import Participant
from studies.models.visit import Assessment, AssessmentState, PaperForm
from studies.services.closing.locks import lock_form
from studies.services.conduct.deviations import find_deviations
from studies.services.conduct.withdrawal import withdraw_participant
from studies.services.trail.audit import SYSTEM, staff, verify_chain
from studies.services.visits.assessment import begin_assessment, save_answer
from studies.services.visits.paper import days_on_paper, enter_from_paper
from studies.services.visits.scheduling import keep_calendar
from tests.factories import answers, clinician_of, make_participant, make_study
from tests.studies.views.browsers import short_plan

pytestmark = pytest.mark.django_db


@pytest.fixture
def participant() -> Participant:
    return make_participant("allocated", study=make_study(protocol=short_plan()))


def sheet_of(participant: Participant, week: int = 4) -> Assessment:
    return Assessment.objects.get(visit__participant=participant, visit__week=week)


def on_paper(assessment: Assessment, **changes):
    stated = {
        "answers": answers("cpss", 2),
        "blank": (),
        "filled_on": assessment.visit.target_on,
        "actor": staff(clinician_of(assessment.visit.participant.study)),
    }
    return enter_from_paper(assessment=assessment, **{**stated, **changes})


def test_a_form_on_paper_is_entered_scored_and_marked(participant):
    visit = sheet_of(participant).visit
    with clock.at(visit.opens_at + timedelta(days=6)):
        entered = on_paper(sheet_of(participant))
    assert entered.state == AssessmentState.SUBMITTED
    assert score_table([entered.response_id])[entered.response_id]["total"] is not None
    paper = PaperForm.objects.get(assessment=entered)
    assert (paper.filled_on, paper.entered_by) == (
        visit.target_on,
        clinician_of(participant.study).username,
    )
    trail = AuditEntry.objects.filter(action="enter_from_paper").get()
    assert trail.new["filled_on"] == visit.target_on.isoformat()
    by_staff = AuditEntry.objects.filter(
        action__in=["save_answer", "submit_assessment"], actor=paper.entered_by
    )
    assert by_staff.count() == len(answers("cpss", 2)) + 1
    assert verify_chain(participant.study.code) == []


def test_a_visit_that_was_missed_takes_a_form_of_its_window(participant):
    visit = sheet_of(participant).visit
    with clock.at(visit.ends_at + timedelta(days=3)):
        keep_calendar()
        assert sheet_of(participant).state == AssessmentState.MISSED
        entered = on_paper(sheet_of(participant))
        find_deviations()
    assert entered.state == AssessmentState.SUBMITTED
    kinds = set(Deviation.objects.values_list("kind", flat=True))
    assert DeviationKind.OUT_OF_WINDOW not in kinds


def test_the_day_on_the_paper_says_whether_it_was_late(participant):
    visit = sheet_of(participant).visit
    with clock.at(visit.closes_at + timedelta(days=1)):
        assert visit.late_until > clock.now()
        on_paper(sheet_of(participant), filled_on=days_on_paper(sheet_of(participant))[1])
        find_deviations()
    assert Deviation.objects.filter(kind=DeviationKind.OUT_OF_WINDOW).count() == 1


def test_a_day_outside_the_visit_is_refused(participant):
    visit = sheet_of(participant).visit
    with clock.at(visit.ends_at + timedelta(days=3)):
        first, last = days_on_paper(sheet_of(participant))
        for day in (first - timedelta(days=1), last + timedelta(days=1)):
            with pytest.raises(PaperRefused, match="a day from") as refused:
                on_paper(sheet_of(participant), filled_on=day)
            assert refused.value.code == "day"
    with clock.at(visit.opens_at + timedelta(hours=1)):
        first, last = days_on_paper(sheet_of(participant))
        assert first == last
        with pytest.raises(PaperRefused):
            on_paper(sheet_of(participant), filled_on=last + timedelta(days=1))


def test_an_item_left_blank_is_kept_as_declined(participant):
    given = answers("cpss", 2)
    left = given.pop("item_3")
    assert left is not None
    with clock.at(sheet_of(participant).visit.opens_at + timedelta(days=6)):
        with pytest.raises(IncompleteResponse):
            on_paper(sheet_of(participant), answers=given)
        assert sheet_of(participant).state == AssessmentState.SCHEDULED
        entered = on_paper(sheet_of(participant), answers=given, blank=["item_3"])
    assert declined_items(entered.response) == {"item_3"}


def test_an_answer_that_does_not_fit_enters_nothing(participant):
    n_before = AuditEntry.objects.count()
    soon = sheet_of(participant).visit.opens_at + timedelta(days=6)
    with clock.at(soon), pytest.raises(AnswerRefused):
        on_paper(sheet_of(participant), answers=answers("cpss", 2) | {"item_1": "9"})
    assert not PaperForm.objects.exists()
    assert AuditEntry.objects.count() == n_before


def test_what_somebody_answers_on_a_screen_is_left_to_them(participant):
    with clock.at(sheet_of(participant).visit.opens_at + timedelta(days=6)):
        begin_assessment(assessment=sheet_of(participant))
        with pytest.raises(PaperRefused, match="one that is in_progress"):
            on_paper(sheet_of(participant))
        save_answer(assessment=sheet_of(participant), item_key="item_1", raw="1")


def test_a_phone_finds_it_handed_in_and_a_second_entry_is_refused(participant):
    with clock.at(sheet_of(participant).visit.opens_at + timedelta(days=6)):
        on_paper(sheet_of(participant))
        with pytest.raises(AssessmentClosed):
            begin_assessment(assessment=sheet_of(participant))
        with pytest.raises(PaperRefused, match="one that is submitted"):
            on_paper(sheet_of(participant))


def test_a_visit_that_has_not_opened_takes_no_paper(participant):
    with pytest.raises(PaperRefused, match="one that is scheduled"):
        on_paper(sheet_of(participant))


def test_nobody_who_withdrew_is_entered(participant):
    with clock.at(sheet_of(participant).visit.ends_at + timedelta(days=3)):
        keep_calendar()
        withdraw_participant(participant=participant, scope="contact", reason="", actor=SYSTEM)
        with pytest.raises(PaperRefused, match="withdrew"):
            on_paper(sheet_of(participant))


def test_what_is_locked_takes_no_paper(participant):
    missed = sheet_of(participant)
    with clock.at(missed.visit.ends_at + timedelta(days=3)):
        keep_calendar()
        lock_form(assessment=sheet_of(participant), actor=staff(clinician_of(participant.study)))
        with pytest.raises(PaperRefused, match="locked"):
            on_paper(sheet_of(participant))
