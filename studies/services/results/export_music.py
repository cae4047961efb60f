"""The music arms in an export: minutes heard, and the morning diary.

These rows exist for some arms only, so while the study is blinded they name nobody and stand in an
order that tells nobody, like the rows of the arm with lessons.
"""

from collections.abc import Iterator, Mapping

from studies.design.export_tables import MASKED
from studies.models.participant import Participant
from studies.models.study import Study
from studies.selectors.diary import diary_rows
from studies.selectors.listening import nights_of
from studies.services.allocation import skills_participants
from studies.services.results.export_skills import Row, shown

BANDS = (
    "latency_at_least_min", "awakenings_at_least", "sleep_at_least_h", "quality_points",
    "rested_points",
)  # fmt: skip


def listening_rows(study: Study, arms: Mapping[str, str]) -> Iterator[Row]:
    """Yield the minutes that were heard, night by night, and what was said of them."""
    nights = [night for night in nights_of(study) if night.code in arms]
    if study.is_blinded:
        # In the order of dates and minutes, so that the order tells no participant either.
        nights.sort(key=lambda night: (night.night_on, night.minutes))
    for night in nights:
        code = MASKED if study.is_blinded else night.code
        minutes, pool = round(night.minutes, 3), int(night.is_from_pool)
        yield code, arms[night.code], night.night_on, minutes, night.rating, pool


def morning_rows(study: Study, arms: Mapping[str, str]) -> Iterator[Row]:
    """Yield every morning diary that was handed in: the lower bounds of its bands, its ratings."""
    people = Participant.objects.filter(study=study)
    writers = people.exclude(pk__in=skills_participants().filter(study=study).values("pk"))
    rows = [
        (
            row.code, arms[row.code], row.morning_on, row.days_late,
            *(row.values.get(name) for name in BANDS),
        )
        for row in diary_rows(writers)
        if row.code in arms
    ]  # fmt: skip
    yield from shown(study, rows)
