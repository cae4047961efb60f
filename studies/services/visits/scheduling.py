"""Visits: plan them in the participant's own zone, open and miss them by the clock.

When a window closes, a visit is late for as long as the protocol says: its answers are still taken,
and whoever reads them knows that they came late. What was begun is never closed under somebody's
fingers (`design/windows.py`).
"""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce

from studies import clock
from studies.design.protocol import VisitPlan
from studies.design.windows import deadline, local_day, visit_window
from studies.models.participant import Participant
from studies.models.visit import Assessment, AssessmentState, Visit
from studies.services.trail.audit import SYSTEM, Actor, record

UNBEGUN = (AssessmentState.SCHEDULED, AssessmentState.OPEN)
UNDONE = (*UNBEGUN, AssessmentState.IN_PROGRESS, AssessmentState.LATE)


@dataclass(frozen=True, slots=True)
class Turned:
    """How many assessments the calendar opened and missed."""

    opened: int
    missed: int


@transaction.atomic
def schedule_baseline(*, participant: Participant, actor: Actor) -> Visit:
    """Plan the baseline visit: open from now on, without an end."""
    now = clock.now()
    visit = Visit.objects.create(
        participant=participant,
        week=0,
        target_on=local_day(now, participant.zone),
        opens_at=now,
        closes_at=None,
    )
    _plan_assessments(visit, participant.study.plan.visit_at(0), AssessmentState.OPEN)
    _record_visit(visit, actor)
    return visit


@transaction.atomic
def schedule_follow_up(
    *, participant: Participant, allocated_on: date, actor: Actor
) -> list[Visit]:
    """Plan every visit after baseline, counted from the day of allocation."""
    visits = []
    for planned in participant.study.plan.visits:
        if planned.week == 0:
            continue
        window = visit_window(
            anchor_on=allocated_on,
            week=planned.week,
            window_days=planned.window_days,
            zone=participant.zone,
            late_days=planned.late_days,
        )
        visit = Visit.objects.create(
            participant=participant,
            week=planned.week,
            target_on=window.target_on,
            opens_at=window.opens_at,
            closes_at=window.closes_at,
            late_until=window.late_until,
        )
        _plan_assessments(visit, planned, AssessmentState.SCHEDULED)
        _record_visit(visit, actor)
        visits.append(visit)
    return visits


def keep_calendar(*, participant: Participant | None = None) -> Turned:
    """Open assessments whose window has come and miss those whose window has gone.

    The beat calls it for everybody; a participant's pages call it for one, so that what a page
    shows never waits for the beat.
    """
    now = clock.now()
    turnable = (
        Q(state=AssessmentState.SCHEDULED, visit__opens_at__lte=now)
        | Q(state__in=UNBEGUN, visit__closes_at__lte=now)
        | Q(state__in=UNDONE, ends_at__lte=now)
    )
    ends_at = Coalesce("visit__late_until", "visit__closes_at")
    due = Assessment.objects.annotate(ends_at=ends_at).filter(turnable)
    if participant is not None:
        due = due.filter(visit__participant=participant)
    turned = [_turn_one(pk, now) for pk in due.values_list("pk", flat=True)]
    return Turned(turned.count(AssessmentState.OPEN), turned.count(AssessmentState.MISSED))


@transaction.atomic(savepoint=False)
def turn_page(assessment: Assessment) -> Assessment:
    """Return the assessment, locked and brought up to date with the clock."""
    assessment = _locked(assessment.pk)
    _turn(assessment, clock.now())
    return assessment


def cancel_undone(*, participant: Participant, actor: Actor, reason: str) -> int:
    """Cancel what a participant will not answer any more; return how many."""
    undone = Assessment.objects.select_for_update().filter(
        visit__participant=participant, state__in=UNDONE
    )
    cancelled = list(undone)
    for assessment in cancelled:
        old = assessment.state
        assessment.move_to(AssessmentState.CANCELLED)
        record(
            actor=actor,
            action="cancel_assessment",
            subject=assessment,
            old={"state": old},
            new={"state": assessment.state},
            reason=reason,
        )
    return len(cancelled)


def may_be_sent_until(assessment: Assessment) -> datetime | None:
    """Return the last moment for this assessment; ``None`` where there is no end."""
    ends_at = assessment.visit.ends_at
    if ends_at is None:
        return None
    return deadline(ends_at, _last_activity(assessment))


@transaction.atomic
def _turn_one(pk: int, now: datetime) -> str:
    return _turn(_locked(pk), now)


def _locked(pk: int) -> Assessment:
    # One query for all that an audit entry needs; the response is read under a lock of its own.
    rows = Assessment.objects.select_for_update(of=("self",))
    return rows.select_related("visit__participant__study").get(pk=pk)


def _turn(assessment: Assessment, now: datetime) -> str:
    """Move a locked assessment to where the clock puts it; return its new state, or ""."""
    old, new = assessment.state, _state_by_clock(assessment, now)
    if new != old:
        assessment.move_to(new)
        record(
            actor=SYSTEM,
            action="keep_calendar",
            subject=assessment,
            old={"state": old},
            new={"state": assessment.state},
        )
    return new if new != old else ""


def _state_by_clock(assessment: Assessment, now: datetime) -> str:
    old, visit = assessment.state, assessment.visit
    if old in UNDONE and _is_over(assessment, now):
        return AssessmentState.MISSED
    if old in UNBEGUN and visit.closes_at is not None and visit.closes_at <= now:
        return AssessmentState.LATE
    if old == AssessmentState.SCHEDULED and visit.opens_at <= now:
        return AssessmentState.OPEN
    return old


def _is_over(assessment: Assessment, now: datetime) -> bool:
    ends_at = assessment.visit.ends_at
    # Whoever answers gets longer, never shorter: before the end nobody's last answer is looked up.
    return ends_at is not None and ends_at <= now and may_be_sent_until(assessment) <= now


def _last_activity(assessment: Assessment) -> datetime | None:
    if assessment.state != AssessmentState.IN_PROGRESS:
        return None
    return (
        assessment.response.answers.order_by("-answered_at")
        .values_list("answered_at", flat=True)
        .first()
    )


def _plan_assessments(visit: Visit, planned: VisitPlan, state: str) -> None:
    Assessment.objects.bulk_create(
        Assessment(visit=visit, instrument=instrument, position=position, state=state)
        for position, instrument in enumerate(planned.instruments)
    )


def _record_visit(visit: Visit, actor: Actor) -> None:
    record(
        actor=actor,
        action="schedule_visit",
        subject=visit,
        new={
            "week": visit.week,
            "target_on": visit.target_on,
            "opens_at": visit.opens_at,
            "closes_at": visit.closes_at,
            "late_until": visit.late_until,
            "instruments": list(visit.assessments.values_list("instrument", flat=True)),
        },
    )
