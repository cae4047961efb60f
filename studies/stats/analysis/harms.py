"""Harms counted by arm: who had an adverse event of a kind, and how many events there were.

Everybody whose data are analysed is at risk, in the arm they were allocated to. An event counts
from the day of allocation on; what began before is counted apart. Somebody with two events is one
participant and two events, and counts once in each grade that one of them had.

Of a few kinds each arm is set against the reference: a risk difference with Newcombe's interval and
without p value, for a trial is not planned to test its harms, and "not significant" would read as
"safe". A pool of all arms is counted and not compared.

References
----------
Hopewell S et al. (2025). CONSORT 2025 statement. BMJ 389, e081123: items 15 and 27.
Junqueira DR et al. (2023). CONSORT Harms 2022 statement. BMJ 381, e073725.
ICH E2A (1994). Clinical safety data management, II: seriousness, severity, relation.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from studies.stats.analysis.comparisons import REFERENCE, comparisons_of
from studies.stats.analysis.records import Place, Record
from studies.stats.errors import StatisticsError
from studies.stats.estimate import NO_SIGN, Estimate
from studies.stats.plan.plan import AnalysisPlan
from studies.stats.plan.trial_table import TrialTable
from studies.stats.proportions import Count, risk_difference
from studies.stats.responders import wilson

SEVERITIES = ("mild", "moderate", "severe")
RELATIONS = ("none", "possible", "related")
CRITERIA = ("death", "life_threatening", "hospital", "disability", "congenital", "important")
# The methods of the records.
PARTICIPANTS, EVENTS, DIFFERENCE = "participants", "events", "risk_difference"
ASKED, BEFORE = "asked", "before"
FEWER = "lower means fewer participants"
SIGN = "positive means more participants with an event in the first arm"


@dataclass(frozen=True, slots=True)
class Event:
    """One adverse event.

    Parameters
    ----------
    person : str
        Whose it is.
    severity, relation : str
        One of `SEVERITIES` and of `RELATIONS`.
    criteria : tuple of str
        Which of `CRITERIA` make it serious; empty where it is not.
    is_expected : bool
        The study's documents name it.
    is_before : bool
        It began before the day of allocation.

    Raises
    ------
    StatisticsError
        A grade is none of these.
    """

    person: str
    severity: str
    relation: str
    criteria: tuple[str, ...] = ()
    is_expected: bool = False
    is_before: bool = False

    def __post_init__(self) -> None:
        for name, values, known in (
            ("severity", (self.severity,), SEVERITIES),
            ("relation", (self.relation,), RELATIONS),
            ("criterion", self.criteria, CRITERIA),
        ):
            for value in values:
                if value not in known:
                    raise StatisticsError(
                        f"expected a {name} out of {', '.join(known)}, got {value!r}. Grade the "
                        "event again."
                    )

    @property
    def is_serious(self) -> bool:
        """A criterion of seriousness is met."""
        return bool(self.criteria)

    @property
    def is_reaction(self) -> bool:
        """The treatment may have caused it (ICH E2A: a reasonable possibility)."""
        return self.relation != "none"


@dataclass(frozen=True, slots=True)
class Harms:
    """What is known of harms in a trial.

    Parameters
    ----------
    events : tuple of Event
    asked : mapping of str to int
        At how many visits each person was asked about harms; nobody is named who never was.
    """

    events: tuple[Event, ...] = ()
    asked: Mapping[str, int] = field(default_factory=dict)


KINDS: dict[str, Callable[[Event], bool]] = {
    "any": lambda _event: True,
    **{grade: lambda event, grade=grade: event.severity == grade for grade in SEVERITIES},
    **{
        f"relation_{kind}": lambda event, kind=kind: event.relation == kind for kind in RELATIONS
    },
    "reaction": lambda event: event.is_reaction,
    "serious": lambda event: event.is_serious,
    **{name: lambda event, name=name: name in event.criteria for name in CRITERIA},
    "serious_reaction": lambda event: event.is_serious and event.is_reaction,
    "unexpected_serious_reaction": lambda event: (
        event.is_serious and event.is_reaction and not event.is_expected
    ),
}  # fmt: skip
# Kinds of which the arms are set against the reference.
COMPARED = ("any", "reaction", "serious", "serious_reaction")


def harm_records(plan: AnalysisPlan, table: TrialTable, harms: Harms) -> tuple[Record, ...]:
    """Return harms as records: `outcome` is the kind, `visit` is empty, for the whole study counts.

    Parameters
    ----------
    plan : AnalysisPlan
        Gives the level of the intervals.
    table : TrialTable
        Who is at risk, and in which arm; with one pool nothing is compared.
    harms : Harms

    Raises
    ------
    StatisticsError
        Somebody has an event, or was asked, who is not in the table.
    """
    risk = _AtRisk.of(table, plan.level)
    for person in (*(event.person for event in harms.events), *harms.asked):
        if person not in risk.arm_of:
            raise StatisticsError(
                f"expected harms of those who are in the table, got {person!r}. Leave out who is "
                "not analysed."
            )
    asked = Counter({person: times for person, times in harms.asked.items() if times})
    records = [*risk.counted(ASKED, asked)]
    for kind, is_meant in KINDS.items():
        counts = _of_persons(e for e in harms.events if not e.is_before and is_meant(e))
        records += risk.counted(kind, counts)
        if kind in COMPARED:
            records += risk.compared(kind, counts)
    records += risk.counted(BEFORE, _of_persons(e for e in harms.events if e.is_before))
    return tuple(records)


def _of_persons(events: Iterable[Event]) -> Counter[str]:
    return Counter(event.person for event in events)


@dataclass(frozen=True, slots=True)
class _AtRisk:
    """Everybody who is at risk, by arm."""

    levels: tuple[str, ...]
    arm_of: Mapping[str, str]
    n: Mapping[str, int]
    level: float

    @classmethod
    def of(cls, table: TrialTable, level: float) -> "_AtRisk":
        arms = [table.levels[arm] for arm in table.arms]
        return cls(table.levels, dict(zip(table.ids, arms, strict=True)), Counter(arms), level)

    def counted(self, kind: str, counts: Counter[str]) -> Iterator[Record]:
        """Yield who had it at least once, with the interval of that share, and how often it was."""
        for arm in self.levels:
            place = Place(kind, PARTICIPANTS, "", arm=arm, role="descriptive")
            found = self._people(counts, arm)
            share = wilson(found.n_responders, found.n, level=self.level)
            yield Record(place, replace(share, label=PARTICIPANTS, sign=FEWER), "not_estimable")
            times = sum(n for person, n in counts.items() if self.arm_of[person] == arm)
            number = Estimate(EVENTS, float(times), None, None, found.n, "count", NO_SIGN, EVENTS)
            yield Record(replace(place, method=EVENTS), number)

    def compared(self, kind: str, counts: Counter[str]) -> Iterator[Record]:
        """Yield the risk differences from the reference."""
        for comparison in comparisons_of(self.levels):
            if comparison.family != REFERENCE:
                continue
            pair = (self._people(counts, arm) for arm in (comparison.first, comparison.second))
            difference = replace(risk_difference(*pair, level=self.level), sign=SIGN, p=None)
            place = Place(
                kind, DIFFERENCE, "", contrast=comparison.label, role="descriptive",
                family=REFERENCE,
            )  # fmt: skip
            yield Record(place, difference, "not_estimable")

    def _people(self, counts: Counter[str], arm: str) -> Count:
        return Count(sum(1 for person in counts if self.arm_of[person] == arm), self.n[arm])
