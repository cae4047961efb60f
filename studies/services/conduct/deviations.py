"""Deviations from the protocol: found by the rules from what is there, or noted by hand.

The rules ask; nobody has to tell them. Looking twice finds nothing twice.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce

from studies import clock
from studies.design.dry_run import MONTH_RECALL
from studies.exceptions import ReasonMissing
from studies.models.deviation import (
    NOTE_UNBLINDING,
    TELLS_THE_ARM,
    Deviation,
    DeviationKind,
    DeviationState,
)
from studies.models.participant import Participant
from studies.models.sleep_window import SleepWindow
from studies.models.study import StudyState
from studies.models.user import User
from studies.models.visit import Assessment, AssessmentState, Visit
from studies.selectors.locks import require_unlocked
from studies.services.cbt.words import sha256_of
from studies.services.trail.audit import SYSTEM, Actor, record, staff

# A window that nobody confirmed for this long is late titration: our own setting.
TITRATION_DUE = timedelta(days=3)
# What was handed in longer ago has been looked at many times.
LATELY = timedelta(days=28)
# The audit page leaves entries with this action out while a study is blinded.
NOTE = "note_deviation"


def find_deviations() -> int:
    """Note what departed from the protocol and is not noted yet; return how many."""
    found = [*_missed(), *_out_of_window(), *_short_intervals(), *_late_titrations()]
    known = set(
        Deviation.objects.filter(key__in=[one.key for one in found]).values_list("key", flat=True)
    )
    return sum(_keep(one, SYSTEM) for one in found if one.key not in known)


@transaction.atomic
def note_deviation(
    *, participant: Participant, words: str, happened_at: datetime, user: User
) -> Deviation:
    """Keep a deviation that a person noticed; words name nobody. Raises DatabaseLocked."""
    require_unlocked(participant.study)
    if not words.strip():
        raise ReasonMissing("noting a deviation")
    now = clock.now()
    deviation = Deviation(
        participant=participant,
        kind=DeviationKind.MANUAL,
        key=f"manual:{participant.pk}:{now.timestamp():.6f}",
        happened_at=min(happened_at, now),
        noted_by=user,
        words=words.strip(),
    )
    _keep(deviation, staff(user))
    return deviation


@transaction.atomic
def assess_deviation(*, deviation: Deviation, impact: str, measures: str, user: User) -> Deviation:
    """Say what a deviation means and what was done about it, so that it stays away."""
    if not measures.strip():
        raise ReasonMissing("looking into a deviation")
    rows = Deviation.objects.select_for_update(of=("self",)).select_related("participant__study")
    deviation = rows.get(pk=deviation.pk)
    require_unlocked(deviation.participant.study)
    deviation.move_to(
        DeviationState.ASSESSED,
        impact=impact,
        measures=measures.strip(),
        assessed_at=clock.now(),
        assessed_by=user,
    )
    _record(deviation, staff(user), old={"state": DeviationState.NOTED})
    return deviation


@transaction.atomic
def _keep(deviation: Deviation, actor: Actor) -> bool:
    Participant.objects.select_for_update(of=("self",)).get(pk=deviation.participant_id)
    if Deviation.objects.filter(key=deviation.key).exists():
        return False
    deviation.noted_at = clock.now()
    deviation.save()
    _record(deviation, actor)
    return True


def _missed() -> Iterator[Deviation]:
    noted = Deviation.objects.filter(kind=DeviationKind.MISSED_VISIT).values("visit")
    visits = Visit.objects.filter(assessments__state=AssessmentState.MISSED).distinct()
    for visit in visits.exclude(pk__in=noted).select_related("participant__study"):
        yield _of_visit(DeviationKind.MISSED_VISIT, visit, visit.ends_at, str(visit.pk))


def _out_of_window() -> Iterator[Deviation]:
    late = _handed_in().filter(handed_in_at__gte=F("visit__closes_at"))
    for row in late:
        yield _of_visit(DeviationKind.OUT_OF_WINDOW, row.visit, row.handed_in_at, str(row.pk))


def _short_intervals() -> Iterator[Deviation]:
    about_a_month = _handed_in().filter(instrument__in=MONTH_RECALL)
    rows = sorted(
        about_a_month,
        key=lambda row: (row.visit.participant_id, row.instrument, row.handed_in_at),
    )
    for earlier, later in pairwise(rows):
        is_one_series = (
            earlier.visit.participant_id == later.visit.participant_id
            and earlier.instrument == later.instrument
        )
        apart = later.handed_in_at - earlier.handed_in_at
        if is_one_series and apart < timedelta(days=MONTH_RECALL[later.instrument]):
            at = later.handed_in_at
            yield _of_visit(DeviationKind.SHORT_INTERVAL, later.visit, at, str(later.pk))


def _late_titrations() -> Iterator[Deviation]:
    # Nobody waits for a window of a study that ended.
    waiting = SleepWindow.objects.filter(
        confirmed_at=None,
        computed_at__lte=clock.now() - TITRATION_DUE,
        participant__study__state=StudyState.OPEN,
    )
    for window in waiting.select_related("participant__study"):
        yield Deviation(
            participant=window.participant,
            kind=DeviationKind.LATE_TITRATION,
            key=f"{DeviationKind.LATE_TITRATION}:{window.pk}",
            happened_at=window.computed_at + TITRATION_DUE,
        )


def _handed_in() -> QuerySet[Assessment]:
    """Return what was handed in lately, with when: a correction changes nothing about that.

    Of a form on paper its own day counts, not that of its entry.
    """
    since = clock.now() - LATELY
    rows = Assessment.objects.filter(state=AssessmentState.SUBMITTED)
    rows = rows.annotate(handed_in_at=Coalesce("paper__filled_at", "response__submitted_at"))
    return rows.filter(response__revision=1, response__submitted_at__gte=since).select_related(
        "visit__participant__study"
    )


def _of_visit(kind: DeviationKind, visit: Visit, at: datetime, key: str) -> Deviation:
    return Deviation(
        participant=visit.participant, kind=kind, key=f"{kind}:{key}", visit=visit, happened_at=at
    )


def _record(deviation: Deviation, actor: Actor, old: dict[str, str] | None = None) -> None:
    record(
        actor=actor,
        action=NOTE_UNBLINDING if deviation.kind in TELLS_THE_ARM else NOTE,
        subject=deviation,
        old=old,
        new={
            "kind": deviation.kind,
            "state": deviation.state,
            "happened_at": deviation.happened_at,
            "impact": deviation.impact,
            "words_sha256": sha256_of(deviation.words),
            "measures_sha256": sha256_of(deviation.measures),
        },
    )
