import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from questionnaires.instruments.psqi import (
    BUYSSE1989,
    COMPONENTS,
    DISTURBANCES,
    PITT2005,
    PSQI,
    score_buysse1989,
    score_pitt2005,
    score_psqi,
)

GOLDEN = Path(__file__).parents[2] / "golden"
VECTORS = Path(__file__).parents[3] / "questionnaires" / "instruments" / "vectors"
SHARED = Path(__file__).parents[4] / "shared" / "references" / "instruments"
REFERENCE_CASES = json.loads((GOLDEN / "psqi_reference_cases.json").read_text("utf-8"))
RULE_CASES = json.loads((VECTORS / "psqi.json").read_text("utf-8"))["cases"]

TIMES = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))
CODES = st.integers(0, 3)
COMPLETE_ANSWERS = st.fixed_dictionaries(
    {
        "bed": TIMES,
        "rise": TIMES,
        "latency_min": st.integers(0, 1440).map(lambda half: half / 2),
        "sleep_h": st.integers(0, 1440).map(lambda minutes: minutes / 60),
        **{item.key: CODES for item in PSQI.items if item.choices and item.required},
    },
    optional={"d_j": st.none() | CODES, "d_j_reason": st.none() | st.sampled_from(["", "noise"])},
)
RULES = st.sampled_from([PITT2005, BUYSSE1989])


def components(scores):
    return {name: scores.values[f"component_{name}"] for name in COMPONENTS}


@pytest.mark.parametrize("case", REFERENCE_CASES, ids=lambda case: case["name"])
def test_every_reference_case_comes_out_right(case):
    expected = case["expected"]
    scores = score_pitt2005(case["answers"])
    assert components(scores) == expected["components"]
    assert scores.values["total"] == expected["global_"]
    assert scores.values["tib_h"] == expected["tib_h"]
    assert round(scores.values["se_pct"], 2) == expected["se"]
    assert list(scores.flags) == case["flags"]


def test_the_cases_shipped_are_the_reference_cases():
    original = SHARED / "psqi_vectors.json"
    if not original.is_file():
        pytest.skip("the reference cases in ../shared are absent")
    assert json.loads(original.read_text("utf-8")) == REFERENCE_CASES


@pytest.mark.parametrize("case", RULE_CASES, ids=lambda case: f"{case['rule_id']}: {case['name']}")
def test_every_published_case_pins_its_rule(case):
    scores = score_psqi(case["answers"], rule_id=case["rule_id"])
    assert components(scores) == case["components"]
    assert scores.values["total"] == case["total"]
    assert list(scores.flags) == case["flags"]
    assert scores.rule_id == case["rule_id"]
    for name in ("tib_h", "se_pct"):
        if case[name] is not None:
            assert scores.values[name] == pytest.approx(case[name], abs=1e-9)


def test_the_rules_part_at_seven_hours_and_85_per_cent_only():
    for case in RULE_CASES:
        pitt, buysse = score_pitt2005(case["answers"]), score_buysse1989(case["answers"])
        differing = {
            name for name in COMPONENTS if components(pitt)[name] != components(buysse)[name]
        }
        at_seven_hours = case["answers"]["sleep_h"] == 7
        at_85_per_cent = pitt.values["se_pct"] == 85
        assert differing == {
            name
            for name, is_boundary in [("duration", at_seven_hours), ("efficiency", at_85_per_cent)]
            if is_boundary
        }


def test_an_efficiency_of_exactly_85_per_cent_survives_the_detour_through_hours():
    # 391 of 460 minutes: 391 / 60 hours has no exact binary form.
    for minutes_in_bed in range(20, 840, 20):
        asleep = minutes_in_bed * 85 // 100
        rise = minutes_in_bed
        answers = {
            "bed": "00:00",
            "rise": f"{rise // 60:02d}:{rise % 60:02d}",
            "sleep_h": asleep / 60,
        }
        assert score_pitt2005(answers).values["component_efficiency"] == 0
        assert score_buysse1989(answers).values["component_efficiency"] == 1


def test_no_answers_give_no_scores_and_count_as_missing():
    scores = score_pitt2005({})
    assert set(scores.values.values()) == {None}
    assert scores.n_missing == 17
    assert scores.flags == ()


@given(COMPLETE_ANSWERS, RULES)
def test_a_total_is_the_sum_of_seven_components_in_range(answers, rule_id):
    scores = score_psqi(answers, rule_id=rule_id)
    found = components(scores)
    assert set(scores.values) == {score.name for score in PSQI.scores}
    assert all(points is None or 0 <= points <= 3 for points in found.values())
    if answers["bed"] == answers["rise"]:
        assert scores.values["total"] is None
    else:
        assert scores.values["total"] == sum(found.values()) <= 21


@given(COMPLETE_ANSWERS)
def test_the_1989_boundaries_never_score_lower(answers):
    pitt, buysse = components(score_pitt2005(answers)), components(score_buysse1989(answers))
    assert all(buysse[name] >= pitt[name] for name in COMPONENTS if pitt[name] is not None)


@given(
    COMPLETE_ANSWERS,
    st.sampled_from(["d_a", *DISTURBANCES, "quality", "meds", "awake", "enthusiasm"]),
)
def test_a_worse_answer_never_lowers_a_component(answers, key):
    worse = {**answers, key: min(3, answers[key] + 1)}
    before, after = components(score_pitt2005(answers)), components(score_pitt2005(worse))
    assert all(after[name] >= before[name] for name in COMPONENTS if before[name] is not None)


@given(COMPLETE_ANSWERS, RULES, st.sampled_from([item.key for item in PSQI.items if item.required]))
def test_any_missing_required_answer_leaves_the_total_missing(answers, rule_id, key):
    scores = score_psqi({**answers, key: None}, rule_id=rule_id)
    assert scores.values["total"] is None
    assert scores.n_missing == 1


@given(COMPLETE_ANSWERS)
def test_a_disturbance_without_reason_scores_as_if_it_were_not_there(answers):
    without = {**answers, "d_j": None, "d_j_reason": None}
    unexplained = {**answers, "d_j": 3, "d_j_reason": ""}
    assert score_pitt2005(unexplained).values == score_pitt2005(without).values
