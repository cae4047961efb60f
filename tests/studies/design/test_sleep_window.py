import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.design.errors import WindowError
from studies.design.sleep_window import (
    Decision,
    DiaryNight,
    Initial,
    WindowRule,
    bed_minute,
    first_window,
    next_window,
)

RULE = WindowRule()
FLOOR = RULE.floor_min


@st.composite
def _nights(draw: st.DrawFn, at_least: int = 0) -> list[DiaryNight]:
    n = draw(st.integers(at_least, RULE.n_nights))
    in_bed = [draw(st.integers(60, 1080)) for _ in range(n)]
    return [DiaryNight(minutes, draw(st.integers(0, minutes))) for minutes in in_bed]


windows = st.sampled_from(list(RULE.lengths(FLOOR)))


def _week(efficiency: int, n: int = 7, in_bed: int = 500) -> list[DiaryNight]:
    return [DiaryNight(in_bed, in_bed * efficiency // 100)] * n


@given(_nights(at_least=RULE.min_valid_nights))
def test_the_first_window_is_whole_steps_between_floor_and_ceiling(nights) -> None:
    window = first_window(nights, RULE).window_min
    assert FLOOR <= window <= RULE.ceiling_min
    assert window % RULE.step_min == 0
    mean = sum(night.asleep_min for night in nights) / len(nights)
    if FLOOR <= mean <= RULE.ceiling_min:
        assert 0 <= window - mean < RULE.step_min


@given(windows, _nights())
def test_a_window_never_moves_by_more_than_a_step_nor_out_of_its_limits(current, nights) -> None:
    proposal = next_window(current, nights, RULE, FLOOR)
    assert abs(proposal.window_min - current) in {0, RULE.step_min}
    assert FLOOR <= proposal.window_min <= RULE.ceiling_min
    assert next_window(current, nights, RULE, FLOOR) == proposal


@given(windows, _nights(at_least=5), st.integers(1, 400))
def test_more_sleep_in_the_same_bed_never_makes_a_window_shorter(current, nights, more) -> None:
    better = [DiaryNight(n.in_bed_min, min(n.in_bed_min, n.asleep_min + more)) for n in nights]
    before = next_window(current, nights, RULE, FLOOR).window_min
    assert next_window(current, better, RULE, FLOOR).window_min >= before
    assert first_window(better, RULE).window_min >= first_window(nights, RULE).window_min


@given(st.integers(0, 1439), windows)
def test_the_time_to_get_up_stays_whatever_the_window(rise, window) -> None:
    bed = bed_minute(rise, window)
    assert 0 <= bed < 1440
    assert (bed + window) % 1440 == rise


@pytest.mark.parametrize(
    ("efficiency", "decision", "window"),
    [
        (100, Decision.EXTEND, 465),
        (85, Decision.EXTEND, 465),
        (84, Decision.HOLD, 450),
        (80, Decision.HOLD, 450),
        (79, Decision.CUT, 435),
        (0, Decision.CUT, 435),
    ],
)
def test_the_thresholds_are_85_and_80(efficiency, decision, window) -> None:
    proposal = next_window(450, _week(efficiency), RULE, FLOOR)
    assert (proposal.decision, proposal.window_min) == (decision, window)
    assert proposal.efficiency_pct == efficiency


def test_efficiency_is_compared_in_whole_numbers() -> None:
    # 425 of 500 is 85 exactly; one minute less in the whole week is not.
    assert next_window(450, _week(85), RULE, FLOOR).decision == Decision.EXTEND
    almost = [*_week(85, n=6), DiaryNight(500, 424)]
    assert next_window(450, almost, RULE, FLOOR).decision == Decision.HOLD


def test_four_of_seven_nights_are_too_few_and_five_are_enough() -> None:
    assert first_window(_week(90, n=4), RULE) is None
    assert first_window(_week(90, n=5), RULE).window_min == 450
    assert next_window(450, _week(50, n=4), RULE, FLOOR) == next_window(
        450, _week(50, n=4), RULE, FLOOR
    )
    kept = next_window(450, _week(50, n=4), RULE, FLOOR)
    assert (kept.decision, kept.window_min, kept.n_valid) == (Decision.TOO_FEW_NIGHTS, 450, 4)
    assert next_window(450, [], RULE, FLOOR).n_valid == 0


def test_at_the_floor_a_bad_week_changes_nothing() -> None:
    kept = next_window(FLOOR, _week(40), RULE, FLOOR)
    assert (kept.decision, kept.window_min) == (Decision.HOLD, FLOOR)
    assert next_window(435, _week(40), RULE, FLOOR).window_min == FLOOR


def test_an_approved_lower_floor_holds_for_its_person_only() -> None:
    assert next_window(420, _week(40), RULE, 390).window_min == 405
    with pytest.raises(WindowError, match="420 minutes or more, got 405"):
        next_window(405, _week(40), RULE, FLOOR)


def test_the_first_window_can_have_half_an_hour_more() -> None:
    generous = WindowRule(initial=Initial.MEAN_SLEEP_PLUS_30)
    nights = [DiaryNight(540, 431)] * 5
    assert first_window(nights, RULE).window_min == 435
    assert first_window(nights, generous).window_min == 465


@pytest.mark.parametrize(
    ("rise", "window", "bed"), [(405, 420, 1425), (480, 420, 60), (0, 600, 840)]
)
def test_bedtime_is_found_over_midnight(rise, window, bed) -> None:
    assert bed_minute(rise, window) == bed


@pytest.mark.parametrize(
    "changes",
    [
        {"step_min": 22.5},
        {"step_min": 0},
        {"floor_min": 425},
        {"floor_min": 315},
        {"floor_min": 615},
        {"cut_below": 90},
        {"extend_at": 101},
        {"min_valid_nights": 8},
        {"initial": "median"},
    ],
)
def test_a_rule_that_contradicts_itself_is_refused(changes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- WindowError is one; an unknown name is plain
        WindowRule(**changes)


@pytest.mark.parametrize(("in_bed", "asleep"), [(0, 0), (1441, 10), (400, 401), (400, -1)])
def test_a_night_that_cannot_be_is_refused(in_bed, asleep) -> None:
    with pytest.raises(WindowError):
        DiaryNight(in_bed, asleep)


def test_more_nights_than_a_week_are_refused() -> None:
    with pytest.raises(WindowError, match="at most 7 nights, got 8"):
        next_window(450, [DiaryNight(480, 420)] * 8, RULE, FLOOR)
