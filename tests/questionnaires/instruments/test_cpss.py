import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from questionnaires.instruments.cpss import CPSS, REVERSED, score_cpss14_yang2003

GOLDEN = Path(__file__).parents[2] / "golden"
VECTORS = Path(__file__).parents[3] / "questionnaires" / "instruments" / "vectors"
SHARED = Path(__file__).parents[4] / "shared" / "references" / "instruments"
REFERENCE_CASES = json.loads((GOLDEN / "cpss14_reference_cases.json").read_text("utf-8"))
RULE_CASES = json.loads((VECTORS / "cpss.json").read_text("utf-8"))["cases"]
CODES = st.lists(st.integers(0, 4), min_size=14, max_size=14)


def answers_of(codes):
    return {f"item_{number}": code for number, code in enumerate(codes, start=1)}


@pytest.mark.parametrize("case", REFERENCE_CASES, ids=lambda case: case["name"])
def test_every_reference_case_comes_out_right(case):
    scores = score_cpss14_yang2003(answers_of(case["answers"]))
    assert scores.values["total"] == case["total"]
    assert scores.values["tension"] == case["helplessness"]
    assert scores.values["control"] == case["self_efficacy_reversed"]
    assert scores.flags == ("straight_line",)


def test_the_cases_shipped_are_the_reference_cases():
    original = SHARED / "cpss14_vectors.json"
    if not original.is_file():
        pytest.skip("the reference cases in ../shared are absent")
    assert json.loads(original.read_text("utf-8")) == REFERENCE_CASES


@pytest.mark.parametrize("case", RULE_CASES, ids=lambda case: case["name"])
def test_every_published_case_pins_its_rule(case):
    scores = score_cpss14_yang2003(answers_of(case["answers"]))
    assert {name: scores.values[name] for name in scores.values} == {
        score.name: case[score.name] for score in CPSS.scores
    }
    assert scores.n_missing == case["n_missing"]
    assert list(scores.flags) == case["flags"]


@given(CODES)
def test_the_total_is_the_sum_of_its_factors_within_range(codes):
    values = score_cpss14_yang2003(answers_of(codes)).values
    assert values["total"] == values["tension"] + values["control"]
    assert 0 <= values["tension"] <= 28
    assert 0 <= values["control"] <= 28
    assert values["total_one_imputed"] == values["total"]


@given(CODES)
def test_complementary_answers_give_complementary_totals(codes):
    total = score_cpss14_yang2003(answers_of(codes)).values["total"]
    mirrored = score_cpss14_yang2003(answers_of([4 - code for code in codes])).values["total"]
    assert total + mirrored == 56


@given(CODES, st.integers(1, 14))
def test_each_item_moves_the_total_in_its_own_direction(codes, number):
    before = score_cpss14_yang2003(answers_of(codes)).values["total"]
    raised = [*codes[: number - 1], min(4, codes[number - 1] + 1), *codes[number:]]
    step = raised[number - 1] - codes[number - 1]
    after = score_cpss14_yang2003(answers_of(raised)).values["total"]
    assert after - before == (-step if number in REVERSED else step)


@given(CODES, st.sets(st.integers(0, 13), min_size=2))
def test_two_or_more_missing_items_leave_every_total_missing(codes, gaps):
    scores = score_cpss14_yang2003(
        answers_of([None if place in gaps else code for place, code in enumerate(codes)])
    )
    assert scores.values["total"] is None
    assert scores.values["total_one_imputed"] is None
    assert scores.n_missing == len(gaps)


@given(CODES)
def test_only_one_answer_throughout_is_a_straight_line(codes):
    flags = score_cpss14_yang2003(answers_of(codes)).flags
    assert ("straight_line" in flags) == (len(set(codes)) == 1)
