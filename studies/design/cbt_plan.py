"""The CBT arm's part of the protocol: when lessons open, the diary's limit, the sleep window.

References
----------
i-Sleep, BMC Psychiatry 2016 (12888-016-0783-z), table 1: weekly modules after a diary week.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from studies.design.errors import CourseError
from studies.design.sleep_window import WindowRule

DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class CbtPlan:
    """What the protocol says about the CBT arm.

    Parameters
    ----------
    module_days, module_nights : int
        Days since the lesson before was finished, and diary nights since then, that open the next.
    booster_days : int
        Days since the lesson before that open a booster; it asks for no diary.
    diary_days_back : int
        How many mornings back a missed night may be added.
    office_days : tuple of int
        Weekdays on which messages are read, 0 is Monday.
    office_from, office_to : str
        Between which times, ``HH:MM`` in the study's zone.
    window : WindowRule
        The sleep window's rule.

    Raises
    ------
    CourseError
        A part is out of range.
    """

    module_days: int = 6
    module_nights: int = 5
    booster_days: int = 7
    diary_days_back: int = 2
    office_days: tuple[int, ...] = (0, 1, 2, 3, 4)
    office_from: str = "09:00"
    office_to: str = "17:00"
    window: WindowRule = field(default_factory=WindowRule)

    def __post_init__(self) -> None:
        _require(0 <= self.module_days <= 28, "0 to 28 module days", self.module_days)
        _require(
            0 <= self.module_nights <= self.module_days,
            "no more diary nights than module days",
            self.module_nights,
        )
        _require(0 <= self.booster_days <= 56, "0 to 56 booster days", self.booster_days)
        _require(0 <= self.diary_days_back <= 6, "0 to 6 days back", self.diary_days_back)
        _require(
            bool(self.office_days) and set(self.office_days) <= set(range(7)),
            "office days from 0 (Monday) to 6",
            self.office_days,
        )
        _require(
            _minute(self.office_from) < _minute(self.office_to),
            "office hours that begin before they end",
            (self.office_from, self.office_to),
        )

    @classmethod
    def from_json(cls, plain: Mapping[str, object]) -> "CbtPlan":
        """Return the plan that `dataclasses.asdict` made plain.

        Raises
        ------
        CourseError
            A part is unknown or out of range.
        """
        try:
            parts = dict(plain)
            parts["office_days"] = tuple(parts.get("office_days", cls().office_days))
            parts["window"] = WindowRule(**parts.get("window", {}))
            return cls(**parts)
        except TypeError as error:
            raise CourseError(
                f"expected the CBT arm's settings as in the template, got {error}. "
                "Correct the protocol."
            ) from error


def _minute(text: str) -> int:
    hour, _colon, minute = str(text).partition(":")
    is_time = hour.isdecimal() and minute.isdecimal() and len(text) == len("HH:MM")
    value = int(hour) * 60 + int(minute) if is_time else DAY_MINUTES
    _require(is_time and int(minute) < 60 and value < DAY_MINUTES, "a time like 09:00", text)
    return value


def _require(condition: bool, expected: str, got: object) -> None:
    if not condition:
        raise CourseError(f"expected {expected}, got {got!r}. Correct the protocol.")
