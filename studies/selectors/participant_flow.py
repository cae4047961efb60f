"""The flow of participants for the report (CONSORT 2025): counts from the rows, none made up.

While the study is blinded everybody after allocation is in one pool, and who began what their arm
gives stays blank, for only listeners listen.
"""

from collections import Counter
from collections.abc import Iterable

from django.db.models import Q

from studies.models.cbt import LessonProgress
from studies.models.consent import Withdrawal, WithdrawalScope
from studies.models.listening import ListeningSession
from studies.models.participant import Participant, ParticipantState
from studies.models.study import Study
from studies.models.visit import Assessment, AssessmentState
from studies.selectors.outcomes import allocated_codes, arm_labels, arm_order
from studies.stats.report.counts import ArmFlow, Flow

LOST = {
    ParticipantState.DECLINED: "declined",
    ParticipantState.INELIGIBLE: "ineligible",
    ParticipantState.WITHDRAWN: "withdrew_before",
}
SCOPES = {
    WithdrawalScope.INTERVENTION: "stopped",
    WithdrawalScope.CONTACT: "left",
    WithdrawalScope.DATA: "took_back",
}


def flow_of(study: Study) -> Flow:
    """Return the flow as it stands now."""
    codes = allocated_codes(study)
    everybody = dict(Participant.objects.filter(study=study).values_list("code", "state"))
    lost = Counter(
        LOST.get(state, "pending") for code, state in everybody.items() if code not in codes
    )
    named = tuple((reason, lost[reason]) for reason in (*LOST.values(), "pending"))
    return Flow(len(everybody), named, tuple(_arms(study, codes)))


def _arms(study: Study, codes: frozenset[str]) -> Iterable[ArmFlow]:
    labels = arm_labels(study, sorted(codes))
    started = None if study.is_blinded else _started(study)
    ended = dict(
        Withdrawal.objects.filter(participant__study=study)
        .order_by("pk")
        .values_list("participant__code", "scope")
    )
    handed_in = _handed_in(study)
    weeks = [visit.week for visit in study.plan.visits if visit.week]
    for arm in arm_order(study):
        members = {code for code in codes if labels[code] == arm}
        scopes = Counter(SCOPES[ended[code]] for code in members if code in ended)
        yield ArmFlow(
            name=arm,
            allocated=len(members),
            started=None if started is None else len(members & started),
            **{reason: scopes[reason] for reason in SCOPES.values()},
            handed_in=tuple((str(week), len(members & handed_in.get(week, set()))) for week in
                            weeks),
        )  # fmt: skip


def _started(study: Study) -> set[str]:
    """Return who listened to something, or opened a lesson."""
    heard = ListeningSession.objects.filter(
        Q(heard_s__gt=0), assignment__participant__study=study
    ).values_list("assignment__participant__code", flat=True)
    opened = LessonProgress.objects.filter(participant__study=study)
    return {*heard, *opened.values_list("participant__code", flat=True)}


def _handed_in(study: Study) -> dict[int, set[str]]:
    """Return who handed in a questionnaire of each week."""
    rows = Assessment.objects.filter(
        state=AssessmentState.SUBMITTED, visit__participant__study=study
    ).values_list("visit__week", "visit__participant__code")
    found: dict[int, set[str]] = {}
    for week, code in rows:
        found.setdefault(week, set()).add(code)
    return found
