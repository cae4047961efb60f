from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studies.design.errors import ProtocolError
from studies.design.reminders import (
    ReminderPlan,
    Standing,
    Step,
    Subject,
    Why,
    diary_step,
    evening_step,
    first_moment,
    visit_steps,
    why,
)

PLAN = ReminderPlan()
# Zones that tzdata keeps for files and computers, where nobody lives.
ZONES = sorted(zone for zone in available_timezones() if not zone.startswith(("Etc/", "posix")))
TARGET = date(2026, 3, 30)
NOON = datetime(2026, 3, 30, 12, 0, tzinfo=UTC)


def _here(**known: object) -> Standing:
    return Standing(**{"zone": "UTC", **known})


def _step(at: int = 1) -> Step:
    return visit_steps("7", TARGET, PLAN)[at]


def test_a_visit_has_its_steps_and_each_ends_where_the_next_begins() -> None:
    steps = visit_steps("7", TARGET, PLAN)
    assert [step.key for step in steps] == [
        "visit:7:-2", "visit:7:+0", "visit:7:+2", "visit:7:+5",
    ]  # fmt: skip
    assert [(step.on.day, step.until.day) for step in steps] == [(28, 29), (30, 31), (1, 3), (4, 6)]


def test_nobody_is_reminded_of_baseline_on_the_day_of_consenting() -> None:
    steps = visit_steps("7", TARGET, PLAN, is_baseline=True)
    assert [step.on - TARGET for step in steps] == [timedelta(days=2), timedelta(days=5)]


@pytest.mark.parametrize(
    ("now", "standing", "waits", "expected"),
    [
        (NOON, _here(), True, Why.DUE),
        (NOON, _here(), False, Why.NOTHING_WAITS),
        (NOON, _here(takes_part=False), True, Why.ENDED),
        (NOON, _here(is_stopped=True), True, Why.STOPPED),
        (NOON, _here(has_address=False), True, Why.NO_ADDRESS),
        (NOON.replace(hour=8), _here(), True, Why.TO_COME),
        (NOON.replace(hour=20), _here(), True, Why.QUIET),
        (NOON + timedelta(days=1, hours=-5), _here(), True, Why.QUIET),
        (NOON - timedelta(days=1), _here(), True, Why.TO_COME),
        (NOON + timedelta(days=2), _here(), True, Why.PAST),
        (NOON, _here(sent_at=[NOON - timedelta(hours=2)]), True, Why.CAPPED),
        (NOON, _here(sent_at=[NOON - timedelta(days=d) for d in range(1, 6)]), True, Why.CAPPED),
        (NOON, _here(sent_at=[NOON - timedelta(days=d) for d in range(5, 12)]), True, Why.DUE),
    ],
)
def test_what_becomes_of_a_step(
    now: datetime, standing: Standing, waits: bool, expected: Why
) -> None:
    assert why(_step(), now, standing, PLAN, waits=waits) == expected


def test_a_diary_is_reminded_of_on_its_own_morning_and_an_evening_once_a_week() -> None:
    diary = diary_step("9", TARGET)
    assert (diary.subject, diary.on, diary.until) == (Subject.DIARY, TARGET, TARGET)
    weeks = {evening_step("9", TARGET, TARGET + timedelta(days=day)).key for day in range(21)}
    assert weeks == {"evening:9:0", "evening:9:1", "evening:9:2"}


def test_a_time_that_clocks_skip_means_the_next_one_there_is() -> None:
    plan = ReminderPlan(send_from="02:30", send_until="20:00")
    step = diary_step("9", date(2026, 3, 29))
    moment = first_moment(step, "Europe/Berlin", plan)
    assert moment.astimezone(ZoneInfo("Europe/Berlin")).time() == time(3, 30)


def _walk(zone_at: dict[datetime, str], start: datetime, days: int, step: Step) -> list[datetime]:
    """Let a scheduler look every twenty minutes; return the local moments at which it sent."""
    sent: list[tuple[datetime, str]] = []
    zone = next(iter(zone_at.values()))
    for tick in range(days * 72):
        now = start + timedelta(minutes=20 * tick)
        zone = next((z for at, z in reversed(zone_at.items()) if at <= now), zone)
        standing = Standing(zone, sent_at=[at for at, _zone in sent])
        is_due = why(step, now, standing, PLAN, waits=True) == Why.DUE
        # The key exists once: what was sent is not asked about again.
        if is_due and not sent:
            sent.append((now, zone))
    return [at.astimezone(ZoneInfo(where)) for at, where in sent]


@pytest.mark.parametrize("on", [date(2026, 3, 8), date(2026, 3, 29), date(2026, 10, 25)])
def test_in_every_zone_a_step_goes_out_once_on_its_day_and_in_its_hours(on: date) -> None:
    start = datetime.combine(on - timedelta(days=1), time(6), tzinfo=UTC)
    for zone in ZONES:
        moments = _walk({start: zone}, start, 3, diary_step("9", on))
        assert [moment.date() for moment in moments] == [on], zone
        assert time(9) <= moments[0].time() < time(20), zone


def test_a_day_that_a_zone_left_out_has_no_diary_and_its_visit_is_reminded_of_the_day_after() -> (
    None
):
    # Samoa went from 29 to 31 December 2011.
    start, gone = datetime(2011, 12, 28, tzinfo=UTC), date(2011, 12, 30)
    assert _walk({start: "Pacific/Apia"}, start, 6, diary_step("9", gone)) == []
    step = visit_steps("7", gone, PLAN)[1]
    moments = _walk({start: "Pacific/Apia"}, start, 6, step)
    assert [moment.date() for moment in moments] == [date(2011, 12, 31)]


@settings(max_examples=60, deadline=None)
@given(
    zones=st.lists(st.sampled_from(ZONES), min_size=2, max_size=3),
    day=st.dates(date(2024, 1, 1), date(2032, 12, 31)),
    hours=st.lists(st.integers(0, 96), min_size=2, max_size=2),
)
def test_who_travels_is_reminded_once_and_never_in_the_night(
    zones: list[str], day: date, hours: list[int]
) -> None:
    start = datetime.combine(day - timedelta(days=2), time(0), tzinfo=UTC)
    journeys = dict(zip([start, *(start + timedelta(hours=h) for h in sorted(hours))], zones,
                        strict=False))  # fmt: skip
    step = visit_steps("7", day, PLAN)[-1]
    shifted = Step(step.key, step.subject, day, day + timedelta(days=2))
    moments = _walk(journeys, start, 7, shifted)
    assert len(moments) == 1
    assert time(9) <= moments[0].time() < time(20)


def test_one_a_day_and_no_more_than_the_plan_allows_a_week() -> None:
    sent: list[datetime] = []
    for tick in range(14 * 24):
        now = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=tick)
        step = diary_step("9", now.date())
        if why(step, now, _here(sent_at=sent), PLAN, waits=True) == Why.DUE:
            sent.append(now)
    assert max(Counter(at.date() for at in sent).values()) == 1
    assert len([at for at in sent if at < datetime(2026, 3, 8, tzinfo=UTC)]) == PLAN.a_week


@pytest.mark.parametrize(
    "wrong",
    [
        {"visit_days": (2, 0)},
        {"visit_days": (0, 99)},
        {"a_week": 99},
        {"send_from": "9"},
        {"send_from": "25:00"},
        {"send_from": "19:30"},
        {"send_until": None},
    ],
)
def test_a_plan_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ProtocolError, match="expected"):
        ReminderPlan(**wrong)
