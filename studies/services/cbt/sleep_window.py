"""The sleep window of the CBT arm: proposed from the diary, confirmed, moved once a week.

The first window, and every shorter one, waits for the therapist. A longer or an unchanged one
follows the rule at once. Each week's row keeps the rule, its inputs, its result and who confirmed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import pgettext

from studies import clock
from studies.design.sleep_window import (
    EXCLUSIONS,
    LOWEST_FLOOR_MIN,
    RULE_ID,
    RULE_VERSION,
    Decision,
    DiaryNight,
    Proposal,
    WindowRule,
    bed_minute,
    first_window,
    next_window,
)
from studies.exceptions import ReasonMissing, WindowBlocked, WindowRefused
from studies.models.cbt import ExerciseAnswer, LessonProgress
from studies.models.participant import Participant
from studies.models.sleep_window import SleepWindow, WindowScreening
from studies.models.user import User
from studies.selectors.diary import DiaryRow, diary_of
from studies.services.trail.audit import SYSTEM, Actor, record, staff

LESSON, WAKE_TIME = "sleep_window", "wake_time"
# The weekly look begins with lesson 3 and ends when lesson 6 is opened.
ENDS_WITH = "keeping_it"
DAYS_A_WEEK = 7


@transaction.atomic
def keep_window(*, participant: Participant) -> None:
    """Propose the first window, or look at every week that is due; asking again changes nothing."""
    participant = Participant.objects.select_for_update(of=("self",)).get(pk=participant.pk)
    windows = list(SleepWindow.objects.filter(participant=participant))
    if not windows:
        _propose_first(participant)
    elif windows[0].is_confirmed and exclusions_of(participant) == [] and _goes_on(participant):
        _look_at_weeks(participant, windows)


def window_in_force(participant: Participant) -> SleepWindow | None:
    """Return the window that somebody keeps now; none while one is excluded."""
    if exclusions_of(participant) != []:
        return None
    return SleepWindow.objects.filter(participant=participant).exclude(confirmed_at=None).last()


def waiting_window(participant: Participant) -> SleepWindow | None:
    """Return the latest proposal that waits for a therapist, and is not too old to hold."""
    latest = SleepWindow.objects.filter(participant=participant).last()
    waits = latest is not None and not latest.is_confirmed and not has_lapsed(latest)
    return latest if waits else None


def has_lapsed(window: SleepWindow) -> bool:
    """Return whether nobody confirmed a shorter window in the week after its nights.

    Whom it was meant for sleeps otherwise by now, or the weekly look has ended; the window before
    goes on.
    """
    if window.is_confirmed or window.decision != Decision.CUT:
        return False
    zone = ZoneInfo(window.participant.zone)
    computed_on = window.computed_at.astimezone(zone).date()
    is_old = _today(window.participant) - computed_on > timedelta(days=DAYS_A_WEEK)
    return is_old or not _goes_on(window.participant)


def exclusions_of(participant: Participant) -> list[str] | None:
    """Return the reasons against a window that were found; `None` while nobody has asked."""
    latest = WindowScreening.objects.filter(participant=participant).last()
    return None if latest is None else list(latest.exclusions)


@transaction.atomic
def screen_for_window(
    *, participant: Participant, exclusions: Iterable[str], user: User
) -> WindowScreening:
    """Record what a therapist found when asking for reasons against a sleep window."""
    found = sorted(set(exclusions))
    if unknown := set(found) - set(EXCLUSIONS):
        raise WindowRefused(f"reasons of {', '.join(EXCLUSIONS)}", sorted(unknown))
    participant = Participant.objects.select_for_update(of=("self",)).get(pk=participant.pk)
    old = exclusions_of(participant)
    screening = WindowScreening.objects.create(
        participant=participant, exclusions=found, recorded_by=user, recorded_at=clock.now()
    )
    record(
        actor=staff(user),
        action="screen_for_window",
        subject=screening,
        old=None if old is None else {"exclusions": old},
        new={"exclusions": found},
    )
    return screening


@transaction.atomic
def confirm_window(
    *,
    window: SleepWindow,
    user: User,
    window_min: int,
    rise_at: str,
    reason: str = "",
    approves_lower_floor: bool = False,
) -> SleepWindow:
    """Let a proposed window hold, as it is or adjusted for a reason.

    A window below the protocol's floor wants explicit approval; it becomes this person's floor.
    Raises WindowBlocked, WindowRefused or ReasonMissing.
    """
    window = SleepWindow.objects.select_for_update().get(pk=window.pk)
    participant = window.participant
    _refuse_unless_screened(participant)
    if window.is_confirmed:
        return window
    if has_lapsed(window):
        raise WindowBlocked("it rests on nights of more than a week ago")
    rule = participant.study.plan.skills.window
    _refuse_length(window, window_min, rule, approves_lower_floor=approves_lower_floor)
    is_adjusted = (window_min, rise_at) != (window.proposed_min, window.rise_at)
    if (is_adjusted or window_min < rule.floor_min) and not reason.strip():
        raise ReasonMissing("adjusting a sleep window")
    old = {"window_min": window.proposed_min, "rise_at": window.rise_at}
    window.floor_min = min(window.floor_min, window_min)
    window.window_min, window.rise_at, window.reason = window_min, rise_at, reason.strip()
    window.confirmed_at, window.confirmed_by = clock.now(), user
    window.save()
    _record(window, "confirm_window", staff(user), old=old, reason=window.reason)
    return window


def bed_at(window: SleepWindow) -> str:
    """Return when a window begins, ``HH:MM``."""
    hour, minute = (int(part) for part in window.rise_at.split(":"))
    length = window.window_min or window.proposed_min
    start = bed_minute(60 * hour + minute, length)
    return f"{start // 60:02d}:{start % 60:02d}"


def hours_and_minutes(minutes: int) -> str:
    """Return a length as people say it, like 7 h 30 min."""
    hours, rest = divmod(minutes, 60)
    words = pgettext("length of time", "%(hours)d h %(minutes)02d min")
    return words % {"hours": hours, "minutes": rest}


def _propose_first(participant: Participant) -> None:
    rise_at = _wake_time(participant)
    is_taught = LessonProgress.objects.filter(
        participant=participant, lesson=LESSON, finished_at__isnull=False
    ).exists()
    if not is_taught or not rise_at:
        return
    rule = participant.study.plan.skills.window
    rows = _between(participant, _today(participant), rule.n_nights)
    proposal = first_window(_valid(rows), rule)
    if proposal is not None:
        inputs = _inputs(rows, rule, None, rule.floor_min)
        _keep(participant, 0, proposal, inputs, rise_at=rise_at, floor_min=rule.floor_min)


def _look_at_weeks(participant: Participant, windows: Sequence[SleepWindow]) -> None:
    """Add a row for each week that has passed since the first window was confirmed."""
    plan = participant.study.plan.skills
    began_on = windows[0].confirmed_at.astimezone(ZoneInfo(participant.zone)).date()
    windows, today = list(windows), _today(participant)
    for week in range(windows[-1].week + 1, (today - began_on).days // DAYS_A_WEEK + 1):
        last_on = began_on + timedelta(days=DAYS_A_WEEK * week)
        rows = _between(participant, last_on, DAYS_A_WEEK)
        if len(rows) < DAYS_A_WEEK and (today - last_on).days <= plan.diary_days_back:
            # A missed night may still be added.
            return
        current = next(one for one in reversed(windows) if one.is_confirmed)
        proposal = next_window(current.window_min, _valid(rows), plan.window, current.floor_min)
        inputs = _inputs(rows, plan.window, current.window_min, current.floor_min)
        kept = {"rise_at": current.rise_at, "floor_min": current.floor_min}
        windows.append(_keep(participant, week, proposal, inputs, **kept))


def _keep(
    participant: Participant,
    week: int,
    proposal: Proposal,
    inputs: dict[str, object],
    *,
    rise_at: str,
    floor_min: int,
) -> SleepWindow:
    waits = proposal.decision in {Decision.FIRST, Decision.CUT}
    now = clock.now()
    window = SleepWindow.objects.create(
        participant=participant,
        week=week,
        rule_id=RULE_ID,
        rule_version=RULE_VERSION,
        inputs={
            **inputs,
            "n_valid": proposal.n_valid,
            "efficiency_pct": proposal.efficiency_pct,
            "mean_sleep_min": proposal.mean_sleep_min,
        },
        decision=proposal.decision,
        proposed_min=proposal.window_min,
        computed_at=now,
        window_min=None if waits else proposal.window_min,
        confirmed_at=None if waits else now,
        rise_at=rise_at,
        floor_min=floor_min,
    )
    _record(window, "propose_window" if waits else "move_window", SYSTEM)
    return window


def _inputs(
    rows: Sequence[DiaryRow], rule: WindowRule, current_min: int | None, floor_min: int
) -> dict[str, object]:
    nights = [
        {
            "morning_on": row.morning_on.isoformat(),
            "in_bed_min": row.values.get("tib_min"),
            "asleep_min": row.values.get("tst_min"),
            "is_valid": row.night is not None,
        }
        for row in rows
    ]
    parameters = {**asdict(rule), "floor_min": floor_min}
    return {"rule": parameters, "window_before_min": current_min, "nights": nights}


def _between(participant: Participant, last_on: date, n_days: int) -> list[DiaryRow]:
    first_on = last_on - timedelta(days=n_days - 1)
    return [row for row in diary_of(participant) if first_on <= row.morning_on <= last_on]


def _valid(rows: Sequence[DiaryRow]) -> list[DiaryNight]:
    return [row.night for row in rows if row.night is not None]


def _goes_on(participant: Participant) -> bool:
    return not LessonProgress.objects.filter(participant=participant, lesson=ENDS_WITH).exists()


def _wake_time(participant: Participant) -> str:
    answer = ExerciseAnswer.objects.filter(participant=participant, exercise=WAKE_TIME).first()
    return answer.value if answer else ""


def _today(participant: Participant) -> date:
    return clock.today(participant.zone)


def _refuse_unless_screened(participant: Participant) -> None:
    found = exclusions_of(participant)
    if found is None:
        raise WindowBlocked("nobody has asked for reasons against it yet")
    if found:
        raise WindowBlocked(f"there are reasons against it: {', '.join(found)}")


def _refuse_length(
    window: SleepWindow, window_min: int, rule: WindowRule, *, approves_lower_floor: bool
) -> None:
    lowest = LOWEST_FLOOR_MIN if approves_lower_floor else window.floor_min
    if window_min not in rule.lengths(lowest):
        raise WindowRefused(
            f"a window of {lowest} to {rule.ceiling_min} minutes in steps of {rule.step_min}",
            window_min,
        )


def _record(
    window: SleepWindow,
    action: str,
    actor: Actor,
    old: dict[str, object] | None = None,
    reason: str = "",
) -> None:
    record(
        actor=actor,
        action=action,
        subject=window,
        old=old,
        new={
            "week": window.week,
            "rule": f"{window.rule_id} {window.rule_version}",
            "decision": window.decision,
            "proposed_min": window.proposed_min,
            "window_min": window.window_min,
            "floor_min": window.floor_min,
            "rise_at": window.rise_at,
        },
        reason=reason,
    )
