"""Synthetic people walk through a protocol's weeks in seconds, by the trial's own rules.

Nothing is stored: the walk uses the rules of this package (eligibility, strata, allocation from a
seed of its own, windows, states) and the instruments' own scoring. What it meets on the way comes
back as findings, each with a code and the values that its words need; the pages hold the words.
A serious finding stands in the way of opening.

Who walks: people of the synthetic population who join on days spread over a year, so that each
change of the clocks in the study's zone lies in somebody's weeks.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import numpy as np

from generator.engine.brief import ComposerName
from questionnaires.instruments import CATALOGUE, score_answers
from questionnaires.instruments.instrument import Instrument
from questionnaires.instruments.reading import read_answer
from studies.design import methods
from studies.design.eligibility import decide, decide_known
from studies.design.parts import AGE, Factor, Method, Source
from studies.design.protocol import Protocol
from studies.design.safety import cautious_rules
from studies.design.states import require_move
from studies.design.synthetic import Person, person, relief_at
from studies.design.windows import Window, local_day, visit_window

SEED = 20258
WALKERS = 48
# Questionnaires that ask about the past month: closer together, the months overlap.
MONTH_RECALL = {"psqi": 21, "cpss": 21}
# Whose answers the synthetic people can give.
SYNTHETIC_ANSWERS = {"psqi", "cpss"}
ELIGIBLE_AT_LEAST = 0.25
SLOTS_A_STRATUM_AT_LEAST = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that the dry run met: a stable code, the values of its words, how serious."""

    code: str
    values: Mapping[str, object] = field(default_factory=dict)
    is_serious: bool = False


@dataclass(frozen=True, slots=True)
class Walk:
    """One synthetic person's way: how far they came, and when their visits were."""

    state: str
    joined_on: date
    age_years: int
    stratum: str = ""
    arm: str = ""
    windows: tuple[Window, ...] = ()
    totals: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class DryRun:
    """Everybody's way, and what is wrong."""

    walks: tuple[Walk, ...]
    findings: tuple[Finding, ...]

    @property
    def problems(self) -> tuple[Finding, ...]:
        """The findings that stand in the way of opening."""
        return tuple(finding for finding in self.findings if finding.is_serious)

    def count(self, state: str) -> int:
        """Return how many people ended in a state."""
        return sum(walk.state == state for walk in self.walks)


def dry_run(
    protocol: Protocol,
    *,
    zone: str,
    sites: tuple[str, ...],
    languages: tuple[str, ...],
    starts_on: date,
    n_walkers: int = WALKERS,
    instruments: Mapping[str, Instrument] = CATALOGUE,
) -> DryRun:
    """Return how synthetic people fare in this protocol.

    Parameters
    ----------
    protocol : Protocol
    zone : str
        IANA name of the study's time zone.
    sites : tuple of str
        Codes of the study's sites.
    languages : tuple of str
        Languages in which people are invited.
    starts_on : date
        Day on which the first of them joins.
    n_walkers : int
        How many, 1 or more.
    instruments : mapping of str to Instrument
        Those that can be asked for; the catalogue and what was imported from files.
    """
    findings = [
        *_missing_parts(protocol, sites, languages, instruments),
        *_unwatched(protocol, instruments),
        *_timing(protocol),
    ]
    if any(finding.is_serious for finding in findings):
        # Whoever walked now would stumble over the same things.
        return DryRun((), tuple(findings))
    random = np.random.default_rng(SEED)
    walks: list[Walk] = []
    given: dict[str, list[methods.Given]] = {}
    for place in range(n_walkers):
        joined_on = starts_on + timedelta(days=365 * place // n_walkers)
        site = sites[place % len(sites)]
        walks.append(_walk(protocol, person(random), joined_on, zone, site, given))
    findings += _outcome(protocol, walks)
    return DryRun(tuple(walks), tuple(findings))


def _missing_parts(
    protocol: Protocol,
    sites: tuple[str, ...],
    languages: tuple[str, ...],
    instruments: Mapping[str, Instrument],
) -> Iterator[Finding]:
    written = {text.language for text in protocol.texts}
    for language in sorted(set(languages) - written):
        yield Finding("text_missing", {"language": language}, is_serious=True)
    for question in protocol.screening.questions:
        for language in sorted(set(languages) - set(dict(question.texts))):
            values = {"question": question.name, "language": language}
            yield Finding("screening_text_missing", values, is_serious=True)
    yield from _unknown(protocol, instruments)
    for factor in protocol.factors:
        if factor.source == Source.SITE and set(factor.levels) != set(sites):
            values = {"levels": ", ".join(factor.levels), "sites": ", ".join(sites)}
            yield Finding("sites_differ", values, is_serious=True)
    yield from _unscored(protocol, instruments)


def _unknown(protocol: Protocol, instruments: Mapping[str, Instrument]) -> Iterator[Finding]:
    for visit in protocol.visits:
        for name in visit.instruments:
            if name not in instruments:
                unknown = {"instrument": name, "week": visit.week}
                yield Finding("instrument_unknown", unknown, is_serious=True)
    for arm in protocol.arms:
        if arm.composer and arm.composer not in set(ComposerName):
            unknown = {"composer": arm.composer, "arm": arm.code}
            yield Finding("composer_unknown", unknown, is_serious=True)


def _unscored(protocol: Protocol, instruments: Mapping[str, Instrument]) -> Iterator[Finding]:
    """Find rules and factors on scores that no instrument of baseline gives."""
    scores = {
        f"{name}_{field.name}"
        for name in protocol.visits[0].instruments
        if name in instruments
        for field in instruments[name].scores
    }
    facts = [rule.fact for rule in protocol.eligibility]
    facts += [factor.fact for factor in protocol.factors if factor.source == Source.BAND]
    for fact in dict.fromkeys(facts):
        if fact != AGE and fact not in scores:
            yield Finding("score_unknown", {"fact": fact}, is_serious=True)


def _unwatched(protocol: Protocol, instruments: Mapping[str, Instrument]) -> Iterator[Finding]:
    """Find safety rules on what no questionnaire of a visit tells: they would never be met."""
    planned = {name for visit in protocol.visits for name in visit.instruments}
    known = {
        fact
        for name in planned & set(instruments)
        for fact in (
            *(f"{name}_{field.name}" for field in instruments[name].scores),
            *(f"{name}.{item.key}" for item in instruments[name].items),
        )
    }
    for rule in protocol.safety.rules:
        if rule.fact not in known and rule not in cautious_rules():
            yield Finding("safety_unknown", {"fact": rule.fact}, is_serious=True)


def _timing(protocol: Protocol) -> Iterator[Finding]:
    for name, days in MONTH_RECALL.items():
        asked = [visit for visit in protocol.visits if name in visit.instruments]
        for earlier, later in pairwise(asked):
            apart = later.first_day - earlier.last_day
            if apart < days:
                values = {"instrument": name, "week": later.week, "days": apart, "least": days}
                yield Finding("recall_overlaps", values)


def _walk(
    protocol: Protocol,
    someone: Person,
    joined_on: date,
    zone: str,
    site: str,
    given: dict[str, list[methods.Given]],
) -> Walk:
    """Take one person from the invitation to the last visit, or as far as they come."""
    begun = {"joined_on": joined_on, "age_years": someone.age_years}
    if not decide_known(protocol.eligibility, {AGE: someone.age_years}).is_eligible:
        return Walk("not_invited", **begun)
    facts = {AGE: float(someone.age_years), **_scores(protocol, someone, week=0, arm=None)}
    require_move("participant", "invited", "consented")
    if not decide(protocol.eligibility, facts).is_eligible:
        require_move("participant", "consented", "ineligible")
        return Walk("ineligible", **begun)
    require_move("participant", "consented", "baseline_done")
    stated = {f.name: _stated(f, someone) for f in protocol.factors if f.source == Source.STATED}
    levels = protocol.levels_of(stated, site, facts)
    stratum = methods.sequence_label(protocol, levels)
    before = given.setdefault(stratum, [])
    arm = _arm(protocol, stratum, levels, before)
    before.append(methods.Given(levels, arm))
    require_move("participant", "baseline_done", "allocated")
    moment = datetime.combine(joined_on, time(12), tzinfo=UTC)
    windows = tuple(
        visit_window(
            anchor_on=local_day(moment, zone),
            week=visit.week,
            window_days=visit.window_days,
            zone=zone,
        )
        for visit in protocol.visits[1:]
    )
    totals = tuple(
        total
        for visit in protocol.visits
        for name, total in _scores(protocol, someone, week=visit.week, arm=arm).items()
        if name.endswith("_total") and total is not None
    )
    require_move("participant", "allocated", "completed")
    return Walk("completed", **begun, stratum=stratum, arm=arm, windows=windows, totals=totals)


def _arm(
    protocol: Protocol, stratum: str, levels: methods.Levels, before: list[methods.Given]
) -> str:
    secret = SEED.to_bytes(32, "big")
    if protocol.method == Method.LIST:
        # The list itself lies under seal; here somebody gets the arms in turn.
        return protocol.arm_codes[len(before) % len(protocol.arms)]
    return methods.arm_of_slot(
        protocol, stratum, secret, len(before), newcomer=levels, before=before
    )


def _stated(factor: Factor, someone: Person) -> str:
    if someone.sex in factor.levels:
        return someone.sex
    return factor.levels[int(someone.random.integers(len(factor.levels)))]


def _scores(
    protocol: Protocol, someone: Person, *, week: int, arm: str | None
) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for name in protocol.visit_at(week).instruments:
        if name not in SYNTHETIC_ANSWERS:
            continue
        instrument = CATALOGUE[name]
        typed = someone.answers(name, relief_at(arm, week))
        read = {
            item.key: None if typed[item.key] is None else read_answer(item, typed[item.key])
            for item in instrument.items
        }
        values = score_answers(instrument, read).values
        found |= {f"{name}_{score}": value for score, value in values.items()}
    return found


def _outcome(protocol: Protocol, walks: list[Walk]) -> Iterator[Finding]:
    done = [walk for walk in walks if walk.state == "completed"]
    if not done:
        yield Finding("nobody_eligible", {"n": len(walks)}, is_serious=True)
        return
    if len(done) < ELIGIBLE_AT_LEAST * len(walks):
        yield Finding("few_eligible", {"eligible": len(done), "n": len(walks)})
    for walk in done:
        for earlier, later in pairwise(walk.windows):
            if earlier.closes_at > later.opens_at:
                values = {"joined_on": walk.joined_on}
                yield Finding("windows_overlap", values, is_serious=True)
                return
    yield from _slots(protocol, done)


def _slots(protocol: Protocol, done: list[Walk]) -> Iterator[Finding]:
    labels = methods.sequence_labels(protocol)
    planned = protocol.participants_planned
    slots = protocol.slots_per_stratum
    if planned and protocol.method != Method.LIST and slots * len(labels) < planned:
        values = {"slots": slots * len(labels), "planned": planned}
        yield Finding("slots_few", values)
    if planned and planned / len(labels) < SLOTS_A_STRATUM_AT_LEAST:
        values = {"n": planned // len(labels), "least": SLOTS_A_STRATUM_AT_LEAST}
        yield Finding("strata_thin", values)
    met = Counter(walk.arm for walk in done)
    missing = [code for code in protocol.arm_codes if not met[code]]
    if missing and len(done) >= 4 * sum(protocol.ratios):
        yield Finding("arm_unmet", {"arms": ", ".join(missing)})
