"""What is due for a participant, now and next."""

from dataclasses import dataclass
from datetime import datetime

from studies import clock
from studies.models.participant import Participant
from studies.models.visit import Assessment, AssessmentState, Visit

TO_BEGIN = (AssessmentState.OPEN, AssessmentState.LATE)
ANSWERABLE = (*TO_BEGIN, AssessmentState.IN_PROGRESS)


@dataclass(frozen=True, slots=True)
class DueVisit:
    """A visit whose questions wait now: what is left, in order, and until when."""

    visit: Visit
    assessments: tuple[Assessment, ...]
    n_done: int
    n_planned: int
    closes_at: datetime | None


@dataclass(frozen=True, slots=True)
class Today:
    """A participant's day: visits that are open, and the next one to come."""

    due: tuple[DueVisit, ...]
    upcoming: Visit | None

    @property
    def assessments(self) -> tuple[Assessment, ...]:
        """Every assessment that can be answered now, in order."""
        return tuple(assessment for visit in self.due for assessment in visit.assessments)


def today_of(participant: Participant) -> Today:
    """Return what this participant can answer now and which visit comes next.

    Call `services.scheduling.keep_calendar(participant=...)` first: it opens what the clock opened.
    """
    visits = list(participant.visits.prefetch_related("assessments").order_by("week"))
    due = tuple(row for visit in visits if (row := _due(visit)).assessments)
    now = clock.now()
    upcoming = next((v for v in visits if v.opens_at > now and _is_planned(v)), None)
    return Today(due, upcoming)


def visits_to_come(participant: Participant) -> list[Visit]:
    """Return the visits with a window that has not closed and with something left to answer."""
    left = Assessment.objects.filter(state__in=(AssessmentState.SCHEDULED, *ANSWERABLE))
    own = participant.visits.filter(closes_at__gt=clock.now(), assessments__in=left)
    return list(own.distinct().order_by("week"))


def open_assessment(participant: Participant, pk: int) -> Assessment | None:
    """Return one of the participant's own assessments; somebody else's does not exist."""
    own = Assessment.objects.select_related("visit__participant__study", "response")
    return own.filter(pk=pk, visit__participant=participant).first()


def _is_planned(visit: Visit) -> bool:
    """Return whether something of a visit is still to come: one that was cancelled is not."""
    return any(sheet.state == AssessmentState.SCHEDULED for sheet in visit.assessments.all())


def _due(visit: Visit) -> DueVisit:
    assessments = sorted(visit.assessments.all(), key=lambda assessment: assessment.position)
    return DueVisit(
        visit=visit,
        assessments=tuple(a for a in assessments if a.state in ANSWERABLE),
        n_done=sum(a.state == AssessmentState.SUBMITTED for a in assessments),
        n_planned=len(assessments),
        closes_at=visit.closes_at,
    )
