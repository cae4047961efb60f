"""The analysis plan as data: what is analysed, how, and in what order, before anything is seen.

A plan is JSON of the published schema `plan.schema.json` beside this file. Its smallest form
names the columns, the reference arm, the visits, the outcomes and the primary analysis;
everything else has the default that the schema states. A plan's hash is that of its whole
content, defaults included, so that a locked plan can be recognised.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from studies.stats.change import Direction
from studies.stats.design.interim import Spending
from studies.stats.family import Adjustment
from studies.stats.plan.responder_rules import Rule
from studies.stats.regression.small_sample import SmallSample

SCHEMA = Path(__file__).with_name("plan.schema.json")
METHODS = ("mmrm", "clda", "ancova")
ESTIMAND = ("treatment", "population", "variable", "intercurrent_events", "summary")
STRATEGIES = ("MAR", "J2R", "CR", "CIR")
MISSING_CODES = ("", "NA", "NaN", ".")


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
class Mediator:
    """Another outcome at an earlier visit, on the way from the arm to the primary outcome."""

    outcome: str
    visit: str


@dataclass(frozen=True, slots=True)
class Looks:
    """When the trial is looked at, and what each look may spend.

    `information` holds the fractions of all planned looks; those up to `now` have been taken.
    `difference` is the planned one in points, for blinded re-estimation of the sample size.
    """

    information: tuple[float, ...]
    now: int
    spending: Spending = Spending.OBRIEN_FLEMING
    alpha: float = 0.025
    difference: float | None = None


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
    mediators: tuple[Mediator, ...] = ()
    exposure: tuple[str, ...] = ()
    reliability: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    interim: Looks | None = None
    estimand: Mapping[str, str] = field(default_factory=dict)
    seed: int = 1
    missing_codes: tuple[str, ...] = MISSING_CODES

    @property
    def varying_columns(self) -> tuple[str, ...]:
        """Columns of numbers of their own at each visit, besides the outcomes'."""
        items = (column for columns in self.reliability.values() for column in columns)
        return tuple(dict.fromkeys((*self.exposure, *items)))

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
        return data | self._supplements()

    def _supplements(self) -> dict[str, Any]:
        """Return what is asked for beyond the comparison of arms; nothing where nothing is."""
        data: dict[str, Any] = {}
        if self.mediators:
            data["mediation"] = [asdict(mediator) for mediator in self.mediators]
        if self.exposure:
            data["exposure"] = list(self.exposure)
        if self.reliability:
            data["reliability"] = {name: list(items) for name, items in self.reliability.items()}
        if self.interim:
            looks = self.interim
            data["interim"] = {
                "information": list(looks.information), "now": looks.now,
                "spending": str(looks.spending), "alpha": looks.alpha,
            }  # fmt: skip
            if looks.difference is not None:
                data["interim"]["difference"] = looks.difference
        return data


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
