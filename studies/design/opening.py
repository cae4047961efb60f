"""When the next lesson opens: some days after the one before, and some diary nights since then."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from studies.design.cbt_plan import CbtPlan


@dataclass(frozen=True, slots=True)
class Gate:
    """What a lesson waits for: its first day, and how many diary nights are there and needed.

    `is_due` says that the first day has come; nights may still be missing.
    """

    opens_on: date | None
    n_nights: int
    needs_nights: int
    is_open: bool
    is_due: bool = False

    @property
    def nights_missing(self) -> int:
        """How many diary nights are still to come."""
        return max(0, self.needs_nights - self.n_nights)


OPEN = Gate(None, 0, 0, is_open=True)
CLOSED = Gate(None, 0, 0, is_open=False)


def gate(
    *,
    finished_on: date,
    diary_mornings: Iterable[date],
    today: date,
    plan: CbtPlan,
    is_booster: bool = False,
) -> Gate:
    """Return whether the lesson after one finished on `finished_on` is open today.

    Parameters
    ----------
    finished_on, today : date
        In the participant's zone.
    diary_mornings : iterable of date
        Mornings whose diary was handed in; those after `finished_on` count.
    plan : CbtPlan
        The protocol's days and nights.
    is_booster : bool
        A booster asks for days only.
    """
    days = plan.booster_days if is_booster else plan.module_days
    needs = 0 if is_booster else plan.module_nights
    opens_on = finished_on + timedelta(days=days)
    n_nights = sum(finished_on < morning <= today for morning in set(diary_mornings))
    is_due = today >= opens_on
    return Gate(opens_on, n_nights, needs, is_open=is_due and n_nights >= needs, is_due=is_due)
