"""When a reminder goes out, and why one does not: one rule that the sender and its page both ask.

A reminder is a *step* of a subject (a visit, an evening, a morning's diary). A step belongs to a
local day of the participant and may still go out for some days after it, until the next step takes
its place. Only the participant's own wall clock is asked, at the moment of sending: nothing is
queued ahead, so clocks that change and people who travel need no rule of their own. Each step has a
key that exists once, so that a day that comes twice is reminded of once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from studies.design.parts import require

DAYS_OFF_TARGET_MAX = 28
SLACK = timedelta(days=2)
WEEK = timedelta(days=7)
EVENING_DAY = 3
A_WEEK_MAX = 14


class Subject(StrEnum):
    """What a reminder is about, the most important first."""

    VISIT = "visit"
    EVENING = "evening"
    DIARY = "diary"


class Why(StrEnum):
    """What becomes of a step now."""

    DUE = "due"
    TO_COME = "to_come"
    PAST = "past"
    ENDED = "ended"
    STOPPED = "stopped"
    NOTHING_WAITS = "nothing_waits"
    NO_ADDRESS = "no_address"
    QUIET = "quiet"
    CAPPED = "capped"


@dataclass(frozen=True, slots=True)
class ReminderPlan:
    """What the protocol says about reminders.

    Parameters
    ----------
    visit_days : tuple of int
        Days from a visit's target day on which it is reminded of, while something is unanswered.
    diary : bool
        Whether a morning's diary is reminded of, alike in every arm.
    evening : bool
        Whether somebody who has not taken part for days is reminded once a week, alike in every
        arm.
    send_from, send_until : str
        Between which local times, ``HH:MM``; quiet at all others.
    a_week : int
        How many go out within seven days at most; never more than one a local day.
    """

    visit_days: tuple[int, ...] = (-2, 0, 2, 5)
    diary: bool = True
    evening: bool = True
    send_from: str = "09:00"
    send_until: str = "20:00"
    a_week: int = 5

    def __post_init__(self) -> None:
        days = self.visit_days
        require(
            all(type(day) is int and abs(day) <= DAYS_OFF_TARGET_MAX for day in days)
            and list(days) == sorted(set(days)),
            f"ascending days from -{DAYS_OFF_TARGET_MAX} to {DAYS_OFF_TARGET_MAX}",
            list(days),
        )
        require(0 <= self.a_week <= A_WEEK_MAX, f"0 to {A_WEEK_MAX} a week", self.a_week)
        require(
            self.opens + timedelta(hours=1) <= self.closes,
            "hours to send in, one at least",
            (self.send_from, self.send_until),
        )

    @property
    def opens(self) -> timedelta:
        """When sending begins, since local midnight."""
        return _since_midnight(self.send_from)

    @property
    def closes(self) -> timedelta:
        """When sending ends, since local midnight."""
        return _since_midnight(self.send_until)

    @classmethod
    def from_json(cls, plain: Mapping[str, object]) -> "ReminderPlan":
        """Return the plan that `dataclasses.asdict` made plain."""
        lists = {"visit_days": tuple(plain["visit_days"])} if "visit_days" in plain else {}
        return cls(**{**plain, **lists})


@dataclass(frozen=True, slots=True)
class Step:
    """One reminder: its key, what it is about, its local day, and the last one it may go out on."""

    key: str
    subject: Subject
    on: date
    until: date


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of somebody at the moment of sending.

    Parameters
    ----------
    zone : str
        Where their clock is now, an IANA name.
    takes_part : bool
        Neither withdrawn nor through, in an open study.
    is_stopped : bool
        They want no reminders.
    has_address : bool
        There is an address to send to.
    sent_at : sequence of datetime
        When the reminders of the last week went out.
    """

    zone: str
    takes_part: bool = True
    is_stopped: bool = False
    has_address: bool = True
    sent_at: Sequence[datetime] = ()


def visit_steps(
    key: str, target_on: date, plan: ReminderPlan, *, is_baseline: bool = False
) -> tuple[Step, ...]:
    """Return the steps of one visit, in order; baseline begins on its target day.

    Parameters
    ----------
    key : str
        Names the visit.
    target_on : date
        Its target day, in the participant's zone.
    plan : ReminderPlan
    is_baseline : bool
        Nobody is reminded on the day on which they consented.
    """
    offsets = [day for day in plan.visit_days if day > 0 or not is_baseline]
    days = [target_on + timedelta(days=offset) for offset in offsets]
    last = [later - timedelta(days=1) for _earlier, later in pairwise(days)]
    last += [day + SLACK for day in days[-1:]]
    return tuple(
        Step(f"visit:{key}:{offset:+d}", Subject.VISIT, day, until)
        for offset, day, until in zip(offsets, days, last, strict=True)
    )


def diary_step(key: str, morning_on: date) -> Step:
    """Return the one step of a morning's diary: that day or never."""
    return Step(f"diary:{key}:{morning_on}", Subject.DIARY, morning_on, morning_on)


def evening_step(key: str, began_on: date, today: date) -> Step:
    """Return this week's step for who has not taken part lately, counted from `began_on`."""
    week = (today - began_on) // WEEK
    day = began_on + week * WEEK + timedelta(days=EVENING_DAY)
    return Step(f"evening:{key}:{week}", Subject.EVENING, day, day + SLACK)


def why(step: Step, now: datetime, standing: Standing, plan: ReminderPlan, *, waits: bool) -> Why:
    """Return what becomes of a step at the moment `now`.

    Parameters
    ----------
    step : Step
    now : datetime
        Aware.
    standing : Standing
    plan : ReminderPlan
    waits : bool
        Whether there is something for the participant to do now.
    """
    local = now.astimezone(ZoneInfo(standing.zone))
    clock = timedelta(hours=local.hour, minutes=local.minute)
    if not standing.takes_part:
        return Why.ENDED
    if local.date() < step.on or (local.date() == step.on and clock < plan.opens):
        return Why.TO_COME
    if local.date() > step.until:
        return Why.PAST
    for obstacle, is_met in (
        (Why.STOPPED, standing.is_stopped),
        (Why.NOTHING_WAITS, not waits),
        (Why.NO_ADDRESS, not standing.has_address),
        (Why.QUIET, not plan.opens <= clock < plan.closes),
        (Why.CAPPED, _is_capped(now, standing, plan)),
    ):
        if is_met:
            return obstacle
    return Why.DUE


def first_moment(step: Step, zone: str, plan: ReminderPlan) -> datetime:
    """Return when a step may go out first, as UTC; a time that clocks skip means the next one."""
    opens = time.fromisoformat(plan.send_from)
    return datetime.combine(step.on, opens, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _is_capped(now: datetime, standing: Standing, plan: ReminderPlan) -> bool:
    zone = ZoneInfo(standing.zone)
    today = now.astimezone(zone).date()
    lately = [sent for sent in standing.sent_at if now - sent < WEEK]
    is_one_today = any(sent.astimezone(zone).date() == today for sent in lately)
    return is_one_today or len(lately) >= plan.a_week


def _since_midnight(text: str) -> timedelta:
    try:
        moment = time.fromisoformat(text)
    except (TypeError, ValueError):
        moment = None
    require(moment is not None and len(text) == len("HH:MM"), "a time like 09:00", text)
    return timedelta(hours=moment.hour, minutes=moment.minute)
