from datetime import timedelta

import pytest

from studies import clock
from studies.design.safety import CRITERIA as PROTOCOL_CRITERIA
from studies.models.safety import AdverseEvent, Relation, Severity
from studies.selectors.harms import harms_csv, harms_of
from studies.selectors.outcomes import allocation_times
from studies.services.conduct.events import Account, report_event
from studies.services.conduct.harms import record_harms_inquiry
from studies.services.trail.audit import staff
from studies.stats.analysis.harms import CRITERIA, RELATIONS, SEVERITIES, Event
from tests.factories import clinician_of, make_participant, make_study
from tests.studies.views.browsers import short_plan

pytestmark = pytest.mark.django_db


def test_events_count_from_the_day_of_allocation_on_and_carry_no_words():
    participant = make_participant("week4", study=make_study(protocol=short_plan()))
    code, user = participant.code, clinician_of(participant.study)
    account = Account(clock.today(participant.zone), "Ada fell", "mild", "possible",
                      criteria=("hospital",))  # fmt: skip
    report_event(participant=participant, account=account, user=user)
    later = report_event(participant=participant, account=account, user=user)
    week4 = participant.visits.get(week=4)
    record_harms_inquiry(visit=week4, was_untoward=True, actor=staff(user))
    day = allocation_times(participant.study)[code].date()
    AdverseEvent.objects.filter(pk=later.pk).update(began_on=day - timedelta(days=2))
    harms = harms_of(participant.study, [code])
    assert harms.events == (
        Event(code, "mild", "possible", ("hospital",), is_before=True),
        Event(code, "mild", "possible", ("hospital",)),
    )
    assert harms.asked == {code: 1}
    assert harms_csv(harms).splitlines()[2] == f"{code},mild,possible,hospital,0,0"
    assert "Ada" not in harms_csv(harms)
    # Somebody who is not analysed has neither.
    nobody = harms_of(participant.study, [])
    assert (nobody.events, nobody.asked) == ((), {})


def test_the_grades_are_those_that_staff_give():
    assert Severity.values == list(SEVERITIES)
    assert Relation.values == list(RELATIONS)
    assert PROTOCOL_CRITERIA == CRITERIA
