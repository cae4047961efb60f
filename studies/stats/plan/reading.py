"""Reading an analysis plan from JSON data: every key known, every value what it should be."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from studies.stats.change import Direction
from studies.stats.design.interim import Spending
from studies.stats.errors import PlanError
from studies.stats.family import Adjustment
from studies.stats.plan.plan import (
    ESTIMAND,
    METHODS,
    STRATEGIES,
    AnalysisPlan,
    Looks,
    Mediator,
    PlannedOutcome,
    Primary,
    Scheme,
    schema,
    visit_label,
)
from studies.stats.plan.responder_rules import rule_of
from studies.stats.regression.small_sample import SmallSample

REQUIRED = ("columns", "reference_arm", "visits", "outcomes", "primary")


def plan_of(data: Any) -> AnalysisPlan:
    """Return the plan that JSON data describe.

    Raises
    ------
    PlanError
        A key is missing, unknown, or holds what it should not; the message names it.
    """
    _object(data, "the plan")
    _refuse_unknown(data, schema()["properties"], "the plan")
    for key in REQUIRED:
        if key not in data:
            raise PlanError(f"expected {key!r} in the plan, got none. Add it.")
    columns = _columns(data["columns"])
    visits = _labels(data["visits"], "visits")
    outcomes = tuple(_outcome(name, about) for name, about in _object(data["outcomes"], "outcomes"))
    plan = AnalysisPlan(
        id_column=columns["id"],
        arm_column=columns["arm"],
        visit_column=columns["visit"],
        reference_arm=_label(data["reference_arm"], "reference_arm"),
        visits=visits,
        outcomes=outcomes,
        primary=_primary(data["primary"]),
        **{name: read(data[key]) for key, (name, read) in _OPTIONS.items() if key in data},
        **_sensitivity(data.get("sensitivity", {})),
    )
    _require_sense(plan)
    return plan


def _require_sense(plan: AnalysisPlan) -> None:
    names = [outcome.name for outcome in plan.outcomes]
    _one_of(plan.primary.outcome, names, "primary.outcome")
    _one_of(plan.primary.visit, plan.visits, "primary.visit")
    for name in plan.hierarchy:
        _one_of(name, names, "hierarchy")
    if plan.hierarchy and plan.hierarchy[0] != plan.primary.outcome:
        raise PlanError(
            f"expected the hierarchy to begin with {plan.primary.outcome!r}, the primary outcome, "
            f"got {plan.hierarchy[0]!r}."
        )
    if plan.baseline_visit in plan.visits:
        raise PlanError(
            f"expected follow-up visits other than the baseline, got {plan.baseline_visit} in both."
        )
    if plan.arms and plan.reference_arm not in plan.arms:
        raise PlanError(
            f"expected the reference arm among the arms, got {plan.reference_arm!r}. Add it there."
        )
    _require_supplements(plan, names)
    if plan.randomisation and plan.arms and set(plan.randomisation.ratios) != set(plan.arms):
        raise PlanError("expected a ratio for each arm in 'randomisation', got other names.")


def _require_supplements(plan: AnalysisPlan, names: list[str]) -> None:
    for mediator in plan.mediators:
        _one_of(mediator.outcome, names, "mediation.outcome")
        before = plan.visits[: plan.visits.index(plan.primary.visit)]
        if mediator.visit not in before:
            raise PlanError(
                f"expected a mediator at a follow-up visit before {plan.primary.visit}, got "
                f"{mediator.visit}. What comes later cannot be on the way."
            )
    for name in plan.reliability:
        _one_of(name, names, "reliability")


def _columns(data: Any) -> dict[str, str]:
    _object(data, "columns")
    _refuse_unknown(data, ("id", "arm", "visit"), "columns")
    for key in ("id", "arm", "visit"):
        if key not in data:
            raise PlanError(f"expected {key!r} in columns, got none. Say which column it is.")
    return {key: _text(value, f"columns.{key}") for key, value in data.items()}


def _outcome(name: str, data: Any) -> PlannedOutcome:
    _object(data, f"outcomes.{name}")
    allowed = schema()["properties"]["outcomes"]["additionalProperties"]["properties"]
    _refuse_unknown(data, allowed, f"outcomes.{name}")
    direction = data.get("direction", "lower")
    _one_of(direction, list(Direction), f"outcomes.{name}.direction")
    margin = data.get("margin")
    if margin is not None and _number(margin, f"outcomes.{name}.margin") <= 0:
        raise PlanError(f"expected a positive margin of {name}, got {margin}.")
    return PlannedOutcome(
        name, _text(data.get("column", name), f"outcomes.{name}.column"), Direction(direction),
        rule_of(data["responder"]) if data.get("responder") is not None else None,
        None if margin is None else float(margin), data,
    )  # fmt: skip


def _primary(data: Any) -> Primary:
    _object(data, "primary")
    _refuse_unknown(data, schema()["properties"]["primary"]["properties"], "primary")
    for key in ("outcome", "visit"):
        if key not in data:
            raise PlanError(f"expected {key!r} in primary, got none. Add it.")
    method = data.get("method", "mmrm")
    small_sample = data.get("df", "kenward_roger")
    adjust = data.get("adjust", "holm")
    _one_of(method, METHODS, "primary.method")
    _one_of(small_sample, list(SmallSample), "primary.df")
    _one_of(adjust, list(Adjustment), "primary.adjust")
    return Primary(
        _text(data["outcome"], "primary.outcome"), _label(data["visit"], "primary.visit"), method,
        SmallSample(small_sample), Adjustment(adjust),
    )  # fmt: skip


def _scheme(data: Any) -> Scheme:
    _object(data, "randomisation")
    _refuse_unknown(data, ("ratios", "sizes", "draws"), "randomisation")
    ratios = {
        _text(arm, "randomisation.ratios"): _whole(ratio, "randomisation.ratios")
        for arm, ratio in _object(data.get("ratios", {}), "randomisation.ratios")
    }
    sizes = tuple(_whole(size, "randomisation.sizes") for size in _list(data.get("sizes"), "sizes"))
    unit = sum(ratios.values())
    if not sizes or not unit or any(size % unit for size in sizes):
        raise PlanError(
            f"expected block sizes that are multiples of {unit} (the sum of the ratios), got "
            f"{list(sizes)}."
        )
    return Scheme(ratios, sizes, _whole(data.get("draws", 10_000), "randomisation.draws"))


def _mediators(data: Any) -> tuple[Mediator, ...]:
    found = []
    for item in _list(data, "mediation"):
        _object(item, "mediation")
        _refuse_unknown(item, ("outcome", "visit"), "mediation")
        found.append(
            Mediator(
                _text(item.get("outcome"), "mediation.outcome"),
                _label(item.get("visit"), "mediation.visit"),
            )
        )
    return tuple(found)


def _items(data: Any) -> dict[str, tuple[str, ...]]:
    return {name: _texts(items, f"reliability.{name}") for name, items in _object(data,
            "reliability")}  # fmt: skip


def _looks(data: Any) -> Looks:
    _object(data, "interim")
    allowed = ("information", "now", "spending", "alpha", "difference")
    _refuse_unknown(data, allowed, "interim")
    fractions = tuple(
        _number(part, "interim.information")
        for part in _list(data.get("information"), "interim.information")
    )
    rising = all(a < b for a, b in pairwise((0.0, *fractions)))
    if not fractions or not rising or fractions[-1] > 1:
        raise PlanError(
            f"expected rising fractions above 0 and up to 1 for interim.information, got "
            f"{list(fractions)}."
        )
    now = _whole(data.get("now", len(fractions)), "interim.now")
    if now > len(fractions):
        raise PlanError(f"expected one of {len(fractions)} looks for interim.now, got {now}.")
    spending = data.get("spending", str(Spending.OBRIEN_FLEMING))
    _one_of(spending, list(Spending), "interim.spending")
    alpha = _number(data.get("alpha", 0.025), "interim.alpha")
    if not 0 < alpha < 0.5:
        raise PlanError(f"expected a one-sided alpha between 0 and 0.5, got {alpha}.")
    difference = data.get("difference")
    return Looks(
        fractions, now, Spending(spending), alpha,
        None if difference is None else _number(difference, "interim.difference"),
    )  # fmt: skip


def _sensitivity(data: Any) -> dict[str, Any]:
    _object(data, "sensitivity")
    _refuse_unknown(data, ("strategies", "deltas"), "sensitivity")
    found: dict[str, Any] = {}
    if "strategies" in data:
        found["sensitivity"] = _texts(data["strategies"], "sensitivity.strategies")
        for name in found["sensitivity"]:
            _one_of(name, STRATEGIES, "sensitivity.strategies")
    if "deltas" in data:
        deltas = _list(data["deltas"], "sensitivity.deltas")
        found["tipping_deltas"] = tuple(_number(delta, "sensitivity.deltas") for delta in deltas)
    return found


def _estimand(data: Any) -> dict[str, str]:
    _object(data, "estimand")
    _refuse_unknown(data, ESTIMAND, "estimand")
    return {name: _text(words, f"estimand.{name}") for name, words in data.items()}


def _level(value: Any) -> float:
    level = _number(value, "level")
    if not 0.5 <= level < 1:
        raise PlanError(f"expected a level of 0.5 to 1, such as 0.95, got {value}.")
    return level


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise PlanError(f"expected true or false for baseline_by_visit, got {value!r}.")
    return value


def _object(data: Any, where: str) -> Any:
    if not isinstance(data, Mapping):
        raise PlanError(f"expected an object for {where}, got {data!r}.")
    return data.items()


def _list(data: Any, where: str) -> list[Any]:
    if not isinstance(data, list):
        raise PlanError(f"expected a list for {where}, got {data!r}.")
    return data


def _refuse_unknown(data: Mapping[str, Any], allowed: Any, where: str) -> None:
    unknown = sorted(set(data) - set(allowed))
    if unknown:
        raise PlanError(
            f"expected {', '.join(sorted(allowed))} in {where}, got {', '.join(unknown)}. "
            "Correct the name or leave it out."
        )


def _one_of(value: Any, allowed: Any, where: str) -> None:
    if not isinstance(value, str) or value not in [str(item) for item in allowed]:
        names = ", ".join(str(item) for item in allowed)
        raise PlanError(f"expected one of {names} for {where}, got {value!r}.")


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise PlanError(f"expected a name for {where}, got {value!r}.")
    return value


def _texts(value: Any, where: str) -> tuple[str, ...]:
    return tuple(_text(item, where) for item in _list(value, where))


def _label(value: Any, where: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise PlanError(f"expected a name or a number for {where}, got {value!r}.")
    return visit_label(value)


def _labels(value: Any, where: str) -> tuple[str, ...]:
    labels = tuple(_label(item, where) for item in _list(value, where))
    if not labels or len(set(labels)) != len(labels):
        raise PlanError(f"expected different {where}, one or more, got {value!r}.")
    return labels


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PlanError(f"expected a number for {where}, got {value!r}.")
    return float(value)


def _whole(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise PlanError(f"expected a whole number of 1 or more for {where}, got {value!r}.")
    return value


_OPTIONS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    # A plan that is written out with all its defaults can be read again: empty means none here.
    "arms": ("arms", lambda value: _labels(value, "arms") if value != [] else ()),
    "baseline_visit": ("baseline_visit", lambda value: _label(value, "baseline_visit")),
    "strata": ("strata", lambda value: _texts(value, "strata")),
    "covariates": ("covariates", lambda value: _texts(value, "covariates")),
    "baseline_by_visit": ("baseline_by_visit", _flag),
    "hierarchy": ("hierarchy", lambda value: _texts(value, "hierarchy")),
    "level": ("level", _level),
    "randomisation": ("randomisation", _scheme),
    "estimand": ("estimand", _estimand),
    "adherence": (
        "adherence_column", lambda value: value if value == "" else _text(value, "adherence"),
    ),
    "mediation": ("mediators", _mediators),
    "exposure": ("exposure", lambda value: _texts(value, "exposure")),
    "reliability": ("reliability", _items),
    "interim": ("interim", _looks),
    "seed": ("seed", lambda value: _whole(value, "seed")),
    "missing_codes": (
        "missing_codes", lambda value: tuple(str(item) for item in _list(value, "missing_codes")),
    ),
}  # fmt: skip
