"""Safety as part of the protocol: which answers want a look, by when, and where people find help.

A rule speaks of an item's answer (``psqi.item_5a``), of a score (``cpss_total``), or of how far a
score rose since baseline. Whatever meets it opens an action item with an owner and a due time.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from studies.design.parts import require

HOURS_MAX = 14 * 24
# What makes an adverse event serious.
# ICH E2A (1994), II.B.
CRITERIA = ("death", "life_threatening", "hospital", "disability", "congenital", "important")


@dataclass(frozen=True, slots=True)
class SafetyRule:
    """One rule; `name` is its own, `fact` an item or a score, one of the two bounds is given.

    Parameters
    ----------
    name : str
        Unique in the protocol.
    fact : str
        ``<instrument>.<item>`` or ``<instrument>_<score>``.
    at_least : float, optional
        Met by this value and above.
    rises_by : float, optional
        Met by a score that is this much above the same person's baseline.
    due_hours : int
        By when somebody has looked.
    """

    name: str
    fact: str
    at_least: float | None = None
    rises_by: float | None = None
    due_hours: int = 72

    def __post_init__(self) -> None:
        require(
            bool(self.name) and self.name.replace("_", "").isalnum() and len(self.name) <= 32,
            "a rule's name of letters, digits and underscores",
            self.name,
        )
        require(
            (self.at_least is None) != (self.rises_by is None),
            "either at_least or rises_by",
            f"{self.name}: {self.at_least}, {self.rises_by}",
        )
        require(
            self.rises_by is None or (self.rises_by > 0 and "." not in self.fact),
            "a rise above 0 of a score",
            f"{self.name}: {self.fact} by {self.rises_by}",
        )
        require("." in self.fact or "_" in self.fact, "an item or a score", self.fact)
        require(
            type(self.due_hours) is int and 1 <= self.due_hours <= HOURS_MAX,
            f"1 to {HOURS_MAX} hours",
            self.due_hours,
        )

    def is_met(
        self, facts: Mapping[str, float | None], baseline: Mapping[str, float | None]
    ) -> bool:
        """Return whether these facts meet it; what is not known meets nothing."""
        value = facts.get(self.fact)
        if value is None:
            return False
        if self.rises_by is None:
            return value >= self.at_least
        before = baseline.get(self.fact)
        return before is not None and value - before >= self.rises_by


@dataclass(frozen=True, slots=True)
class HelpLine:
    """Where somebody finds help at once, in one language."""

    language: str
    text: str

    def __post_init__(self) -> None:
        require(bool(self.text.strip()), "a help line with words", self.text)


def cautious_rules() -> tuple[SafetyRule, ...]:
    """Return the rules that hold where a protocol states none.

    Cautious settings of ours, without a published threshold behind them: whoever answers for a
    trial sets their own.
    """
    return (
        SafetyRule("sleep_worse", "psqi_total", rises_by=5, due_hours=72),
        SafetyRule("stress_worse", "cpss_total", rises_by=10, due_hours=72),
    )


@dataclass(frozen=True, slots=True)
class SafetyPlan:
    """What the protocol says about safety.

    Parameters
    ----------
    rules : tuple of SafetyRule
    help_lines : tuple of HelpLine
        Shown to participants in their language; the site's own line where there is none.
    not_ok_hours : int
        By when somebody has looked at "I am not OK".
    serious_hours : int
        By when a serious event is reported on, from the moment that staff learned of it.
    triage_hours : int
        By when any other event is triaged.
    follow_up_days : int
        How often an open event is looked at again.
    """

    rules: tuple[SafetyRule, ...] = cautious_rules()
    help_lines: tuple[HelpLine, ...] = ()
    not_ok_hours: int = 24
    serious_hours: int = 24
    triage_hours: int = 72
    follow_up_days: int = 7

    def __post_init__(self) -> None:
        names = [rule.name for rule in self.rules]
        require(len(set(names)) == len(names), "safety rules of different names", names)
        for hours in (self.not_ok_hours, self.serious_hours, self.triage_hours):
            require(
                type(hours) is int and 1 <= hours <= HOURS_MAX, f"1 to {HOURS_MAX} hours", hours
            )
        require(1 <= self.follow_up_days <= 28, "1 to 28 days", self.follow_up_days)

    def lines_in(self, language: str) -> tuple[str, ...]:
        """Return the help lines in a language."""
        return tuple(line.text for line in self.help_lines if line.language == language)

    @classmethod
    def from_json(cls, plain: Mapping[str, object]) -> "SafetyPlan":
        """Return the plan that `to_json` made plain."""
        parts = dict(plain)
        if "rules" in parts:
            parts["rules"] = tuple(SafetyRule(**rule) for rule in parts["rules"])
        if "help_lines" in parts:
            parts["help_lines"] = tuple(HelpLine(**line) for line in parts["help_lines"])
        return cls(**parts)


def rules_met(
    plan: SafetyPlan,
    facts: Mapping[str, float | None],
    baseline: Mapping[str, float | None],
) -> Iterator[SafetyRule]:
    """Give the rules that these facts meet.

    Parameters
    ----------
    plan : SafetyPlan
    facts : mapping of str to float or None
        Items and scores of one assessment, named as rules name them.
    baseline : mapping of str to float or None
        The same person's scores at baseline.
    """
    return (rule for rule in plan.rules if rule.is_met(facts, baseline))
