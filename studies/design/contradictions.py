"""What in a protocol contradicts what else: every contradiction at once, each with its part.

The parts are given by name, so that those which could be read are checked even where another could
not.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import prod
from typing import Any

from studies.design.eligibility import Rule
from studies.design.errors import DesignError
from studies.design.parts import (
    AGE,
    NIGHT_MINUTES_MAX,
    NIGHT_MINUTES_MIN,
    ArmPlan,
    Factor,
    Method,
    Source,
    VisitPlan,
)
from studies.design.randomisation import BlockPlan

SLOTS_MAX = 5000
PLANNED_MAX = 100_000
# More strata than these leave most blocks begun and unbalanced; minimisation has no blocks.
STRATA_MAX = {Method.BLOCKS: 6, Method.LIST: 48}
FACTORS_MAX = 8
DISTANCES = ("range", "variance")
CHANCE_MIN, CHANCE_MAX = 50, 95

Parts = Mapping[str, Any]


def contradictions(parts: Parts) -> Iterator[str]:
    """Return every contradiction among these parts of a protocol."""
    for needed, check in CHECKS:
        if all(name in parts for name in needed):
            yield from check(*(parts[name] for name in needed))


def _arms(arms: Sequence[ArmPlan]) -> Iterator[str]:
    codes = [arm.code for arm in arms]
    if len(codes) < 2 or len(set(codes)) < len(codes):
        yield _fault("two or more arms, each with a code of its own", codes)


def _visits(visits: Sequence[VisitPlan]) -> Iterator[str]:
    weeks = [visit.week for visit in visits]
    if weeks != sorted(set(weeks)) or weeks[:1] != [0] or len(weeks) < 2:
        yield _fault("week 0 and later weeks in order", weeks)
        return
    for visit in visits[1:]:
        if visit.first_day <= 0:
            yield _fault(f"a window of week {visit.week} after allocation", visit.window_days)
    for earlier, later in pairwise(visits[1:]):
        if earlier.last_day < later.first_day <= earlier.last_late_day:
            yield _fault(
                f"week {earlier.week} to end before week {later.week} begins",
                f"{earlier.late_days} late days",
            )
        if earlier.last_day >= later.first_day:
            yield _fault(
                "windows that do not overlap",
                f"week {earlier.week} ± {earlier.window_days} and "
                f"week {later.week} ± {later.window_days} days",
            )


def _factors(
    factors: Sequence[Factor], method: str, visits: Sequence[VisitPlan], rules: Sequence[Rule]
) -> Iterator[str]:
    names = [factor.name for factor in factors]
    if len(set(names)) < len(names) or len(names) > FACTORS_MAX:
        yield _fault(f"at most {FACTORS_MAX} factors of different names", names)
    if method == Method.SIMPLE and factors:
        yield _fault("no factors with simple randomisation", names)
    n_strata = prod(len(factor.levels) for factor in factors)
    if n_strata > STRATA_MAX.get(method, n_strata):
        yield _fault(f"at most {STRATA_MAX[method]} strata", n_strata)
    for factor in factors:
        if factor.source == Source.BAND:
            yield from _band(factor, visits, rules)


def _band(factor: Factor, visits: Sequence[VisitPlan], rules: Sequence[Rule]) -> Iterator[str]:
    if not _is_known_at_baseline(factor.fact, visits):
        yield _fault(f"a fact of {factor.name} that baseline tells", factor.fact)
    for rule in rules:
        if rule.fact != factor.fact:
            continue
        for cut in factor.cuts:
            below = rule.at_least is not None and cut <= rule.at_least
            above = rule.at_most is not None and cut > rule.at_most
            if below or above:
                yield _fault(f"cuts of {factor.name} among the eligible ({rule.text})", cut)


def _knowable(rules: Sequence[Rule], visits: Sequence[VisitPlan]) -> Iterator[str]:
    for rule in rules:
        if not _is_known_at_baseline(rule.fact, visits):
            yield _fault("a rule on age_years or a baseline score", rule.text)


def _eligibility(rules: Sequence[Rule]) -> Iterator[str]:
    facts: dict[str, tuple[float, float]] = {}
    for rule in rules:
        low, high = facts.get(rule.fact, (float("-inf"), float("inf")))
        low = max(low, float("-inf") if rule.at_least is None else rule.at_least)
        high = min(high, float("inf") if rule.at_most is None else rule.at_most)
        facts[rule.fact] = (low, high)
        if low > high:
            yield _fault(f"rules on {rule.fact} that somebody can meet", f"{low:g} to {high:g}")


def _blocks(arms: Sequence[ArmPlan], method: str, sizes: Sequence[int]) -> Iterator[str]:
    if method != Method.BLOCKS:
        return
    try:
        BlockPlan(tuple(a.code for a in arms), tuple(a.ratio for a in arms), tuple(sizes))
    except DesignError as error:
        yield str(error)


def _method(method: str, distance: str, chance: int) -> Iterator[str]:
    if method not in set(Method):
        yield _fault(f"a method of {', '.join(Method)}", method)
    if distance not in DISTANCES:
        yield _fault(f"a distance of {', '.join(DISTANCES)}", distance)
    if not CHANCE_MIN <= chance <= CHANCE_MAX:
        yield _fault(f"a chance of {CHANCE_MIN} to {CHANCE_MAX} per cent", chance)


def _slots(slots: int) -> Iterator[str]:
    if not 1 <= slots <= SLOTS_MAX:
        yield _fault(f"1 to {SLOTS_MAX} slots a stratum", slots)


def _treatment(weeks: int, visits: Sequence[VisitPlan]) -> Iterator[str]:
    planned = [visit.week for visit in visits[1:]]
    if weeks and weeks not in planned:
        yield _fault(f"treatment until one of the weeks {planned}, or 0 for the last one", weeks)


def _planned(planned: int) -> Iterator[str]:
    if not 0 <= planned <= PLANNED_MAX:
        yield _fault(f"0 to {PLANNED_MAX} planned participants", planned)


def _night(minutes: int) -> Iterator[str]:
    if not NIGHT_MINUTES_MIN <= minutes <= NIGHT_MINUTES_MAX:
        yield _fault(f"{NIGHT_MINUTES_MIN} to {NIGHT_MINUTES_MAX} night minutes", minutes)


def _texts(texts: Sequence[Any]) -> Iterator[str]:
    languages = [text.language for text in texts]
    if len(set(languages)) < len(languages):
        yield _fault("each language once", languages)
    if len({len(text.pages) for text in texts}) > 1:
        counts = {text.language: len(text.pages) for text in texts}
        yield _fault("as many consent pages in every language", counts)
    asked = {text.language: [(q.answer, q.page) for q in text.questions] for text in texts}
    if len({tuple(rights) for rights in asked.values()}) > 1:
        yield _fault("the same questions with the same right answers in every language", asked)


def _is_known_at_baseline(fact: str, visits: Sequence[VisitPlan]) -> bool:
    instruments = visits[0].instruments if visits else ()
    return fact == AGE or any(fact.startswith(f"{name}_") for name in instruments)


def _fault(expected: str, got: object) -> str:
    return f"expected {expected}, got {got!r}. Correct the protocol."


CHECKS = (
    (("arms",), _arms),
    (("visits",), _visits),
    (("factors", "method", "visits", "eligibility"), _factors),
    (("eligibility", "visits"), _knowable),
    (("eligibility",), _eligibility),
    (("arms", "method", "block_sizes"), _blocks),
    (("method", "distance", "chance_percent"), _method),
    (("slots_per_stratum",), _slots),
    (("participants_planned",), _planned),
    (("treatment_weeks", "visits"), _treatment),
    (("night_minutes",), _night),
    (("texts",), _texts),
)
