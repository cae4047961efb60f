from datetime import date

import pytest

from studies.design.majority import age_on, birthday, is_of_age_on


@pytest.mark.parametrize(
    ("day", "years"),
    [(date(2026, 5, 16), 15), (date(2026, 5, 17), 16), (date(2010, 5, 17), 0)],
)
def test_a_year_is_over_on_the_birthday(day: date, years: int) -> None:
    assert age_on(date(2010, 5, 17), day) == years


def test_who_was_born_on_a_leap_day_turns_older_on_the_first_of_march() -> None:
    born_on = date(2008, 2, 29)
    assert birthday(born_on, 18) == date(2026, 3, 1)
    assert (age_on(born_on, date(2026, 2, 28)), age_on(born_on, date(2026, 3, 1))) == (17, 18)
    assert birthday(born_on, 20) == date(2028, 2, 29)


def test_a_known_birthday_decides_to_the_day() -> None:
    stated = {"limit": 18, "age_years": 17, "stated_on": date(2026, 3, 2)}
    born_on = date(2008, 3, 20)
    assert not is_of_age_on(date(2026, 3, 19), born_on=born_on, **stated)
    assert is_of_age_on(date(2026, 3, 20), born_on=born_on, **stated)


def test_without_a_birthday_they_are_of_age_when_that_is_certain() -> None:
    stated = {"limit": 18, "age_years": 17, "stated_on": date(2026, 3, 2)}
    assert not is_of_age_on(date(2027, 3, 1), **stated)
    assert is_of_age_on(date(2027, 3, 2), **stated)
