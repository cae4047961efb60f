"""Who needs somebody now: everybody of a study in the order of urgency, a page at a time.

The database counts and compares, so a study of thousands costs one pass over its rows; whole
participants and visits are read for the page that is shown only. Nothing here tells an arm.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from operator import itemgetter

from django.db import models
from django.db.models import Count, Exists, Min, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from studies import clock
from studies.models.access import Holder, PrivateLink
from studies.models.participant import Participant, ParticipantState
from studies.models.query import DataQuery, QueryState
from studies.models.reminder import Reminder, ReminderState
from studies.models.safety import ActionItem, ItemState
from studies.models.study import Study, StudyState
from studies.models.user import User
from studies.models.visit import AssessmentState, Visit

OPEN_STATES = (AssessmentState.OPEN, AssessmentState.IN_PROGRESS, AssessmentState.LATE)
UNSETTLED = tuple(
    set(AssessmentState.values) - {AssessmentState.SUBMITTED, AssessmentState.CANCELLED}
)
ENDED = {
    ParticipantState.COMPLETED,
    ParticipantState.DECLINED,
    ParticipantState.INELIGIBLE,
    ParticipantState.WITHDRAWN,
}


class Attention(models.TextChoices):
    """Why a participant needs somebody, the most urgent first."""

    SAFETY = "safety", _("Safety: somebody must look")
    CONTACT = "contact", _("Contact to verify")
    ALLOCATE = "allocate", _("Ready to be allocated")
    CLOSING = "closing", _("Visit closes soon")
    LATE = "late", _("Visit is late")
    MISSED = "missed", _("Missed a visit")
    NO_ADDRESS = "no_address", _("No email address for reminders")
    QUERY = "query", _("Open query")
    LINK = "link", _("Link was not used in time")
    OPEN = "open", _("Visit is open")
    WAITING = "waiting", _("Waiting for the participant")
    NONE = "none", _("Nothing to do")


ORDER = {attention: place for place, attention in enumerate(Attention)}
# What a visit is worth, and under which name its first week is counted.
BY_VISIT = (
    (Attention.CLOSING, "closing_week", OPEN_STATES),
    (Attention.LATE, "late_week", (AssessmentState.LATE,)),
    (Attention.MISSED, "missed_week", (AssessmentState.MISSED,)),
    (Attention.OPEN, "open_week", OPEN_STATES),
    (Attention.NONE, "next_week", UNSETTLED),
)

# What asks for somebody whatever the visits say, and under which name it is looked up.
BESIDE_VISITS = (
    (Attention.SAFETY, "has_item"),
    (Attention.NO_ADDRESS, "lacks_address"),
    (Attention.QUERY, "has_query"),
)
CLOSES_SOON = timedelta(days=2)
# A reminder that was held back longer ago says nothing about now.
HELD_LATELY = timedelta(days=7)
NO_ADDRESS_REASON = "no_address"

Counted = dict[str, object]


@dataclass(frozen=True, slots=True)
class WorklistRow:
    """One participant in the worklist."""

    participant: Participant
    attention: Attention
    visit: Visit | None
    n_done: int
    n_planned: int


@dataclass(frozen=True, slots=True)
class _Place:
    """Where somebody stands in the worklist, before anything else of them is read."""

    participant: int
    attention: Attention
    week: int | None
    n_done: int
    n_planned: int


class Worklist(Sequence[WorklistRow]):
    """The participants somebody may see, whoever needs them first; rows are read when asked for."""

    def __init__(self, places: Sequence[_Place]) -> None:
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, place: int | slice) -> WorklistRow | list[WorklistRow]:
        """Return one row, or a page of them in two queries."""
        if isinstance(place, slice):
            return _rows(self._places[place])
        return _rows([self._places[place]])[0]

    def __iter__(self) -> Iterator[WorklistRow]:
        return iter(_rows(self._places))


def worklist(study: Study, seen_by: User) -> Worklist:
    """Return the participants somebody may see, whoever needs them first."""
    visible = Participant.objects.visible_to(seen_by).filter(study=study)
    counted = visible.annotate(
        n_planned=Count("visits__assessments"),
        n_done=Count("visits__assessments", filter=_in(AssessmentState.SUBMITTED)),
        **{
            name: Min("visits__week", filter=_visits_for(a, states)) for a, name, states in BY_VISIT
        },
        has_link=Exists(_usable_links()),
        has_item=Exists(_waiting_items()),
        has_query=Exists(_open_queries()),
        lacks_address=Exists(_held_reminders()),
    )
    is_over = study.state not in {StudyState.DRAFT, StudyState.OPEN}
    names = ("pk", "state", "n_planned", "n_done", "has_link", *(name for _a, name, _s in BY_VISIT))
    names += tuple(name for _attention, name in BESIDE_VISITS)
    if study.plan.consent.verify_contact:
        counted = counted.annotate(is_unreached=Q(contact_verified_at=None))
        names += ("is_unreached",)
    found = counted.order_by("enrolled_at", "pk").values(*names)
    places = [(ORDER[place.attention], place) for place in (_place(row, is_over) for row in found)]
    return Worklist([place for _order, place in sorted(places, key=itemgetter(0))])


def _place(row: Counted, is_over: bool) -> _Place:
    visits = (Attention.NONE, None) if is_over else _attention(row)
    beside = [(attention, None) for attention, name in BESIDE_VISITS if row[name]]
    attention, week = min([visits, *beside], key=lambda found: ORDER[found[0]])
    return _Place(row["pk"], attention, week, row["n_done"], row["n_planned"])


def _attention(row: Counted) -> tuple[Attention, int | None]:
    state = row["state"]
    if state in ENDED:
        return Attention.NONE, None
    if state == ParticipantState.BASELINE_DONE:
        return (Attention.CONTACT if row.get("is_unreached") else Attention.ALLOCATE), None
    if state == ParticipantState.INVITED:
        return (Attention.WAITING if row["has_link"] else Attention.LINK), None
    by_visit = ((attention, row[name]) for attention, name, _states in BY_VISIT)
    return next((found for found in by_visit if found[1] is not None), (Attention.NONE, None))


def _rows(places: Sequence[_Place]) -> list[WorklistRow]:
    keys = [place.participant for place in places]
    people = Participant.objects.in_bulk(keys)
    visits = {(v.participant_id, v.week): v for v in Visit.objects.filter(participant__in=keys)}
    return [
        WorklistRow(
            participant=people[place.participant],
            attention=place.attention,
            visit=visits.get((place.participant, place.week)),
            n_done=place.n_done,
            n_planned=place.n_planned,
        )
        for place in places
    ]


def _in(*states: str) -> Q:
    return Q(visits__assessments__state__in=states)


def _visits_for(attention: Attention, states: Sequence[str]) -> Q:
    """Return which visits ask for this attention: by their state, and by when they close."""
    if attention != Attention.CLOSING:
        return _in(*states)
    now = clock.now()
    return _in(*states) & Q(visits__closes_at__gt=now, visits__closes_at__lte=now + CLOSES_SOON)


def _waiting_items() -> models.QuerySet[ActionItem]:
    items = ActionItem.objects.filter(participant=OuterRef("pk"))
    return items.exclude(state=ItemState.DONE)


def _open_queries() -> models.QuerySet[DataQuery]:
    queries = DataQuery.objects.filter(assessment__visit__participant=OuterRef("pk"))
    return queries.exclude(state=QueryState.CLOSED)


def _held_reminders() -> models.QuerySet[Reminder]:
    """Return the reminders that lately found no address, of who still takes part."""
    return Reminder.objects.filter(
        participant=OuterRef("pk"),
        participant__state__in=(ParticipantState.CONSENTED, ParticipantState.ALLOCATED),
        state=ReminderState.HELD,
        reason=NO_ADDRESS_REASON,
        changed_at__gte=clock.now() - HELD_LATELY,
    )


def _usable_links() -> models.QuerySet[PrivateLink]:
    """Return the links by which an invited person can come: with a PIN, or in time to set one."""
    own = PrivateLink.objects.filter(participant=OuterRef("pk"), holder=Holder.PARTICIPANT)
    live = own.filter(revoked_at=None)
    return live.filter(~Q(pin_hash="") | Q(pin_due_at__gte=clock.now()))
