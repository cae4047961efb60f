"""Choose the analysis plan, lock it, and say what later departed from it.

A study has a draft, or a locked version, or both: the draft of a change. Locking a draft supersedes
the version before, which stays on record. What was locked while nobody could know an arm is the
yardstick: whatever is analysed otherwise afterwards carries its deviations with it.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from studies import clock
from studies.exceptions import PlanRefused, ReasonMissing
from studies.models.analysis import AnalysisPlanVersion, PlanState
from studies.models.study import Study
from studies.services.planning.proposal import proposed_plan
from studies.services.trail.audit import Actor, record
from studies.stats.errors import PlanError
from studies.stats.plan.plan import AnalysisPlan
from studies.stats.plan.reading import plan_of

CHOSEN_BY_DEFAULT = "proposed by the protocol, locked with the unblinding"


@transaction.atomic
def save_plan(
    *, study: Study, content: Mapping[str, Any], actor: Actor, reason: str = ""
) -> AnalysisPlanVersion:
    """Keep the plan as the study's draft; a change to a locked plan says why.

    Raises PlanRefused where it is none, and ReasonMissing.
    """
    study = Study.objects.select_for_update().get(pk=study.pk)
    plan = read_plan(content)
    if locked_plan(study) is not None and not reason.strip():
        raise ReasonMissing("changing a locked analysis plan")
    draft = draft_of(study)
    before = draft.sha256 if draft else ""
    if draft is None:
        number = study.analysis_plans.count() + 1
        draft = AnalysisPlanVersion(study=study, number=number, created_at=clock.now())
    draft.content, draft.sha256 = plan.as_data(), plan.digest
    draft.created_by, draft.reason = actor.name, reason.strip()
    draft.save()
    record(
        actor=actor,
        action="draft_analysis_plan",
        subject=draft,
        old={"sha256": before} if before else None,
        new={"number": draft.number, "sha256": draft.sha256},
        reason=draft.reason,
    )
    return draft


@transaction.atomic
def lock_plan(*, study: Study, actor: Actor) -> AnalysisPlanVersion:
    """Lock the draft for good; the version before it is superseded.

    Raises PlanRefused where there is no draft.
    """
    study = Study.objects.select_for_update().get(pk=study.pk)
    draft = draft_of(study)
    if draft is None:
        raise PlanRefused("a draft of the analysis plan", "none")
    for old in study.analysis_plans.filter(state=PlanState.LOCKED):
        old.move_to(PlanState.SUPERSEDED)
    draft.move_to(
        PlanState.LOCKED,
        locked_at=clock.now(),
        locked_by=actor.name,
        is_before_unblinding=study.is_blinded,
    )
    record(
        actor=actor,
        action="lock_analysis_plan",
        subject=draft,
        old={"state": PlanState.DRAFT},
        new={
            "state": draft.state,
            "number": draft.number,
            "sha256": draft.sha256,
            "is_before_unblinding": draft.is_before_unblinding,
        },
        reason=draft.reason,
    )
    return draft


@transaction.atomic
def lock_before_unblinding(*, study: Study, actor: Actor) -> AnalysisPlanVersion:
    """Return the plan that holds when arms become known: locked now, if nobody has locked one.

    A draft of a change that nobody locked is left as it is: it will be a deviation.
    """
    study = Study.objects.select_for_update().get(pk=study.pk)
    locked = locked_plan(study)
    if locked is not None:
        return locked
    if draft_of(study) is None:
        content = proposed_plan(study.plan)
        save_plan(study=study, content=content, actor=actor, reason=CHOSEN_BY_DEFAULT)
    return lock_plan(study=study, actor=actor)


def read_plan(content: Mapping[str, Any]) -> AnalysisPlan:
    """Return the plan as an object; raises PlanRefused in the words of the statistics."""
    try:
        return plan_of(content)
    except PlanError as error:
        raise PlanRefused.of(error) from error


def draft_of(study: Study) -> AnalysisPlanVersion | None:
    """Return the draft, if there is one."""
    return study.analysis_plans.filter(state=PlanState.DRAFT).first()


def locked_plan(study: Study) -> AnalysisPlanVersion | None:
    """Return the version in force, if one is locked."""
    return study.analysis_plans.filter(state=PlanState.LOCKED).first()


def yardstick(study: Study) -> AnalysisPlanVersion | None:
    """Return the last version that was locked while nobody could know an arm."""
    return study.analysis_plans.filter(is_before_unblinding=True).order_by("-number").first()


def chosen_content(study: Study) -> dict[str, Any]:
    """Return what the form begins with: the draft, the version in force, or the proposal."""
    version = draft_of(study) or locked_plan(study)
    return version.content if version else proposed_plan(study.plan)


def deviations(version: AnalysisPlanVersion) -> list[dict[str, Any]]:
    """Return where a version departs from the one locked before unblinding; each with its reason.

    Empty while the study is blinded: until then a plan may change, version by version.
    """
    first = yardstick(version.study)
    if version.study.is_blinded or first is None or first.sha256 == version.sha256:
        return []
    before, after = read_plan(first.content).as_data(), read_plan(version.content).as_data()
    reason = version.reason or "not stated"
    return [
        {"part": part, "planned": before.get(part), "analysed": after.get(part), "reason": reason}
        for part in sorted(before.keys() | after.keys())
        if before.get(part) != after.get(part)
    ]
