from dataclasses import replace
from datetime import date

import pytest

from studies.design.dry_run import DryRun, dry_run
from studies.design.eligibility import Rule
from studies.design.parts import ArmPlan, Factor, VisitPlan
from studies.design.protocol import Protocol, four_arms
from studies.design.safety import SafetyPlan, SafetyRule

PLAN = four_arms()


def walk(protocol: Protocol, **changes: object) -> DryRun:
    settings = {
        "zone": "Europe/London",
        "sites": ("MAIN",),
        "languages": ("en", "zh-hans"),
        "starts_on": date(2026, 1, 5),
    }
    return dry_run(protocol, **{**settings, **changes})


def test_people_walk_through_the_template_and_nothing_stands_in_the_way() -> None:
    run = walk(PLAN)
    # Week 4 at its latest and week 8 at its earliest are 18 days apart: both ask about a month.
    assert {finding.code for finding in run.findings} == {"recall_overlaps"}
    assert run.count("completed") + run.count("ineligible") + run.count("not_invited") == 48
    done = [one for one in run.walks if one.state == "completed"]
    assert {one.arm for one in done} == set(PLAN.arm_codes)
    assert all(len(one.windows) == 2 and len(one.totals) == 6 for one in done)
    assert {one.stratum for one in done} == {"sex=female", "sex=male"}


def test_the_same_walk_comes_out_the_same() -> None:
    assert walk(PLAN) == walk(PLAN)


@pytest.mark.parametrize("method", ["simple", "minimisation"])
def test_every_drawing_method_walks(method: str) -> None:
    factors = () if method == "simple" else PLAN.factors
    run = walk(replace(PLAN, method=method, factors=factors))
    assert run.problems == ()
    assert run.count("completed") > 20


def test_strata_by_band_and_site_are_met() -> None:
    factors = (
        Factor("site", ("A", "B"), "site"),
        Factor("stress", ("mild", "severe"), "band", "cpss_total", (33,)),
    )
    run = walk(replace(PLAN, factors=factors), sites=("A", "B"))
    assert {one.stratum for one in run.walks if one.arm} == {
        f"site={site},stress={level}" for site in "AB" for level in ("mild", "severe")
    }


@pytest.mark.parametrize(
    ("changes", "asked", "code"),
    [
        ({"texts": PLAN.texts[:1]}, {}, "text_missing"),
        ({}, {"languages": ("en", "de")}, "text_missing"),
        ({"visits": (VisitPlan(0, ("cpss", "isi")), *PLAN.visits[1:])}, {}, "instrument_unknown"),
        ({"arms": (ArmPlan("A", "music", "bach"), ArmPlan("B", "cbt"))}, {}, "composer_unknown"),
        ({"factors": (Factor("site", ("A", "B"), "site"),)}, {}, "sites_differ"),
        ({"eligibility": (Rule("cpss_sum", at_least=26),)}, {}, "score_unknown"),
        (
            {"factors": (Factor("s", ("a", "b"), "band", "psqi_sum", (5,)),)},
            {},
            "score_unknown",
        ),
        ({"eligibility": (Rule("age_years", at_least=40),)}, {}, "nobody_eligible"),
    ],
)
def test_what_stands_in_the_way_is_found(
    changes: dict[str, object], asked: dict[str, object], code: str
) -> None:
    run = walk(replace(PLAN, **changes), **asked)
    assert code in {finding.code for finding in run.problems}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        (
            {"visits": (VisitPlan(0, ("cpss",)), VisitPlan(2, ("cpss",), 2),
                        VisitPlan(8, ("cpss",), 2))},
            "recall_overlaps",
        ),
        ({"eligibility": (Rule("cpss_total", at_least=48),)}, "few_eligible"),
        ({"slots_per_stratum": 20}, "slots_few"),
        ({"participants_planned": 40}, "strata_thin"),
    ],
)  # fmt: skip
def test_what_is_worth_a_second_look_is_told_and_stops_nobody(
    changes: dict[str, object], code: str
) -> None:
    run = walk(replace(PLAN, **changes))
    assert code in {finding.code for finding in run.findings}
    assert run.problems == ()


@pytest.mark.parametrize("zone", ["Europe/London", "Australia/Lord_Howe", "Asia/Shanghai"])
def test_windows_keep_apart_wherever_clocks_change(zone: str) -> None:
    tight = (VisitPlan(0, ("cpss",)), VisitPlan(4, ("cpss",), 3), VisitPlan(5, ("cpss",), 3))
    run = walk(replace(PLAN, visits=tight), zone=zone)
    assert run.problems == ()
    assert run.count("completed") > 20


def test_a_safety_rule_on_what_nobody_is_asked_is_found() -> None:
    rule = SafetyRule("typo", "psqi_totl", at_least=15)
    run = walk(replace(PLAN, safety=SafetyPlan(rules=(rule,))))
    assert [finding.code for finding in run.problems] == ["safety_unknown"]
    item = SafetyRule("item", "cpss.item_1", at_least=4)
    assert walk(replace(PLAN, safety=SafetyPlan(rules=(item,)))).problems == ()
