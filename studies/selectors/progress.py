"""How a study is coming along: counts of people and visits, never who or what arm."""

from collections import Counter
from dataclasses import dataclass

from django.db.models import Count

from studies.models.participant import Participant, ParticipantState
from studies.models.study import Study
from studies.models.visit import Assessment, AssessmentState
from studies.selectors.schedule import ANSWERABLE


@dataclass(frozen=True, slots=True)
class VisitProgress:
    """How many assessments of one week are in which state."""

    week: int
    n_submitted: int
    n_open: int
    n_missed: int
    n_to_come: int


@dataclass(frozen=True, slots=True)
class StudyProgress:
    """One study: participants by state, in the order of a participant's way, and its visits."""

    study: Study
    by_state: tuple[tuple[str, int], ...]
    visits: tuple[VisitProgress, ...]

    @property
    def n_participants(self) -> int:
        """How many people were invited."""
        return sum(n for _label, n in self.by_state)


def progress_of(study: Study) -> StudyProgress:
    """Return the counts of one study."""
    counted = Counter(
        dict(
            Participant.objects.filter(study=study)
            .values_list("state")
            .annotate(n=Count("pk"))
            .order_by()
        )
    )
    by_state = tuple((str(state.label), counted[state.value]) for state in ParticipantState)
    return StudyProgress(study, by_state, _visits(study))


def progress_of_all() -> list[StudyProgress]:
    """Return the counts of every study, newest first: the administration's panel."""
    return [progress_of(study) for study in Study.objects.order_by("-created_at")]


def _visits(study: Study) -> tuple[VisitProgress, ...]:
    counted = Counter()
    rows = Assessment.objects.filter(visit__participant__study=study)
    for week, state, n in (
        rows.values_list("visit__week", "state").annotate(n=Count("pk")).order_by()
    ):
        counted[week, state] = n
    return tuple(
        VisitProgress(
            week=week,
            n_submitted=counted[week, AssessmentState.SUBMITTED],
            n_open=sum(counted[week, state] for state in ANSWERABLE),
            n_missed=counted[week, AssessmentState.MISSED],
            n_to_come=counted[week, AssessmentState.SCHEDULED],
        )
        for week in sorted({week for week, _state in counted})
    )
