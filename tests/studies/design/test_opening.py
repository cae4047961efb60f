from datetime import date, timedelta

import pytest

from studies.design.cbt_plan import CbtPlan
from studies.design.opening import gate

DAY = date(2026, 11, 1)
PLAN = CbtPlan()


def _mornings(*days: int) -> list[date]:
    return [DAY + timedelta(days=day) for day in days]


@pytest.mark.parametrize(
    ("days", "nights", "is_open"),
    [
        (6, (1, 2, 3, 4, 5), True),
        (6, (1, 2, 3, 4), False),
        (5, (1, 2, 3, 4, 5), False),
        (30, (1, 2, 3, 4), False),
        (6, (0, -1, -2, 4, 5), False),
        (6, (1, 1, 1, 2, 3, 4), False),
        (6, (1, 2, 3, 4, 7), False),
    ],
)
def test_a_lesson_opens_after_six_days_and_five_nights_since(days, nights, is_open) -> None:
    found = gate(
        finished_on=DAY,
        diary_mornings=_mornings(*nights),
        today=DAY + timedelta(days=days),
        plan=PLAN,
    )
    assert found.is_open is is_open
    assert found.opens_on == DAY + timedelta(days=6)


def test_a_booster_asks_for_days_only() -> None:
    ask = {"finished_on": DAY, "diary_mornings": [], "plan": PLAN, "is_booster": True}
    assert not gate(**ask, today=DAY + timedelta(days=6)).is_open
    assert gate(**ask, today=DAY + timedelta(days=7)).is_open
