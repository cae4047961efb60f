"""What staff look after while a trial runs: action items, events, deviations, queries.

Nothing here tells an arm while a study is blinded.
"""

from django.db.models import BooleanField, Count, ExpressionWrapper, OrderBy, Q, QuerySet

from studies.design.roles import Ability
from studies.models.deviation import TELLS_THE_ARM, Deviation
from studies.models.participant import Participant
from studies.models.query import DataQuery, QueryState
from studies.models.safety import ActionItem, AdverseEvent, EventState, ItemState
from studies.models.study import Study
from studies.models.user import User

LATELY_DONE = 20


def people_of(study: Study, user: User, ability: Ability) -> QuerySet[Participant]:
    """Return the participants of a study about whom somebody may do this."""
    return Participant.objects.visible_to(user, ability).filter(study=study)


def items_of(study: Study, user: User) -> QuerySet[ActionItem]:
    """Return the action items that somebody may act on."""
    people = people_of(study, user, Ability.HANDLE_SAFETY)
    items = ActionItem.objects.filter(participant__in=people)
    return items.select_related("participant", "owner", "event", "assessment__visit")


def waiting_items(study: Study, user: User) -> list[ActionItem]:
    """Return what waits: passed on first, then by due time."""
    waiting = items_of(study, user).exclude(state=ItemState.DONE).order_by("due_at", "pk")
    return sorted(waiting, key=lambda item: item.state != ItemState.ESCALATED)


def done_items(study: Study, user: User) -> list[ActionItem]:
    """Return what was done lately, the latest first."""
    done = items_of(study, user).filter(state=ItemState.DONE).order_by("-done_at")
    return list(done.select_related("done_by")[:LATELY_DONE])


def events_of(study: Study, user: User) -> QuerySet[AdverseEvent]:
    """Return the adverse events that somebody may act on, those still open first."""
    people = people_of(study, user, Ability.HANDLE_SAFETY)
    events = AdverseEvent.objects.filter(participant__in=people).select_related("participant")
    return events.order_by(_last(EventState.CLOSED), "-learned_at")


def deviations_of(
    study: Study, user: User, ability: Ability = Ability.SEE_PARTICIPANTS
) -> QuerySet[Deviation]:
    """Return the deviations that somebody may see; none that only one arm can have."""
    found = Deviation.objects.filter(participant__in=people_of(study, user, ability))
    if study.is_blinded:
        found = found.exclude(kind__in=TELLS_THE_ARM)
    return found.select_related("participant", "visit", "noted_by")


def queries_in(study: Study, user: User) -> QuerySet[DataQuery]:
    """Return the queries that somebody may see, those that are open first."""
    people = people_of(study, user, Ability.SEE_PARTICIPANTS)
    found = DataQuery.objects.filter(assessment__visit__participant__in=people)
    found = found.select_related("assessment__visit__participant", "asked_by")
    return found.order_by(_last(QueryState.CLOSED), "asked_at")


def open_counts(study: Study, user: User) -> dict[str, int]:
    """Return how much waits in each list, for the links that lead there; three queries."""
    people = people_of(study, user, Ability.SEE_PARTICIPANTS)
    items = ActionItem.objects.filter(participant__in=people).exclude(state=ItemState.DONE)
    queries = DataQuery.objects.filter(assessment__visit__participant__in=people)
    return {
        "items": items.count(),
        "queries": queries.exclude(state=QueryState.CLOSED).count(),
        "deviations": deviations_of(study, user).aggregate(n=Count("pk", filter=Q(state="noted")))[
            "n"
        ],
    }


def _last(state: str) -> OrderBy:
    """Return an order that puts rows in this state behind all others."""
    return OrderBy(ExpressionWrapper(Q(state=state), output_field=BooleanField()))
