"""Who takes part, week by week, and how recruitment goes; alike in every arm.

What is counted is the mornings that were written, which every arm is asked for: minutes of music
or lessons would tell who has which.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Q

from questionnaires.models import ResponseState
from studies import clock
from studies.models.cbt import DiaryEntry
from studies.models.participant import Participant
from studies.models.study import Study
from studies.models.visit import Visit

DAYS_A_WEEK = 7
# From how many mornings of a week on a step is reached: none, few, some, most.
STEPS = (0, 1, 3, 5)
RATE_OVER = timedelta(weeks=8)


@dataclass(frozen=True, slots=True)
class WeekCell:
    """One person's week: how many mornings were written, of how many that have come."""

    n_written: int
    n_expected: int

    @property
    def step(self) -> int:
        """From 0 (none) to 3 (most)."""
        return max(place for place, least in enumerate(STEPS) if self.n_written >= least)


@dataclass(frozen=True, slots=True)
class AdherenceRow:
    """One person's weeks since allocation."""

    code: str
    cells: tuple[WeekCell, ...]

    @property
    def percent(self) -> int | None:
        """How many of the expected mornings were written; `None` before the first."""
        expected = sum(cell.n_expected for cell in self.cells)
        written = sum(cell.n_written for cell in self.cells)
        return round(100 * written / expected) if expected else None


@dataclass(frozen=True, slots=True)
class SiteCount:
    """How far recruitment is at one site."""

    site: str
    n_invited: int
    n_consented: int
    n_allocated: int


@dataclass(frozen=True, slots=True)
class Recruitment:
    """How far recruitment is, against the plan; `done_on` is when it ends at the present rate."""

    n_planned: int
    n_allocated: int
    a_week: float
    done_on: date | None
    sites: tuple[SiteCount, ...]
    months: tuple[tuple[date, int, int], ...]


def adherence_of(people: Sequence[Participant], n_weeks: int) -> list[AdherenceRow]:
    """Return the weeks of these people, in their order; two queries however many they are."""
    keys = [person.pk for person in people]
    began = _allocated_on(keys)
    written: dict[int, Counter[int]] = {pk: Counter() for pk in began}
    entries = DiaryEntry.objects.filter(
        participant__in=list(began), response__state=ResponseState.SUBMITTED
    )
    for pk, morning_on in entries.values_list("participant", "morning_on"):
        # The first morning is the one after the day of allocation.
        written[pk][(morning_on - began[pk]).days - 1] += 1
    return [_row(person, began[person.pk], written[person.pk], n_weeks)
            for person in people if person.pk in began]  # fmt: skip


def recruitment_of(study: Study) -> Recruitment:
    """Return how recruitment goes; counts only."""
    people = Participant.objects.filter(study=study)
    began = _allocated_on(list(people.values_list("pk", flat=True)))
    planned, n = study.plan.participants_planned, len(began)
    today = clock.today(study.zone)
    lately = sum(day > today - RATE_OVER for day in began.values())
    weeks = min(RATE_OVER, max(today - min(began.values(), default=today), timedelta(weeks=1)))
    rate = lately / (weeks / timedelta(weeks=1))
    left = max(0, planned - n)
    done_on = today + timedelta(weeks=left / rate) if rate and left else None
    return Recruitment(planned, n, rate, done_on, _sites(study, set(began)), _months(study, began))


def _row(person: Participant, began_on: date, written: Counter[int], n_weeks: int) -> AdherenceRow:
    come = (clock.today(person.zone) - began_on).days
    cells = []
    for week in range(n_weeks):
        days = range(DAYS_A_WEEK * week, DAYS_A_WEEK * (week + 1))
        expected = sum(day < come for day in days)
        cells.append(WeekCell(sum(written[day] for day in days), expected))
    return AdherenceRow(person.code, tuple(cells))


def _allocated_on(keys: Sequence[int]) -> dict[int, date]:
    """Return the day of allocation of who has one, from the visits that are counted from it."""
    visits = Visit.objects.filter(participant__in=keys, week__gt=0)
    return {
        pk: target_on - timedelta(weeks=week)
        for pk, target_on, week in visits.values_list("participant", "target_on", "week")
    }


def _sites(study: Study, allocated: set[int]) -> tuple[SiteCount, ...]:
    # The baseline visit is planned when every consent that is needed is there.
    consented = Q(participants__visits__week=0)
    sites = study.sites.order_by("position").annotate(
        n_invited=Count("participants", distinct=True),
        n_consented=Count("participants", filter=consented, distinct=True),
    )
    where = Counter(Participant.objects.filter(pk__in=allocated).values_list("site", flat=True))
    return tuple(
        SiteCount(site.name, site.n_invited, site.n_consented, where[site.pk]) for site in sites
    )


def _months(study: Study, began: dict[int, date]) -> tuple[tuple[date, int, int], ...]:
    invited = Counter(
        at.date().replace(day=1) for at in study.participants.values_list("enrolled_at", flat=True)
    )
    allocated = Counter(day.replace(day=1) for day in began.values())
    months = sorted({*invited, *allocated})
    return tuple((month, invited[month], allocated[month]) for month in months)
