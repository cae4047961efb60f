from datetime import datetime, timedelta

import pytest

from studies import clock
from studies.design.sleep_window import EXCLUSIONS
from studies.exceptions import ReasonMissing, WindowBlocked, WindowRefused
from studies.models.audit import AuditEntry
from studies.models.participant import Participant
from studies.models.sleep_window import SleepWindow
from studies.models.user import User
from studies.services.cbt.sleep_window import (
    bed_at,
    confirm_window,
    hours_and_minutes,
    keep_window,
    screen_for_window,
    waiting_window,
    window_in_force,
)
from tests.studies.services.learning import (
    BAD_NIGHT,
    GOOD_NIGHT,
    NIGHT,
    confirm,
    learner_in,
    live,
    reach_window,
    take_lesson,
    therapist_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def start() -> datetime:
    return clock.now() - timedelta(days=60)


@pytest.fixture
def learner(start: datetime) -> Participant:
    with clock.at(start):
        return learner_in()


@pytest.fixture
def therapist(learner: Participant) -> User:
    return therapist_of(learner.study)


def _weeks(learner: Participant) -> list[tuple[int, str, int | None]]:
    rows = SleepWindow.objects.filter(participant=learner)
    return list(rows.values_list("week", "decision", "window_min"))


def test_the_first_window_is_proposed_from_the_diary_and_waits(
    learner: Participant, start: datetime
) -> None:
    reach_window(learner, start)
    window = waiting_window(learner)
    assert (window.week, window.proposed_min, window.rise_at) == (0, 420, "06:45")
    assert bed_at(window) == "23:45"
    assert window.inputs["n_valid"] == 7
    assert len(window.inputs["nights"]) == 7
    assert window.inputs["rule"]["extend_at"] == 85
    assert (window.rule_id, window.rule_version) == ("sleep_window", "1")
    assert window_in_force(learner) is None
    entry = AuditEntry.objects.get(action="propose_window")
    assert (entry.actor, entry.new["proposed_min"]) == ("system", 420)


def test_without_the_lesson_or_with_four_nights_nothing_is_proposed(
    learner: Participant, start: datetime
) -> None:
    with clock.at(start):
        take_lesson(learner)
    live(learner, start, range(1, 7))
    assert waiting_window(learner) is None
    with clock.at(start + timedelta(days=9)):
        # Four nights of the last seven days.
        take_lesson(learner, "sleep_window")
    assert waiting_window(learner) is None
    live(learner, start, range(10, 15))
    assert waiting_window(learner).inputs["n_valid"] == 5


def test_a_window_holds_when_the_therapist_has_asked_and_confirmed(
    learner: Participant, start: datetime, therapist: User
) -> None:
    reach_window(learner, start)
    window = waiting_window(learner)
    settings = {"user": therapist, "window_min": 420, "rise_at": "06:45"}
    with pytest.raises(WindowBlocked, match="nobody has asked"):
        confirm_window(window=window, **settings)
    confirm(learner, therapist, start + timedelta(days=8))
    held = window_in_force(learner)
    assert (held.window_min, held.confirmed_by, held.reason) == (420, therapist, "")
    assert confirm_window(window=held, **settings).confirmed_at == held.confirmed_at
    assert AuditEntry.objects.filter(action="confirm_window").count() == 1


def test_any_reason_against_it_blocks_a_window_before_and_after(
    learner: Participant, start: datetime, therapist: User
) -> None:
    reach_window(learner, start)
    window = waiting_window(learner)
    for exclusion in EXCLUSIONS:
        with clock.at(start + timedelta(days=7, hours=2)):
            screen_for_window(participant=learner, exclusions=[exclusion], user=therapist)
        with pytest.raises(WindowBlocked, match=exclusion):
            confirm_window(window=window, user=therapist, window_min=420, rise_at="06:45")
    confirm(learner, therapist, start + timedelta(days=8))
    assert window_in_force(learner) is not None
    screen_for_window(participant=learner, exclusions=["epilepsy"], user=therapist)
    assert window_in_force(learner) is None
    with clock.at(start + timedelta(days=30)):
        keep_window(participant=learner)
    assert len(_weeks(learner)) == 1


def test_an_unknown_reason_is_refused(learner: Participant, therapist: User) -> None:
    with pytest.raises(WindowRefused, match="nonsense"):
        screen_for_window(participant=learner, exclusions=["nonsense"], user=therapist)


def test_below_the_floor_wants_explicit_approval_and_a_reason(
    learner: Participant, start: datetime, therapist: User
) -> None:
    reach_window(learner, start)
    window = waiting_window(learner)
    screen_for_window(participant=learner, exclusions=(), user=therapist)
    shorter = {"window": window, "user": therapist, "window_min": 390, "rise_at": "06:45"}
    with pytest.raises(WindowRefused, match="420 to 600"):
        confirm_window(**shorter)
    with pytest.raises(ReasonMissing):
        confirm_window(**shorter, approves_lower_floor=True)
    with pytest.raises(WindowRefused, match="330 to 600"):
        confirm_window(**{**shorter, "window_min": 315}, approves_lower_floor=True, reason="x")
    with pytest.raises(WindowRefused, match="steps of 15"):
        confirm_window(**{**shorter, "window_min": 433}, reason="x")
    held = confirm_window(**shorter, approves_lower_floor=True, reason="adult, agreed")
    assert (held.window_min, held.floor_min, held.reason) == (390, 390, "adult, agreed")


def test_good_weeks_make_it_longer_by_a_step_and_only_once_a_week(
    learner: Participant, start: datetime, therapist: User
) -> None:
    reach_window(learner, start)
    confirm(learner, therapist, start + timedelta(days=7, hours=2))
    live(learner, start, range(8, 15), GOOD_NIGHT)
    assert _weeks(learner) == [(0, "first", 420), (1, "extend", 435)]
    window = window_in_force(learner)
    assert (bed_at(window), window.rise_at, window.confirmed_by) == ("23:30", "06:45", None)
    with clock.at(start + timedelta(days=15)):
        for _ in range(3):
            keep_window(participant=learner)
    assert len(_weeks(learner)) == 2
    live(learner, start, range(15, 22), NIGHT)
    assert _weeks(learner)[2] == (2, "hold", 435)


def test_a_shorter_window_waits_for_the_therapist(
    learner: Participant, start: datetime, therapist: User
) -> None:
    reach_window(learner, start, GOOD_NIGHT)
    confirm(learner, therapist, start + timedelta(days=7, hours=2))
    first = window_in_force(learner).window_min
    live(learner, start, range(8, 15), BAD_NIGHT)
    assert _weeks(learner)[1] == (1, "cut", None)
    assert window_in_force(learner).window_min == first
    confirm(learner, therapist, start + timedelta(days=15))
    assert window_in_force(learner).window_min == first - 15


def test_a_shorter_window_that_nobody_confirmed_within_a_week_lapses(
    learner: Participant, start: datetime, therapist: User
) -> None:
    reach_window(learner, start, GOOD_NIGHT)
    confirm(learner, therapist, start + timedelta(days=7, hours=2))
    before = window_in_force(learner).window_min
    live(learner, start, range(8, 15), BAD_NIGHT)
    cut = SleepWindow.objects.filter(participant=learner).last()
    with clock.at(cut.computed_at + timedelta(days=7)):
        assert waiting_window(learner) == cut
    with clock.at(cut.computed_at + timedelta(days=9)):
        assert waiting_window(learner) is None
        assert window_in_force(learner).window_min == before
        with pytest.raises(WindowBlocked, match="more than a week ago"):
            confirm_window(
                window=cut, user=therapist, window_min=cut.proposed_min, rise_at=cut.rise_at
            )


def test_a_week_is_judged_only_when_no_night_can_be_added_any_more(
    learner: Participant, start: datetime, therapist: User
) -> None:
    reach_window(learner, start)
    confirm(learner, therapist, start + timedelta(days=7, hours=2))
    live(learner, start, range(8, 12), GOOD_NIGHT)
    for day, n_weeks in ((14, 1), (16, 1), (17, 2)):
        with clock.at(start + timedelta(days=day)):
            keep_window(participant=learner)
        assert len(_weeks(learner)) == n_weeks, day
    assert _weeks(learner)[1] == (1, "too_few_nights", 420)


def test_weeks_that_nobody_looked_at_are_made_up_for_in_order(
    learner: Participant, start: datetime, therapist: User
) -> None:
    reach_window(learner, start)
    confirm(learner, therapist, start + timedelta(days=7, hours=2))
    with clock.at(start + timedelta(days=31)):
        keep_window(participant=learner)
    assert _weeks(learner)[1:] == [(week, "too_few_nights", 420) for week in (1, 2, 3)]


def test_the_weekly_look_ends_when_lesson_six_is_opened(
    learner: Participant, start: datetime, therapist: User
) -> None:
    reach_window(learner, start)
    confirm(learner, therapist, start + timedelta(days=7, hours=2))
    for week, key in enumerate(["relaxation", "worries", "consolidation", "keeping_it"], start=2):
        live(learner, start, range(7 * week - 6, 7 * week + 1))
        with clock.at(start + timedelta(days=7 * week, hours=3)):
            take_lesson(learner, key)
    n_weeks = len(_weeks(learner))
    live(learner, start, range(36, 43))
    assert len(_weeks(learner)) == n_weeks


def test_a_length_is_said_in_hours_and_minutes() -> None:
    assert hours_and_minutes(420) == "7 h 00 min"
