"""Who needs somebody now: everybody of a study in the order of urgency, a page at a time.

Of everybody only key and state are read; visits are compared in the database, for those who may
still answer one. Whole participants, visits and counts are read for the page that is shown only.
Nothing here tells an arm.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import models
from django.db.models import Count, Exists, Min, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from studies import clock
from studies.models.access import Holder, PrivateLink
from studies.models.consent import Consent, ConsentRole, ConsentState, CopyMail, CopyMailState
from studies.models.participant import TAKES_PART, Participant, ParticipantState
from studies.models.query import DataQuery, QueryState
from studies.models.reminder import Reminder, ReminderState
from studies.models.safety import ActionItem, ItemState
from studies.models.study import Study, StudyState
from studies.models.user import User
from studies.models.visit import Assessment, AssessmentState, Visit

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
# Who may have a visit to answer.
ANSWER = (ParticipantState.CONSENTED, ParticipantState.ALLOCATED)


class Attention(models.TextChoices):
    """Why a participant needs somebody, the most urgent first."""

    SAFETY = "safety", _("Safety: somebody must look")
    CONTACT = "contact", _("Contact to verify")
    ALLOCATE = "allocate", _("Ready to be allocated")
    CONSENT = "consent", _("Consent to the new text is missing")
    OF_AGE = "of_age", _("Of age by now: their own consent is missing")
    CLOSING = "closing", _("Visit closes soon")
    LATE = "late", _("Visit is late")
    MISSED = "missed", _("Missed a visit")
    NO_ADDRESS = "no_address", _("No email address for reminders")
    COPY = "copy", _("Signed copy did not arrive")
    QUERY = "query", _("Open query")
    LINK = "link", _("Link was not used in time")
    OPEN = "open", _("Visit is open")
    WAITING = "waiting", _("Waiting for the participant")
    NONE = "none", _("Nothing to do")


ORDER = {attention: place for place, attention in enumerate(Attention)}
# For want of which agreement nobody is allocated.
UNAGREED = {Attention.CONSENT, Attention.OF_AGE}
# What a visit is worth, and under which name its first week is counted.
BY_VISIT = (
    (Attention.CLOSING, "closing_week", OPEN_STATES),
    (Attention.LATE, "late_week", (AssessmentState.LATE,)),
    (Attention.MISSED, "missed_week", (AssessmentState.MISSED,)),
    (Attention.OPEN, "open_week", OPEN_STATES),
    (Attention.NONE, "next_week", UNSETTLED),
)

CLOSES_SOON = timedelta(days=2)
# A reminder that was held back longer ago says nothing about now.
HELD_LATELY = timedelta(days=7)
NO_ADDRESS_REASON = "no_address"
# A mail server has had its time by then.
COPY_WAITS_AT_MOST = timedelta(days=1)

Weeks = Mapping[str, int | None]
# Key, state, and when the contact was verified.
Standing = tuple[int, str, datetime | None]


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


def worklist(study: Study, seen_by: User, *, of_age: Collection[int] = ()) -> Worklist:
    """Return the participants somebody may see, whoever needs them first.

    `of_age` are those who have to consent themselves by now (`services/entry/majority.py`).
    """
    visible = Participant.objects.visible_to(seen_by).filter(study=study)
    ordered = visible.order_by("enrolled_at", "pk")
    people = list(ordered.values_list("pk", "state", "contact_verified_at"))
    is_over = study.state not in {StudyState.DRAFT, StudyState.OPEN}
    weeks = {} if is_over else _weeks(study)
    with_link = set(_usable_links(study).values_list("participant", flat=True))
    beside = [(attention, _people_in(rows)) for attention, rows in _beside_visits(study)]
    beside.append((Attention.OF_AGE, set(of_age)))
    unagreed = [found for found in beside if found[0] in UNAGREED]
    obstacles = [(Attention.CONTACT, _unreached(study, people)), *unagreed]
    places = []
    for key, state, _verified_at in people:
        visits = (Attention.NONE, None)
        if not is_over:
            visits = _attention(state, weeks.get(key, {}), has_link=key in with_link)
        if visits[0] == Attention.ALLOCATE:
            first = (attention for attention, keys in obstacles if key in keys)
            visits = (next(first, Attention.ALLOCATE), None)
        found = [visits, *((attention, None) for attention, keys in beside if key in keys)]
        attention, week = min(found, key=_urgency)
        places.append(_Place(key, attention, week))
    return Worklist(sorted(places, key=lambda place: ORDER[place.attention]))


def _unreached(study: Study, people: Iterable[Standing]) -> set[int]:
    """Return whose contact has to be verified before they are allocated."""
    if not study.plan.consent.verify_contact:
        return set()
    return {key for key, _state, verified_at in people if verified_at is None}


def _urgency(found: tuple[Attention, int | None]) -> int:
    return ORDER[found[0]]


def _weeks(study: Study) -> dict[int, Weeks]:
    """Return the first week of each kind of visit, of everybody who may still answer one."""
    under_way = Assessment.objects.filter(
        visit__participant__study=study, visit__participant__state__in=ANSWER
    )
    rows = under_way.order_by().values("visit__participant")
    counted = rows.annotate(
        **{name: Min("visit__week", filter=_visits_for(a, s)) for a, name, s in BY_VISIT}
    )
    return {row["visit__participant"]: row for row in counted}


def _attention(state: str, weeks: Weeks, *, has_link: bool) -> tuple[Attention, int | None]:
    if state in ENDED:
        return Attention.NONE, None
    if state == ParticipantState.BASELINE_DONE:
        return Attention.ALLOCATE, None
    if state == ParticipantState.INVITED:
        return (Attention.WAITING if has_link else Attention.LINK), None
    by_visit = ((attention, weeks.get(name)) for attention, name, _states in BY_VISIT)
    return next((found for found in by_visit if found[1] is not None), (Attention.NONE, None))


def _rows(places: Sequence[_Place]) -> list[WorklistRow]:
    keys = [place.participant for place in places]
    counted = Participant.objects.annotate(
        n_planned=Count("visits__assessments"),
        n_done=Count(
            "visits__assessments",
            filter=Q(visits__assessments__state=AssessmentState.SUBMITTED),
        ),
    )
    people = counted.in_bulk(keys)
    visits = {(v.participant_id, v.week): v for v in Visit.objects.filter(participant__in=keys)}
    return [
        WorklistRow(
            participant=people[place.participant],
            attention=place.attention,
            visit=visits.get((place.participant, place.week)),
            n_done=people[place.participant].n_done,
            n_planned=people[place.participant].n_planned,
        )
        for place in places
    ]


def _visits_for(attention: Attention, states: Sequence[str]) -> Q:
    """Return which visits ask for this attention: by their state, and by when they close."""
    found = Q(state__in=states)
    if attention != Attention.CLOSING:
        return found
    now = clock.now()
    return found & Q(visit__closes_at__gt=now, visit__closes_at__lte=now + CLOSES_SOON)


def _beside_visits(study: Study) -> list[tuple[Attention, models.QuerySet]]:
    """Return what asks for somebody whatever the visits say, each as keys of participants."""
    items = ActionItem.objects.filter(participant__study=study).exclude(state=ItemState.DONE)
    queries = DataQuery.objects.filter(assessment__visit__participant__study=study)
    return [
        (Attention.SAFETY, items.values_list("participant", flat=True)),
        (Attention.CONSENT, _outdated_consents(study).values_list("participant", flat=True)),
        (Attention.NO_ADDRESS, _held_reminders(study).values_list("participant", flat=True)),
        (
            Attention.COPY,
            _undelivered_copies(study).values_list("consent__participant", flat=True),
        ),
        (
            Attention.QUERY,
            queries.exclude(state=QueryState.CLOSED).values_list(
                "assessment__visit__participant", flat=True
            ),
        ),
    ]


def _people_in(rows: models.QuerySet) -> set[int]:
    return set(rows.order_by())


def _outdated_consents(study: Study) -> models.QuerySet[Consent]:
    """Return the answers to an older text that no newer one has followed yet, in an open study.

    Who is of age by now agrees alone: a consent of their own follows assent and permission too.
    """
    roles = Q(role=OuterRef("role")) | Q(role=ConsentRole.CONSENT)
    held = Consent.objects.filter(
        roles, participant=OuterRef("participant"), state=ConsentState.AGREED
    )
    return Consent.objects.filter(
        ~Exists(held),
        participant__study=study,
        participant__study__state=StudyState.OPEN,
        participant__state__in=TAKES_PART,
        state=ConsentState.SUPERSEDED,
    )


def _held_reminders(study: Study) -> models.QuerySet[Reminder]:
    """Return the reminders that lately found no address, of who still takes part."""
    return Reminder.objects.filter(
        participant__study=study,
        participant__state__in=ANSWER,
        state=ReminderState.HELD,
        reason=NO_ADDRESS_REASON,
        changed_at__gte=clock.now() - HELD_LATELY,
    )


def _undelivered_copies(study: Study) -> models.QuerySet[CopyMail]:
    """Return the signed copies that did not go out, of who has not left an open study."""
    rows = CopyMail.objects.filter(
        consent__participant__study=study, consent__participant__study__state=StudyState.OPEN
    ).exclude(consent__participant__state=ParticipantState.WITHDRAWN)
    is_stuck = Q(state=CopyMailState.WAITING, planned_at__lt=clock.now() - COPY_WAITS_AT_MOST)
    return rows.filter(Q(state=CopyMailState.DROPPED) | is_stuck)


def _usable_links(study: Study) -> models.QuerySet[PrivateLink]:
    """Return the links by which an invited person can come: with a PIN, or in time to set one."""
    own = PrivateLink.objects.filter(
        participant__study=study,
        participant__state=ParticipantState.INVITED,
        holder=Holder.PARTICIPANT,
    )
    live = own.filter(revoked_at=None)
    return live.filter(~Q(pin_hash="") | Q(pin_due_at__gte=clock.now()))
