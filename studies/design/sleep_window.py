"""The sleep window: how long somebody stays in bed while they learn to sleep through it.

All figures are whole minutes. The time to get up is fixed; only bedtime moves. The first window
is the mean sleep of the last nights, rounded *up* to a whole step; each week it grows by one step
where sleep efficiency is high, and shrinks by one where it is low. Never below the floor, never
above the ceiling, never by more than a step, and never on too few nights.

Weekly efficiency is 100 x (sum of sleep) / (sum of time in bed) over the valid nights, and is
compared in whole numbers (100 x sleep >= 85 x time in bed), so no rounding decides a window.

Numbered deviations from the sources
------------------------------------
1. Published floors are 4.5 to 5.5 hours, for adults. Ours is 420 minutes, a cautious default: no
   floor for minors was found. Direction: a weaker dose, fewer sleepy days.
2. Sources extend at 85 or above 90 per cent, by 15 to 30 minutes. Ours: at 85, by one step of 15.
   A range is never averaged (a public implementation made 22.5 minutes of it, and rounded).
   Direction: slower growth than Stanford's, earlier than the National Sleep Foundation's.
3. The first window is rounded up to a whole step. Direction: at most 14 minutes more.

References
----------
Spielman AJ, Saskin P, Thorpy MJ (1987). Sleep 10, 45-56.
van der Zweerde T et al. (2016). BMC Psychiatry 16 (i-Sleep): extend at 85 per cent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from studies.design.errors import WindowError

RULE_ID, RULE_VERSION = "sleep_window", "1"
MINUTES_IN_DAY = 1440
# Nobody may approve less, for anybody (Stanford's floor for adults).
LOWEST_FLOOR_MIN = 330
# Reasons not to keep a sleep window at all; the clinician asks for them before the first one.
EXCLUSIONS = ("bipolar", "epilepsy", "parasomnia", "apnoea", "driving_work")


class Initial(StrEnum):
    """What the first window is made of."""

    MEAN_SLEEP = "mean_sleep"
    MEAN_SLEEP_PLUS_30 = "mean_sleep_plus_30"


ALLOWANCE_MIN = {Initial.MEAN_SLEEP: 0, Initial.MEAN_SLEEP_PLUS_30: 30}


class Decision(StrEnum):
    """What a week's nights decide."""

    FIRST = "first"
    EXTEND = "extend"
    HOLD = "hold"
    CUT = "cut"
    TOO_FEW_NIGHTS = "too_few_nights"


@dataclass(frozen=True, slots=True)
class DiaryNight:
    """A night whose times could all be derived: minutes in bed and minutes asleep."""

    in_bed_min: int
    asleep_min: int

    def __post_init__(self) -> None:
        _require(0 < self.in_bed_min <= MINUTES_IN_DAY, "1 to 1440 minutes in bed", self.in_bed_min)
        _require(
            0 <= self.asleep_min <= self.in_bed_min,
            f"0 to {self.in_bed_min} minutes asleep",
            self.asleep_min,
        )


@dataclass(frozen=True, slots=True)
class WindowRule:
    """The rule as the protocol states it.

    Parameters
    ----------
    initial : Initial
        Mean sleep, or mean sleep and half an hour.
    floor_min, ceiling_min : int
        Shortest and longest window, in minutes; multiples of `step_min`.
    extend_at, cut_below : int
        Weekly sleep efficiency in per cent: at or above it grows, below it shrinks.
    step_min : int
        How far bedtime moves, in whole minutes.
    min_valid_nights, n_nights : int
        How many of the last nights must be valid.

    Raises
    ------
    WindowError
        A part is out of range or contradicts another.
    """

    initial: Initial = Initial.MEAN_SLEEP
    floor_min: int = 420
    ceiling_min: int = 600
    extend_at: int = 85
    cut_below: int = 80
    step_min: int = 15
    min_valid_nights: int = 5
    n_nights: int = 7

    def __post_init__(self) -> None:
        object.__setattr__(self, "initial", Initial(self.initial))
        _require(
            isinstance(self.step_min, int) and 1 <= self.step_min <= 60,
            "a step of 1 to 60 whole minutes",
            self.step_min,
        )
        for name in ("floor_min", "ceiling_min"):
            value = getattr(self, name)
            _require(
                isinstance(value, int) and value % self.step_min == 0,
                f"{name} as a multiple of {self.step_min} minutes",
                value,
            )
        _require(
            LOWEST_FLOOR_MIN <= self.floor_min <= self.ceiling_min <= MINUTES_IN_DAY,
            f"{LOWEST_FLOOR_MIN} <= floor_min <= ceiling_min <= {MINUTES_IN_DAY}",
            (self.floor_min, self.ceiling_min),
        )
        _require(
            0 < self.cut_below <= self.extend_at <= 100,
            "0 < cut_below <= extend_at <= 100",
            (self.cut_below, self.extend_at),
        )
        _require(
            1 <= self.min_valid_nights <= self.n_nights,
            "1 <= min_valid_nights <= n_nights",
            (self.min_valid_nights, self.n_nights),
        )

    def lengths(self, lowest_min: int = LOWEST_FLOOR_MIN) -> range:
        """Return the windows that there can be, from the shortest that anybody may approve."""
        first = -(-lowest_min // self.step_min) * self.step_min
        return range(first, self.ceiling_min + 1, self.step_min)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the rule says, and what it rests on."""

    decision: Decision
    window_min: int
    n_valid: int
    efficiency_pct: float | None = None
    mean_sleep_min: float | None = None


def first_window(nights: Sequence[DiaryNight], rule: WindowRule) -> Proposal | None:
    """Return the first window; `None` while there are too few valid nights.

    Parameters
    ----------
    nights : sequence of DiaryNight
        The valid ones of the last `rule.n_nights`, in any order.
    rule : WindowRule
        The protocol's rule.
    """
    _require(len(nights) <= rule.n_nights, f"at most {rule.n_nights} nights", len(nights))
    if len(nights) < rule.min_valid_nights:
        return None
    asleep = sum(night.asleep_min for night in nights) + ALLOWANCE_MIN[rule.initial] * len(nights)
    # Rounded up in whole numbers: the mean's ceiling to a step.
    steps = -(-asleep // (len(nights) * rule.step_min))
    window = min(max(steps * rule.step_min, rule.floor_min), rule.ceiling_min)
    return _proposal(Decision.FIRST, window, nights)


def next_window(
    current_min: int, nights: Sequence[DiaryNight], rule: WindowRule, floor_min: int
) -> Proposal:
    """Return the window after one week.

    Parameters
    ----------
    current_min : int
        The window in force, minutes.
    nights : sequence of DiaryNight
        The valid ones of the last `rule.n_nights`.
    rule : WindowRule
        The protocol's rule.
    floor_min : int
        The floor approved for this person, minutes; `rule.floor_min` unless a clinician approved
        another one.

    Raises
    ------
    WindowError
        The window in force is below the floor, or there are more nights than a week has.
    """
    _require(current_min >= floor_min, f"a window of {floor_min} minutes or more", current_min)
    _require(len(nights) <= rule.n_nights, f"at most {rule.n_nights} nights", len(nights))
    if len(nights) < rule.min_valid_nights:
        return _proposal(Decision.TOO_FEW_NIGHTS, current_min, nights)
    asleep = 100 * sum(night.asleep_min for night in nights)
    in_bed = sum(night.in_bed_min for night in nights)
    if asleep >= rule.extend_at * in_bed:
        return _moved(Decision.EXTEND, current_min, rule, floor_min, nights)
    if asleep < rule.cut_below * in_bed:
        return _moved(Decision.CUT, current_min, rule, floor_min, nights)
    return _proposal(Decision.HOLD, current_min, nights)


def bed_minute(rise_minute: int, window_min: int) -> int:
    """Return the minute of the day at which a window begins; past midnight it wraps round.

    Examples
    --------
    >>> bed_minute(6 * 60 + 45, 420)
    1425
    >>> bed_minute(8 * 60, 420)
    60
    """
    return (rise_minute - window_min) % MINUTES_IN_DAY


def _moved(
    decision: Decision,
    current_min: int,
    rule: WindowRule,
    floor_min: int,
    nights: Sequence[DiaryNight],
) -> Proposal:
    if decision is Decision.EXTEND:
        window = max(current_min, min(current_min + rule.step_min, rule.ceiling_min))
    else:
        window = max(current_min - rule.step_min, floor_min)
    return _proposal(decision if window != current_min else Decision.HOLD, window, nights)


def _proposal(decision: Decision, window: int, nights: Sequence[DiaryNight]) -> Proposal:
    if not nights:
        return Proposal(decision, window, 0)
    asleep = sum(night.asleep_min for night in nights)
    in_bed = sum(night.in_bed_min for night in nights)
    return Proposal(
        decision,
        window,
        len(nights),
        efficiency_pct=round(100 * asleep / in_bed, 2),
        mean_sleep_min=round(asleep / len(nights), 2),
    )


def _require(condition: bool, expected: str, got: object) -> None:
    if not condition:
        raise WindowError(f"expected {expected}, got {got!r}. Correct the sleep window's rule.")
