from dataclasses import replace

from studies.design.amendments import differences, refusals
from studies.design.eligibility import Rule
from studies.design.parts import ArmPlan, MusicProfile, VisitPlan
from studies.design.protocol import four_arms

PLAN = four_arms()


def test_the_same_protocol_has_no_difference() -> None:
    assert differences(PLAN, four_arms()) == ()
    assert refusals(PLAN, four_arms()) == []


def test_each_difference_is_one_line_with_before_and_after() -> None:
    new = replace(
        PLAN,
        night_minutes=45,
        visits=(*PLAN.visits[:1], replace(PLAN.visits[1], window_days=7), PLAN.visits[2],
                VisitPlan(26, ("psqi",), 13)),
        eligibility=(Rule("age_years", at_least=13, at_most=18), PLAN.eligibility[1]),
        music=MusicProfile(60.0),
    )  # fmt: skip
    assert [change.text for change in differences(PLAN, new)] == [
        "visits 4 window_days: 5 became 7",
        "visits 26: added {'week': 26, 'instruments': ['psqi'], 'window_days': 13}",
        "eligibility age_years at_least: 12 became 13",
        "night_minutes: 30 became 45",
        "music tempo_max_bpm: 76.0 became 60.0",
    ]
    assert [change.before for change in differences(new, PLAN)][1] is not None
    assert refusals(PLAN, new) == []


def test_an_order_that_changed_is_a_difference() -> None:
    turned = replace(PLAN, arms=PLAN.arms[::-1])
    (change,) = differences(PLAN, turned)
    assert (change.part, change.setting) == ("arms", "order")


def test_allocation_is_never_amended() -> None:
    for new in (
        replace(PLAN, block_sizes=(8, 16)),
        replace(PLAN, slots_per_stratum=400),
        replace(PLAN, factors=()),
        replace(PLAN, method="minimisation"),
        replace(PLAN, arms=(*PLAN.arms, ArmPlan("CBT-2", "cbt")), block_sizes=(10, 15)),
        replace(PLAN, arms=PLAN.arms[::-1]),
    ):
        assert any("never amended" in refusal for refusal in refusals(PLAN, new))


def test_planned_visits_and_their_instruments_are_kept() -> None:
    shorter = replace(PLAN, visits=PLAN.visits[:2])
    assert refusals(PLAN, shorter) == [
        f"expected {name} at week 8, got none. Planned visits are kept."
        for name in ("psqi", "cpss")
    ]
