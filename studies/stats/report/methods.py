"""The methods, written from the plan: a paragraph that says what was really done."""

import platform
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import scipy

from studies.stats.plan.plan import AnalysisPlan
from studies.stats.regression.small_sample import SmallSample
from studies.stats.report.wording import Words

_DF = {
    SmallSample.KENWARD_ROGER: "prose.kenward_roger",
    SmallSample.SATTERTHWAITE: "prose.satterthwaite",
}


def methods_text(plan: AnalysisPlan, words: Words, *, is_blinded: bool) -> str:
    """Return the methods paragraph."""
    joint = "" if words.tag.startswith("zh") else " "
    return joint.join(_sentences(plan, words, is_blinded=is_blinded))


def rule_text(rule: Mapping[str, Any], words: Words) -> str:
    """Return who counts as a responder, in words."""
    ((kind, value),) = rule.items()
    if kind in ("any", "all"):
        parts = words("rule_joint").join(rule_text(part, words) for part in value)
        return words(f"rules.{kind}", parts=parts)
    return words(f"rules.{kind}", value=f"{value:g}")


def _sentences(plan: AnalysisPlan, words: Words, *, is_blinded: bool) -> Iterator[str]:
    yield words("prose.who")
    if is_blinded:
        yield words("prose.pooled")
    yield from _leading(plan, words)
    yield from _further(plan, words)
    yield words("prose.rates")
    yield words(
        "prose.software", python=platform.python_version(), numpy=np.__version__,
        scipy=scipy.__version__, seed=plan.seed,
    )  # fmt: skip


def _leading(plan: AnalysisPlan, words: Words) -> Iterator[str]:
    primary = plan.primary
    named = (*plan.strata, *plan.covariates)
    yield words(
        f"prose.{primary.method}", outcome=words.outcome(primary.outcome), visit=primary.visit,
        visits=", ".join(plan.visits),
        by_visit=words("prose.by_visit") if plan.baseline_by_visit else "",
        strata=words("prose.strata", names=", ".join(named)) if named else "",
        df=words(_DF.get(primary.small_sample, "prose.no_df")),
    )  # fmt: skip
    yield words(
        "prose.adjust", reference=words.arm(plan.reference_arm),
        adjust=words(f"adjusts.{primary.adjust}"), level=f"{100 * plan.level:g}",
    )  # fmt: skip
    if len(plan.hierarchy) > 1:
        yield words("prose.hierarchy", names=", ".join(map(words.outcome, plan.hierarchy)))
    for outcome in plan.outcomes:
        if outcome.margin is not None:
            name = words.outcome(outcome.name)
            yield words("prose.margin", outcome=name, margin=f"{outcome.margin:g}")


def _further(plan: AnalysisPlan, words: Words) -> Iterator[str]:
    if plan.sensitivity or plan.tipping_deltas:
        names = ", ".join(words(f"methods_of.{name}") for name in plan.sensitivity)
        deltas = ", ".join(f"{delta:g}" for delta in plan.tipping_deltas)
        yield words("prose.sensitivity", names=names or words("none"), deltas=deltas or "0")
    if plan.randomisation:
        yield words("prose.randomisation", draws=f"{plan.randomisation.n_draws:,}")
    if plan.adherence_column:
        yield words("prose.adherence", column=plan.adherence_column)
    for mediator in plan.mediators:
        name = words.outcome(mediator.outcome)
        yield words("prose.mediation", name=name, visit=mediator.visit)
    if plan.exposure:
        yield words("prose.exposure", names=", ".join(plan.exposure))
    if plan.interim:
        looks = plan.interim
        fractions = ", ".join(f"{part:g}" for part in looks.information)
        yield words("prose.interim", fractions=fractions, alpha=f"{looks.alpha:g}",
                    spending=str(looks.spending).replace("_", "-"))  # fmt: skip
