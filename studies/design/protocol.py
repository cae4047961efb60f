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
from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields

from studies.design.cbt_plan import CbtPlan
from studies.design.contradictions import contradictions
from studies.design.eligibility import Rule
from studies.design.errors import DesignError, ProtocolError, ProtocolFaults
from studies.design.parts import (
    ArmPlan,
    ConsentPlan,
    ConsentWording,
    Factor,
    Method,
    MusicProfile,
    Page,
    Question,
    Source,
    VisitPlan,
    require,
)
from studies.design.randomisation import BlockPlan
from studies.design.reminders import ReminderPlan
from studies.design.safety import SafetyPlan
from studies.design.screening import ScreeningPlan
from studies.design.texts import LANGUAGES, consent_pages, consent_questions

__all__ = ["ArmPlan", "Factor", "Protocol", "ProtocolError", "VisitPlan", "four_arms"]

# What a protocol from before these settings does not state.
LATER_SETTINGS = {
    "method", "distance", "chance_percent", "participants_planned", "music", "texts", "cbt",
    "reminders", "safety",
    "consent", "screening", "two_people_open", "treatment_weeks",
}  # fmt: skip


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
        Stratification, or what minimisation balances; at most six strata with blocks.
    block_sizes : tuple of int
        Multiples of the sum of the ratios; never one size equal to it. Read with blocks only.
    slots_per_stratum : int
        How long the concealed sequence is, at least.
    eligibility : tuple of Rule
        Applied to age at invitation and to the baseline scores.
    night_minutes : int
        Length of a night's mix, 1-60 minutes.
    cbt : CbtPlan, optional
        When lessons open and how the sleep window moves; the default plan where it is not stated.
    method : Method
        How participants are allocated.
    distance : str
        Of minimisation: ``range`` or ``variance`` of the arms' counts.
    chance_percent : int
        Of minimisation: how often the arm that balances best is taken, 50-95 per cent.
    participants_planned : int
        How many people the study is planned for; 0 where it is not stated.
    music : MusicProfile
        What a night's music may be.
    texts : tuple of ConsentWording
        The consent text in each language; none in a protocol from before they were part of it.
    reminders : ReminderPlan
        When people are reminded; the default plan where it is not stated.
    safety : SafetyPlan
        Which answers want a look, and where people find help; the cautious plan where not stated.
    consent : ConsentPlan
        Whose agreement it takes.
    screening : ScreeningPlan
        What is asked before consent; nothing where it is not stated.
    two_people_open : bool
        Whether one person asks for the opening and another one confirms it.
    treatment_weeks : int
        Until which week's visit music and lessons go on; 0 for the last visit.

    Raises
    ------
    ProtocolFaults
        Parts contradict one another; all of it at once.
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
    method: str = Method.BLOCKS
    distance: str = "range"
    chance_percent: int = 80
    participants_planned: int = 0
    music: MusicProfile = field(default_factory=MusicProfile)
    texts: tuple[ConsentWording, ...] = ()
    reminders: ReminderPlan = field(default_factory=ReminderPlan)
    safety: SafetyPlan = field(default_factory=SafetyPlan)
    consent: ConsentPlan = field(default_factory=ConsentPlan)
    screening: ScreeningPlan = field(default_factory=ScreeningPlan)
    two_people_open: bool = False
    treatment_weeks: int = 0
    blocks: BlockPlan | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        stated = {part.name: getattr(self, part.name) for part in fields(self) if part.init}
        if faults := list(contradictions(stated)):
            raise ProtocolFaults(faults)
        has_blocks = self.method == Method.BLOCKS
        plan = BlockPlan(self.arm_codes, self.ratios, self.block_sizes) if has_blocks else None
        object.__setattr__(self, "blocks", plan)

    @property
    def arm_codes(self) -> tuple[str, ...]:
        """The arms in their order."""
        return tuple(arm.code for arm in self.arms)

    @property
    def ratios(self) -> tuple[int, ...]:
        """The arms' ratios in their order."""
        return tuple(arm.ratio for arm in self.arms)

    @property
    def skills(self) -> CbtPlan:
        """The CBT arm's settings, stated or the default."""
        return self.cbt or CbtPlan()

    @property
    def treated_until_week(self) -> int:
        """The week of the visit that ends music and lessons."""
        return self.treatment_weeks or self.visits[-1].week

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
        require(not unknown, "only factors of the protocol", unknown)
        for factor in self.factors:
            require(
                levels.get(factor.name) in factor.levels,
                f"{factor.name} as one of {', '.join(factor.levels)}",
                levels.get(factor.name),
            )
        return ",".join(f"{factor.name}={levels[factor.name]}" for factor in self.factors)

    def stated_levels(self, stated: Mapping[str, str]) -> dict[str, str]:
        """Return the levels that a clinician states at invitation, all of them and no others.

        Raises
        ------
        ProtocolError
            A factor is not stated, its level does not exist, or it is none that is stated.
        """
        asked = [factor for factor in self.factors if factor.source == Source.STATED]
        unknown = sorted(set(stated) - {factor.name for factor in asked})
        require(not unknown, "only factors that are stated", unknown)
        for factor in asked:
            require(
                stated.get(factor.name) in factor.levels,
                f"{factor.name} as one of {', '.join(factor.levels)}",
                stated.get(factor.name),
            )
        return dict(stated)

    def levels_of(
        self,
        stated: Mapping[str, str],
        site: str,
        facts: Mapping[str, float | None],
    ) -> dict[str, str]:
        """Return the level of every factor that can be told now.

        Parameters
        ----------
        stated : mapping of str to str
            What the clinician chose at invitation.
        site : str
            The site's code.
        facts : mapping of str to float or None
            Age and baseline scores, as far as they are known.
        """
        derived = {factor.name: factor.derive(site, facts) for factor in self.factors}
        known = {name: level for name, level in derived.items() if level is not None}
        return {**stated, **known}

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
        for name in LATER_SETTINGS:
            if getattr(self, name) == DEFAULTS[name]:
                del plain[name]
        for name in ("music", "consent", "screening"):
            if name in plain:
                plain[name] = getattr(self, name).to_json()
        for factor in plain["factors"]:
            if factor["source"] == Source.STATED:
                del factor["source"], factor["fact"], factor["cuts"]
        if "texts" in plain:
            plain["texts"] = [text.to_json() for text in self.texts]
        plain["visits"] = [visit.to_json() for visit in self.visits]
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
        ProtocolFaults
            Parts are missing, unknown, of the wrong type, out of range, or contradict one another:
            everything that is wrong, at once.
        """
        if not isinstance(plain, Mapping):
            raise ProtocolFaults([f"expected the parts of a protocol, got {plain!r}."])
        unknown = sorted(set(plain) - {part.name for part in fields(cls) if part.init})
        faults = [
            f"expected parts of a protocol only, got {name!r}. Remove it." for name in unknown
        ]
        parts = {}
        for part in fields(cls):
            if not part.init:
                continue
            if part.name in plain:
                _read(part.name, plain[part.name], parts, faults)
            elif part.default is MISSING and part.default_factory is MISSING:
                faults.append(f"expected {part.name}, got nothing. Add it to the protocol.")
            else:
                parts[part.name] = DEFAULTS[part.name]
        faults += contradictions(parts)
        if faults:
            raise ProtocolFaults(faults)
        return cls(**parts)


def _read(name: str, plain: object, parts: dict[str, object], faults: list[str]) -> None:
    """Put one part among the parts, or what is wrong with it among the faults."""
    try:
        if name in LISTS:
            found = []
            for place, entry in enumerate(plain, start=1):
                try:
                    found.append(LISTS[name](entry))
                except (DesignError, KeyError, TypeError, ValueError, AttributeError) as error:
                    faults.append(f"{name} {place}: {_said(error)}")
            if len(found) == len(plain):
                parts[name] = tuple(found)
        else:
            parts[name] = READERS[name](plain)
    except (DesignError, KeyError, TypeError, ValueError, AttributeError) as error:
        faults.append(f"{name}: {_said(error)}")


def _said(error: Exception) -> str:
    if isinstance(error, DesignError):
        return str(error)
    return (
        f"expected a part as in an exported template, got one that fails with "
        f"{type(error).__name__}: {error}. Export a template and compare."
    )


def _whole(value: object) -> int:
    require(isinstance(value, int) and not isinstance(value, bool), "a whole number", value)
    return value


def _switch(value: object) -> bool:
    require(isinstance(value, bool), "true or false", value)
    return value


def _text(value: object) -> str:
    require(isinstance(value, str), "a text", value)
    return value


def _visit(plain: Mapping[str, object]) -> VisitPlan:
    return VisitPlan(**{**plain, "instruments": tuple(plain["instruments"])})


def _factor(plain: Mapping[str, object]) -> Factor:
    lists = {"levels": tuple(plain["levels"]), "cuts": tuple(plain.get("cuts", ()))}
    return Factor(**{**plain, **lists})


def _wording(plain: Mapping[str, object]) -> ConsentWording:
    pages = tuple(Page(**page) for page in plain["pages"])
    questions = tuple(_question(question) for question in plain.get("questions", ()))
    return ConsentWording(**{**plain, "pages": pages, "questions": questions})


def _question(plain: Mapping[str, object]) -> Question:
    return Question(**{**plain, "options": tuple(plain["options"])})


def _music(plain: Mapping[str, object]) -> MusicProfile:
    lists = {name: tuple(plain[name]) for name in ("styles", "downloads") if name in plain}
    return MusicProfile(**{**plain, **lists})


Reader = Callable[[object], object]
LISTS: Mapping[str, Reader] = {
    "arms": lambda plain: ArmPlan(**plain),
    "visits": _visit,
    "factors": _factor,
    "eligibility": lambda plain: Rule(**plain),
    "block_sizes": _whole,
    "texts": _wording,
}
READERS: Mapping[str, Reader] = {
    "name": _text,
    "slots_per_stratum": _whole,
    "night_minutes": _whole,
    "cbt": CbtPlan.from_json,
    "method": lambda plain: Method(plain).value,
    "distance": _text,
    "chance_percent": _whole,
    "participants_planned": _whole,
    "music": _music,
    "reminders": ReminderPlan.from_json,
    "safety": SafetyPlan.from_json,
    "consent": lambda plain: ConsentPlan(**plain),
    "screening": ScreeningPlan.from_json,
    "two_people_open": _switch,
    "treatment_weeks": _whole,
}
DEFAULTS = {
    part.name: part.default_factory() if part.default is MISSING else part.default
    for part in fields(Protocol)
    if part.init and not (part.default is MISSING and part.default_factory is MISSING)
}


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
            VisitPlan(4, instruments, window_days=5, may_decline=True, late_days=7),
            VisitPlan(8, instruments, window_days=5, may_decline=True, late_days=7),
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
        participants_planned=200,
        texts=tuple(
            ConsentWording(
                language,
                tuple(Page(**page) for page in consent_pages(language)),
                tuple(_question(question) for question in consent_questions(language)),
            )
            for language in LANGUAGES
        ),
        consent=ConsentPlan(verify_contact=True, mail_copies=True),
        two_people_open=True,
    )


TEMPLATES = {"li_2025": four_arms}
