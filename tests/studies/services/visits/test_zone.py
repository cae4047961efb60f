from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from studies import clock
from studies.design.windows import local_day
from studies.exceptions import ZoneUnknown
from studies.models.audit import AuditEntry
from studies.models.participant import Participant
from studies.models.visit import Assessment, AssessmentState, Visit
from studies.services.trail.audit import SYSTEM, participant_actor, verify_chain
from studies.services.visits.scheduling import keep_calendar
from studies.services.visits.zone import MOMENTS, change_zone
from tests.factories import make_participant, make_study
from tests.studies.views.browsers import short_plan

pytestmark = pytest.mark.django_db
HOME, AWAY = "Asia/Shanghai", "America/New_York"


@pytest.fixture
def participant() -> Participant:
    return make_participant("allocated", study=make_study(protocol=short_plan(), zone=HOME))


def visit_of(participant: Participant, week: int) -> Visit:
    return Visit.objects.get(participant=participant, week=week)


def days_of(visit: Visit, zone: str) -> list[object]:
    return [local_day(getattr(visit, name), zone) for name in MOMENTS if getattr(visit, name)]


def test_visits_that_have_not_opened_keep_their_days_at_the_new_place(participant):
    before = {week: days_of(visit_of(participant, week), HOME) for week in (4, 8)}
    change_zone(participant=participant, zone=AWAY, actor=participant_actor(participant))
    for week, days in before.items():
        visit = visit_of(participant, week)
        assert days_of(visit, AWAY) == days
        assert visit.opens_at.astimezone(ZoneInfo(AWAY)).hour == 0
    participant.refresh_from_db()
    assert participant.zone == AWAY


@pytest.mark.parametrize("place", [AWAY, "Pacific/Kiritimati"])
def test_an_open_visit_never_closes_earlier(participant, place):
    visit = visit_of(participant, 4)
    with clock.at(visit.opens_at + timedelta(hours=1)):
        keep_calendar()
        change_zone(participant=participant, zone=place, actor=SYSTEM)
    now = visit_of(participant, 4)
    assert now.opens_at == visit.opens_at
    assert now.closes_at >= visit.closes_at
    assert now.late_until >= visit.late_until
    sheet = Assessment.objects.get(visit=visit)
    assert sheet.state == AssessmentState.OPEN


def test_what_is_done_stays_as_it_is(participant):
    before = visit_of(participant, 0)
    change_zone(participant=participant, zone=AWAY, actor=SYSTEM)
    after = visit_of(participant, 0)
    assert [getattr(after, n) for n in MOMENTS] == [getattr(before, n) for n in MOMENTS]


def test_there_and_back_is_as_it_was(participant):
    before = visit_of(participant, 8)
    for zone in (AWAY, HOME):
        change_zone(participant=participant, zone=zone, actor=SYSTEM)
    after = visit_of(participant, 8)
    assert [getattr(after, n) for n in MOMENTS] == [getattr(before, n) for n in MOMENTS]


def test_the_trail_says_it_once(participant):
    for _twice in range(2):
        change_zone(participant=participant, zone=AWAY, actor=SYSTEM)
    entry = AuditEntry.objects.get(action="change_zone")
    assert (entry.old, entry.new) == ({"zone": HOME}, {"zone": AWAY, "weeks_moved": [4, 8]})
    assert verify_chain(participant.study.code) == []


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "UTC", "../etc/passwd", "Etc/GMT+5"])
def test_a_place_that_is_none_is_refused(participant, zone):
    with pytest.raises(ZoneUnknown):
        change_zone(participant=participant, zone=zone, actor=SYSTEM)
    assert not AuditEntry.objects.filter(action="change_zone").exists()
