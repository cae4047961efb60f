"""How long somebody gets music or lessons: until the visit that ends the treatment."""

from dataclasses import replace
from datetime import timedelta

import pytest

from studies import clock
from studies.design.protocol import Protocol, VisitPlan
from studies.models.participant import Participant, ParticipantState
from studies.models.study import Study
from studies.services.music.playlists import coverage_tonight
from studies.services.protocol.versions import activate_version, save_draft, submit_version
from studies.services.trail.audit import SYSTEM
from studies.services.treatment import is_in_treatment
from studies.services.visits.scheduling import keep_calendar
from tests.factories import answer_visit, make_participant, make_study
from tests.studies.views.browsers import plan_of_one_kind

pytestmark = pytest.mark.django_db

FOLLOW_UP = VisitPlan(26, ("psqi", "cpss"), window_days=10, late_days=7)


def with_follow_up(plan: Protocol, treatment_weeks: int) -> Protocol:
    return replace(plan, visits=(*plan.visits, FOLLOW_UP), treatment_weeks=treatment_weeks)


def listener(treatment_weeks: int) -> Participant:
    plan = with_follow_up(plan_of_one_kind("music"), treatment_weeks)
    return make_participant("allocated", study=make_study(protocol=plan))


def again(participant: Participant) -> Participant:
    return Participant.objects.get(pk=participant.pk)


def is_treated(participant: Participant, *, weeks: int) -> bool:
    """Return whether somebody is in treatment so many weeks from now; both rules agree."""
    with clock.at(clock.now() + timedelta(weeks=weeks)):
        keep_calendar()
        treated = is_in_treatment(again(participant))
        assert coverage_tonight().n_expected == treated
    return treated


@pytest.mark.parametrize(("treatment_weeks", "goes_on"), [(8, False), (26, True), (0, True)])
def test_music_ends_with_its_visit_and_not_with_the_follow_up(
    treatment_weeks: int, goes_on: bool
) -> None:
    participant = listener(treatment_weeks)
    with clock.at(clock.now() + timedelta(weeks=8)):
        keep_calendar()
        assert is_in_treatment(again(participant))
        answer_visit(participant, week=8)
        assert is_in_treatment(again(participant)) == goes_on
    assert again(participant).state == ParticipantState.ALLOCATED


def test_whoever_misses_the_visit_that_ends_it_gets_no_more() -> None:
    participant = listener(8)
    assert is_treated(participant, weeks=9)
    assert not is_treated(participant, weeks=11)
    missing_the_last_one = listener(0)
    assert is_treated(missing_the_last_one, weeks=27)
    assert not is_treated(missing_the_last_one, weeks=30)


def test_somebody_completes_with_their_own_last_visit_though_later_ones_were_added() -> None:
    participant = make_participant("week4")
    study = Study.objects.get(pk=participant.study_id)
    save_draft(study=study, protocol=with_follow_up(study.plan, 0), actor=SYSTEM)
    submit_version(study=study, actor=SYSTEM, reason="a later look")
    activate_version(study=study, actor=SYSTEM, approved_on=clock.today(study.zone))
    with clock.at(clock.now() + timedelta(weeks=4)):
        keep_calendar()
        answer_visit(participant, week=8)
    assert again(participant).state == ParticipantState.COMPLETED
