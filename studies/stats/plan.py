"""The analysis plan as data: what is analysed, how, and in what order, before anything is seen.

A plan is JSON of the published schema `plan.schema.json` beside this file. Its smallest form
names the columns, the reference arm, the visits, the outcomes and the primary analysis;
everything else has the default that the schema states. A plan's hash is that of its whole
content, defaults included, so that a locked plan can be recognised.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from studies.stats.adjustment import Adjustment
from studies.stats.change import Direction
from studies.stats.errors import PlanError
from studies.stats.responder_rules import Rule, rule_of
from studies.stats.small_sample import SmallSample

SCHEMA = Path(__file__).with_name("plan.schema.json")
METHODS = ("mmrm", "clda", "ancova")
ESTIMAND = ("treatment", "population", "variable", "intercurrent_events", "summary")
STRATEGIES = ("MAR", "J2R", "CR", "CIR")
MISSING_CODES = ("", "NA", "NaN", ".")
REQUIRED = ("columns", "reference_arm", "visits", "outcomes", "primary")


@dataclass(frozen=True, slots=True)
class PlannedOutcome:
    """One outcome and what counts as better, as a response, and as not worse."""

    name: str
    column: str
    direction: Direction = Direction.LOWER
    responder: Rule | None = None
    margin: float | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Primary:
    """The analysis that decides."""

    outcome: str
    visit: str
    method: str = "mmrm"
    small_sample: SmallSample = SmallSample.KENWARD_ROGER
    adjust: Adjustment = Adjustment.HOLM


@dataclass(frozen=True, slots=True)
class Scheme:
    """How participants were allocated: permuted blocks within strata."""

    ratios: Mapping[str, int]
    sizes: tuple[int, ...]
    n_draws: int = 10_000


@dataclass(frozen=True, slots=True)
class AnalysisPlan:
    """Everything that the analysis of a trial does, decided beforehand."""

    id_column: str
    arm_column: str
    visit_column: str
    reference_arm: str
    visits: tuple[str, ...]
    outcomes: tuple[PlannedOutcome, ...]
    primary: Primary
    baseline_visit: str = "0"
    arms: tuple[str, ...] = ()
    strata: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    baseline_by_visit: bool = True
    hierarchy: tuple[str, ...] = ()
    level: float = 0.95
    sensitivity: tuple[str, ...] = ("J2R", "CR", "CIR")
    tipping_deltas: tuple[float, ...] = (0.0, 1.0, 2.0, 3.0)
    randomisation: Scheme | None = None
    adherence_column: str = ""
    estimand: Mapping[str, str] = field(default_factory=dict)
    seed: int = 1
    missing_codes: tuple[str, ...] = MISSING_CODES

    @property
    def digest(self) -> str:
        """SHA-256 of the plan, defaults included."""
        return hashlib.sha256(json.dumps(self.as_data(), sort_keys=True).encode()).hexdigest()

    def outcome(self, name: str) -> PlannedOutcome:
        """Return the outcome of that name."""
        return next(outcome for outcome in self.outcomes if outcome.name == name)

    def as_data(self) -> dict[str, Any]:
        """Return the plan as JSON data, with every default written out."""
        data: dict[str, Any] = {
            "columns": {"id": self.id_column, "arm": self.arm_column, "visit": self.visit_column},
            "reference_arm": self.reference_arm,
            "arms": list(self.arms),
            "baseline_visit": self.baseline_visit,
            "visits": list(self.visits),
            "outcomes": {outcome.name: dict(outcome.data) for outcome in self.outcomes},
            "strata": list(self.strata),
            "covariates": list(self.covariates),
            "baseline_by_visit": self.baseline_by_visit,
            "primary": {
                "outcome": self.primary.outcome, "visit": self.primary.visit,
                "method": self.primary.method, "df": str(self.primary.small_sample),
                "adjust": str(self.primary.adjust),
            },
            "hierarchy": list(self.hierarchy),
            "level": self.level,
            "sensitivity": {
                "strategies": list(self.sensitivity), "deltas": list(self.tipping_deltas),
            },
            "adherence": self.adherence_column,
            "estimand": dict(self.estimand),
            "seed": self.seed,
            "missing_codes": list(self.missing_codes),
        }  # fmt: skip
        if self.randomisation:
            scheme = self.randomisation
            data["randomisation"] = {
                "ratios": dict(scheme.ratios), "sizes": list(scheme.sizes), "draws": scheme.n_draws,
            }  # fmt: skip
        return data


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


def schema() -> dict[str, Any]:
    """Return the published JSON schema of a plan."""
    return json.loads(SCHEMA.read_text())


def visit_label(value: Any) -> str:
    """Return a visit's name; 8, 8.0 and "8" are one visit."""
    text = str(value).strip()
    try:
        number = float(text)
    except ValueError:
        return text
    return f"{number:g}" if abs(number) < 1e15 else text


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
    if plan.randomisation and plan.arms and set(plan.randomisation.ratios) != set(plan.arms):
        raise PlanError("expected a ratio for each arm in 'randomisation', got other names.")


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
    "arms": ("arms", lambda value: _labels(value, "arms")),
    "baseline_visit": ("baseline_visit", lambda value: _label(value, "baseline_visit")),
    "strata": ("strata", lambda value: _texts(value, "strata")),
    "covariates": ("covariates", lambda value: _texts(value, "covariates")),
    "baseline_by_visit": ("baseline_by_visit", _flag),
    "hierarchy": ("hierarchy", lambda value: _texts(value, "hierarchy")),
    "level": ("level", _level),
    "randomisation": ("randomisation", _scheme),
    "estimand": ("estimand", _estimand),
    "adherence": ("adherence_column", lambda value: _text(value, "adherence")),
    "seed": ("seed", lambda value: _whole(value, "seed")),
    "missing_codes": (
        "missing_codes", lambda value: tuple(str(item) for item in _list(value, "missing_codes")),
    ),
}  # fmt: skip
