"""The flow of participants (CONSORT 2025, item 22), counted from their states as they are now.

While the study is blinded everybody is in one column. Numbers come from a handful of queries,
however many people there are.

References
----------
Hopewell S et al. (2025), CONSORT 2025 statement, items 22a and 22b.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from studies.models.consent import Withdrawal, WithdrawalScope
from studies.models.participant import Participant, ParticipantState
from studies.models.study import Study
from studies.models.visit import Assessment, AssessmentState, Visit
from studies.selectors.outcomes import arm_labels, arm_order

# Everybody who was not allocated is in one of these, for a reason or on the way.
OUT = (ParticipantState.DECLINED, ParticipantState.INELIGIBLE, ParticipantState.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class VisitFlow:
    """How many of an arm handed in everything of a visit, missed some, or have it to come."""

    week: int
    n_done: int
    n_missed: int
    n_to_come: int


@dataclass(frozen=True, slots=True)
class ArmFlow:
    """One column of the flow after allocation."""

    arm: str
    n_allocated: int
    n_stopped: int
    n_left: int
    n_took_data_back: int
    visits: tuple[VisitFlow, ...]

    @property
    def n_analysed(self) -> int:
        """Everybody who was allocated and left their data."""
        return self.n_allocated - self.n_took_data_back


@dataclass(frozen=True, slots=True)
class Flow:
    """The whole flow: everybody who was invited is allocated, out, or on the way."""

    n_invited: int
    out: tuple[tuple[str, int], ...]
    n_on_the_way: int
    arms: tuple[ArmFlow, ...]

    @property
    def n_allocated(self) -> int:
        """How many were allocated, in all columns."""
        return sum(arm.n_allocated for arm in self.arms)


def flow_of(study: Study) -> Flow:
    """Return the flow of a study as it stands now."""
    people = _people(study)
    allocated = [code for code, _state, was_allocated in people if was_allocated]
    others = Counter(state for _code, state, was_allocated in people if not was_allocated)
    columns: dict[str, list[str]] = defaultdict(list)
    for code, arm in arm_labels(study, allocated).items():
        columns[arm].append(code)
    left, sheets = _withdrawn(study), _sheets(study)
    return Flow(
        n_invited=len(people),
        out=tuple((_label(state), others[state.value]) for state in OUT if others[state.value]),
        n_on_the_way=others.total() - sum(others[state.value] for state in OUT),
        arms=tuple(_arm(arm, columns[arm], left, sheets) for arm in arm_order(study)),
    )


def _people(study: Study) -> list[tuple[str, str, bool]]:
    """Return code, state and whether somebody was allocated: from then on follow-up is planned."""
    planned = Visit.objects.filter(participant=OuterRef("pk"), week__gt=0)
    people = Participant.objects.filter(study=study).annotate(was_allocated=Exists(planned))
    return list(people.order_by("code").values_list("code", "state", "was_allocated"))


def _withdrawn(study: Study) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    rows = Withdrawal.objects.filter(participant__study=study)
    for code, scope in rows.values_list("participant__code", "scope"):
        found[scope].add(code)
    return found


def _sheets(study: Study) -> dict[int, dict[str, set[str]]]:
    """Return the states of everybody's questionnaires after baseline, by week and code."""
    found: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    rows = Assessment.objects.filter(visit__participant__study=study, visit__week__gt=0)
    for week, code, state in rows.values_list(
        "visit__week", "visit__participant__code", "state"
    ).distinct():
        found[week][code].add(state)
    return found


def _arm(
    arm: str,
    codes: Iterable[str],
    left: dict[str, set[str]],
    sheets: dict[int, dict[str, set[str]]],
) -> ArmFlow:
    own = set(codes)
    gone = left[WithdrawalScope.CONTACT] | left[WithdrawalScope.DATA]
    return ArmFlow(
        arm=arm,
        n_allocated=len(own),
        n_stopped=len(own & left[WithdrawalScope.INTERVENTION] - gone),
        n_left=len(own & gone),
        n_took_data_back=len(own & left[WithdrawalScope.DATA]),
        visits=tuple(_visit(week, own, sheets[week]) for week in sorted(sheets)),
    )


def _visit(week: int, own: set[str], states: dict[str, set[str]]) -> VisitFlow:
    done = lost = 0
    for code in own & set(states):
        done += states[code] == {AssessmentState.SUBMITTED}
        lost += bool(states[code] & {AssessmentState.MISSED, AssessmentState.CANCELLED})
    return VisitFlow(week, done, lost, len(own) - done - lost)


def _label(state: ParticipantState) -> str:
    labels = {
        ParticipantState.DECLINED: _("declined"),
        ParticipantState.INELIGIBLE: _("not eligible"),
        ParticipantState.WITHDRAWN: _("left before allocation"),
    }
    return labels[state]
