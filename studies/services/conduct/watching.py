"""Answers that want a look: the protocol's safety rules, asked of whatever was handed in.

The page that takes an answer asks at once, and the scheduler asks again about the last days, so
that nothing is lost between a questionnaire and the item it opens. A rule opens one item for one
questionnaire, however often it is asked.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from questionnaires.selectors import asked_answers_of, score_table
from studies import clock
from studies.design.safety import SafetyPlan, rules_met
from studies.models.participant import Participant
from studies.models.safety import ActionItem, ItemKind
from studies.models.visit import Assessment, AssessmentState
from studies.services.conduct.items import About, open_item

WATCHED = timedelta(days=7)

Facts = Mapping[str, float | None]


def look_at_answers(*, participant: Participant | None = None) -> int:
    """Open an item for every safety rule that lately answered questions met; return how many."""
    rows = _lately(participant)
    scores = score_table([row.response_id for row in rows])
    baselines = _baselines({row.visit.participant_id for row in rows})
    plans: dict[int, SafetyPlan] = {}
    opened = 0
    for row in rows:
        study = row.visit.participant.study
        plan = plans.setdefault(study.pk, study.plan.safety)
        facts = _facts(row, scores[row.response_id], plan)
        opened += _open(row, plan, facts, baselines.get(row.visit.participant_id, {}))
    return opened


def _open(row: Assessment, plan: SafetyPlan, facts: Facts, baseline: Facts) -> int:
    # Baseline is where a rise begins: it is none itself.
    before = baseline if row.visit.week else {}
    opened = 0
    for rule in rules_met(plan, facts, before):
        key = f"{ItemKind.RULE}:{row.pk}:{rule.name}"
        if ActionItem.objects.filter(key=key).exists():
            continue
        open_item(
            participant=row.visit.participant,
            kind=ItemKind.RULE,
            key=key,
            due_at=clock.now() + timedelta(hours=rule.due_hours),
            about=About(assessment=row, told=f"{rule.name}: {rule.fact} {facts[rule.fact]:g}"),
        )
        opened += 1
    return opened


def _lately(participant: Participant | None) -> list[Assessment]:
    rows = Assessment.objects.filter(
        state=AssessmentState.SUBMITTED, response__submitted_at__gte=clock.now() - WATCHED
    )
    if participant is not None:
        rows = rows.filter(visit__participant=participant)
    return list(rows.select_related("visit__participant__study", "response"))


def _facts(row: Assessment, scores: Facts, plan: SafetyPlan) -> dict[str, float | None]:
    facts = {f"{row.instrument}_{name}": value for name, value in scores.items()}
    if any(rule.fact.startswith(f"{row.instrument}.") for rule in plan.rules):
        answers = asked_answers_of(row.response)
        numbers = {key: value for key, value in answers.items() if isinstance(value, int | float)}
        facts |= {f"{row.instrument}.{key}": value for key, value in numbers.items()}
    return facts


def _baselines(participants: Iterable[int]) -> dict[int, dict[str, float | None]]:
    done = Assessment.objects.filter(
        visit__participant__in=participants, visit__week=0, state=AssessmentState.SUBMITTED
    )
    whose = {row.response_id: row for row in done.select_related("visit")}
    found: dict[int, dict[str, float | None]] = {}
    for response_id, scores in score_table(whose).items():
        row = whose[response_id]
        facts = found.setdefault(row.visit.participant_id, {})
        facts |= {f"{row.instrument}_{name}": value for name, value in scores.items()}
    return found
