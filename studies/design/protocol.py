"""The plan of a study as data: arms, visits, strata, blocks, eligibility, music.

A protocol is written as JSON, shown as a form, and frozen by the SHA-256 of its canonical JSON when
the study opens. The template `four_arms` follows Li (2025, section 4.2): CBT, LSTM-ACM, MCMG and
GAMC; PSQI and CPSS at baseline, week 4 and week 8.

Numbered deviations from the source
-----------------------------------
1. Li (2025) states neither randomisation nor strata; ours are permuted blocks of 8 and 12 by sex.
   Direction: none on the outcome, arms stay balanced within each sex.
2. Li (2025) asks for "high psychological stress" without a rule; ours is CPSS >= 26, the band of
   Yang & Huang (2003). Direction: regression to the mean lowers every arm's scores alike.

References
----------
Li (2025), section 4.2. Yang T, Huang H (2003), Chinese Journal of Epidemiology 24, 760-764.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from studies.design.cbt_plan import CbtPlan
from studies.design.eligibility import Rule
from studies.design.errors import DesignError, ProtocolError
from studies.design.randomisation import BlockPlan

ARM_KINDS = ("cbt", "music")
NIGHT_MINUTES_MIN, NIGHT_MINUTES_MAX = 1, 60
SLOTS_MAX = 5000
STRATA_MAX = 6


@dataclass(frozen=True, slots=True)
class ArmPlan:
    """One arm: printed code, kind (``cbt`` or ``music``), composer of a music arm, ratio."""

    code: str
    kind: str
    composer: str = ""
    ratio: int = 1

    def __post_init__(self) -> None:
        _require(self.kind in ARM_KINDS, "an arm kind of cbt or music", self.kind)
        _require(
            bool(self.composer) == (self.kind == "music"),
            "a composer on music arms and on no others",
            f"{self.code}: {self.kind} with composer {self.composer!r}",
        )
        _require(self.ratio >= 1, "a ratio of 1 or more", self.ratio)


@dataclass(frozen=True, slots=True)
class VisitPlan:
    """One visit: its week (0 is baseline), its instruments in order, its window in days.

    ``may_decline`` offers "I do not want to answer"; see `Protocol.may_decline` for what it does
    not reach.
    """

    week: int
    instruments: tuple[str, ...]
    window_days: int = 0
    may_decline: bool = False

    def __post_init__(self) -> None:
        _require(self.week >= 0, "a week of 0 or more", self.week)
        _require(bool(self.instruments), "at least one instrument a visit", self.instruments)
        _require(
            len(set(self.instruments)) == len(self.instruments),
            "each instrument once a visit",
            self.instruments,
        )
        _require(0 <= self.window_days <= 13, "a window of 0 to 13 days", self.window_days)


@dataclass(frozen=True, slots=True)
class Factor:
    """A stratification factor and its levels; the clinician states the level at invitation."""

    name: str
    levels: tuple[str, ...]

    def __post_init__(self) -> None:
        _require(
            len(self.levels) >= 2 and len(set(self.levels)) == len(self.levels),
            "two or more distinct levels",
            f"{self.name}: {self.levels}",
        )


@dataclass(frozen=True, slots=True)
class Protocol:
    """The whole plan.

    Parameters
    ----------
    name : str
        The template it came from.
    arms : tuple of ArmPlan
        Two or more.
    visits : tuple of VisitPlan
        By week; the first is week 0.
    factors : tuple of Factor
        Stratification; their levels make at most six strata.
    block_sizes : tuple of int
        Multiples of the sum of the ratios; never one size equal to it.
    slots_per_stratum : int
        How long the concealed sequence is, at least.
    eligibility : tuple of Rule
        Applied to age at invitation and to the baseline scores.
    night_minutes : int
        Length of a night's mix, 1-60 minutes.
    cbt : CbtPlan, optional
        When lessons open and how the sleep window moves; the default plan where it is not stated.

    Raises
    ------
    ProtocolError
        A part contradicts another or is out of range.
    """

    name: str
    arms: tuple[ArmPlan, ...]
    visits: tuple[VisitPlan, ...]
    factors: tuple[Factor, ...]
    block_sizes: tuple[int, ...]
    slots_per_stratum: int
    eligibility: tuple[Rule, ...]
    night_minutes: int
    cbt: CbtPlan | None = None
    blocks: BlockPlan = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        codes = [arm.code for arm in self.arms]
        _require(len(codes) >= 2 and len(set(codes)) == len(codes), "two or more arms", codes)
        weeks = [visit.week for visit in self.visits]
        _require(
            weeks == sorted(set(weeks)) and weeks[:1] == [0] and len(weeks) >= 2,
            "week 0 and later weeks in order",
            weeks,
        )
        _require(self.n_strata <= STRATA_MAX, f"at most {STRATA_MAX} strata", self.n_strata)
        _require(
            NIGHT_MINUTES_MIN <= self.night_minutes <= NIGHT_MINUTES_MAX,
            f"{NIGHT_MINUTES_MIN} to {NIGHT_MINUTES_MAX} night minutes",
            self.night_minutes,
        )
        _require(
            1 <= self.slots_per_stratum <= SLOTS_MAX,
            f"1 to {SLOTS_MAX} slots a stratum",
            self.slots_per_stratum,
        )
        ratios = tuple(arm.ratio for arm in self.arms)
        object.__setattr__(self, "blocks", BlockPlan(tuple(codes), ratios, self.block_sizes))

    @property
    def skills(self) -> CbtPlan:
        """The CBT arm's settings, stated or the default."""
        return self.cbt or CbtPlan()

    @property
    def n_strata(self) -> int:
        """How many strata the factors make."""
        product = 1
        for factor in self.factors:
            product *= len(factor.levels)
        return product

    @property
    def strata(self) -> tuple[str, ...]:
        """The labels of all strata, e.g. ``sex=female``."""
        labels = [()]
        for factor in self.factors:
            labels = [
                (*label, f"{factor.name}={level}") for label in labels for level in factor.levels
            ]
        return tuple(",".join(label) for label in labels)

    def stratum_of(self, levels: Mapping[str, str]) -> str:
        """Return the label of the stratum that these levels make.

        Raises
        ------
        ProtocolError
            A factor is not stated, or its level does not exist.
        """
        unknown = sorted(set(levels) - {factor.name for factor in self.factors})
        _require(not unknown, "only factors of the protocol", unknown)
        for factor in self.factors:
            _require(
                levels.get(factor.name) in factor.levels,
                f"{factor.name} as one of {', '.join(factor.levels)}",
                levels.get(factor.name),
            )
        return ",".join(f"{factor.name}={levels[factor.name]}" for factor in self.factors)

    def visit_at(self, week: int) -> VisitPlan:
        """Return the visit of this week.

        Raises
        ------
        ProtocolError
            No visit is planned then.
        """
        for visit in self.visits:
            if visit.week == week:
                return visit
        raise ProtocolError(
            f"a week of {[visit.week for visit in self.visits]} was expected, got {week}. "
            "Choose a planned visit."
        )

    def may_decline(self, week: int, instrument: str) -> bool:
        """Return whether a participant may leave items of this instrument unanswered by choice.

        Never where eligibility rests on its scores: a missing score would make nobody eligible.
        """
        decides = week == 0 and any(
            rule.fact.startswith(f"{instrument}_") for rule in self.eligibility
        )
        return self.visit_at(week).may_decline and not decides

    @property
    def may_decline_in_diaries(self) -> bool:
        """Whether diaries offer it too: where any visit does."""
        return any(visit.may_decline for visit in self.visits)

    def to_json(self) -> dict[str, object]:
        """Return the protocol as plain JSON values.

        What is not stated, or off, is left out: a protocol from before such a setting keeps its
        hash.
        """
        plain = asdict(self)
        del plain["blocks"]
        if self.cbt is None:
            del plain["cbt"]
        for visit in plain["visits"]:
            if not visit["may_decline"]:
                del visit["may_decline"]
        return json.loads(json.dumps(plain))

    @property
    def sha256(self) -> str:
        """The SHA-256 of the canonical JSON: sorted keys, no spaces, UTF-8."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @classmethod
    def from_json(cls, plain: object) -> "Protocol":
        """Return the protocol written by `to_json`.

        Raises
        ------
        ProtocolError
            A part is missing, unknown, of the wrong type, or out of range.
        """
        try:
            parts = dict(plain)
            parts["arms"] = tuple(ArmPlan(**arm) for arm in parts["arms"])
            parts["visits"] = tuple(
                VisitPlan(**{**visit, "instruments": tuple(visit["instruments"])})
                for visit in parts["visits"]
            )
            parts["factors"] = tuple(
                Factor(factor["name"], tuple(factor["levels"])) for factor in parts["factors"]
            )
            parts["eligibility"] = tuple(Rule(**rule) for rule in parts["eligibility"])
            parts["block_sizes"] = tuple(parts["block_sizes"])
            if "cbt" in parts:
                parts["cbt"] = CbtPlan.from_json(parts["cbt"])
            return cls(**parts)
        except DesignError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ProtocolError(
                f"a protocol as written by Protocol.to_json was expected, got one that fails with "
                f"{type(error).__name__}: {error}. Export a template and compare."
            ) from error


def four_arms(night_minutes: int = 30) -> Protocol:
    """Return the template: CBT, LSTM-ACM, MCMG, GAMC; PSQI and CPSS at week 0, 4 and 8."""
    instruments = ("psqi", "cpss")
    return Protocol(
        name="li_2025",
        arms=(
            ArmPlan("CBT", "cbt"),
            ArmPlan("LSTM-ACM", "music", "lstm_acm"),
            ArmPlan("MCMG", "music", "markov"),
            ArmPlan("GAMC", "music", "genetic"),
        ),
        visits=(
            VisitPlan(0, instruments, may_decline=True),
            VisitPlan(4, instruments, window_days=5, may_decline=True),
            VisitPlan(8, instruments, window_days=5, may_decline=True),
        ),
        factors=(Factor("sex", ("female", "male", "other")),),
        block_sizes=(8, 12),
        slots_per_stratum=200,
        eligibility=(
            Rule("age_years", at_least=12, at_most=18),
            Rule("cpss_total", at_least=26),
        ),
        night_minutes=night_minutes,
        cbt=CbtPlan(),
    )


TEMPLATES = {"li_2025": four_arms}


def _require(condition: bool, expected: str, got: object) -> None:
    if not condition:
        raise ProtocolError(f"expected {expected}, got {got!r}. Correct the protocol.")
