"""When somebody reaches an age."""

from datetime import date


def birthday(born_on: date, years: int) -> date:
    """Return the day on which somebody is so many years old; a leap day counts as 1 March.

    Parameters
    ----------
    born_on : date
    years : int
        0 or more.
    """
    try:
        return born_on.replace(year=born_on.year + years)
    except ValueError:
        return date(born_on.year + years, 3, 1)


def age_on(born_on: date, day: date) -> int:
    """Return how many whole years old somebody is on a day."""
    years = day.year - born_on.year
    return years if birthday(born_on, years) <= day else years - 1


def is_of_age_on(
    day: date, *, limit: int, age_years: int, stated_on: date, born_on: date | None = None
) -> bool:
    """Return whether somebody has reached an age by a day.

    Parameters
    ----------
    day : date
    limit : int
        The age, in years.
    age_years : int
        How old they were on `stated_on`.
    stated_on : date
    born_on : date, optional
        Without it they count as of age once they are so for certain: as if they had turned
        `age_years` on the very day that was stated.
    """
    if born_on is not None:
        return age_on(born_on, day) >= limit
    return age_years + age_on(stated_on, day) >= limit
