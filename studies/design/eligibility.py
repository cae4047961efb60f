"""Who may take part: rules as data, a verdict with reasons.

A rule names a fact (``age_years``, or ``<instrument>_<score>`` of a baseline score such as
``cpss_total``) and its allowed range, both ends included.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from studies.design.errors import ProtocolError


@dataclass(frozen=True, slots=True)
class Rule:
    """One inclusion rule: `fact` lies between `at_least` and `at_most`, where given."""

    fact: str
    at_least: float | None = None
    at_most: float | None = None

    def __post_init__(self) -> None:
        bounds = [bound for bound in (self.at_least, self.at_most) if bound is not None]
        if not bounds or bounds != sorted(bounds):
            raise ProtocolError(
                f"expected a lower or an upper bound, in order, on {self.fact}; got "
                f"{self.at_least} to {self.at_most}. Correct the rule."
            )

    @property
    def text(self) -> str:
        """The rule as a reader sees it, e.g. ``age_years 12-18``."""
        if self.at_most is None:
            return f"{self.fact} {self.at_least:g} or more"
        if self.at_least is None:
            return f"{self.fact} {self.at_most:g} or less"
        return f"{self.fact} {self.at_least:g}-{self.at_most:g}"

    def allows(self, value: float) -> bool:
        """Return whether `value` lies within the rule's range."""
        above = self.at_least is None or value >= self.at_least
        return above and (self.at_most is None or value <= self.at_most)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether somebody is eligible; if not, every rule that stands in the way."""

    reasons: tuple[str, ...]

    @property
    def is_eligible(self) -> bool:
        """No rule stands in the way."""
        return not self.reasons


def decide(rules: Iterable[Rule], facts: Mapping[str, float | None]) -> Verdict:
    """Return the verdict on somebody of whom these facts are known.

    Parameters
    ----------
    rules : iterable of Rule
        All must hold.
    facts : mapping of str to float or None
        A fact that is absent or ``None`` is unknown, and an unknown fact makes nobody eligible.
    """
    return Verdict(tuple(reason for rule in rules if (reason := _obstacle(rule, facts))))


def decide_known(rules: Iterable[Rule], facts: Mapping[str, float | None]) -> Verdict:
    """Return the verdict as far as it can be given now: rules on unknown facts are left out."""
    return decide((rule for rule in rules if facts.get(rule.fact) is not None), facts)


def _obstacle(rule: Rule, facts: Mapping[str, float | None]) -> str:
    value = facts.get(rule.fact)
    if value is None:
        return f"{rule.text} expected, not known"
    return "" if rule.allows(value) else f"{rule.text} expected, got {value:g}"
