import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from questionnaires.instruments import instrument_named, score_answers
from questionnaires.instruments.columns import COLUMN_RULES, columns_of, score_columns
from questionnaires.instruments.cpss import CPSS
from questionnaires.instruments.errors import UnknownRule
from questionnaires.instruments.instrument import Item, Kind
from questionnaires.instruments.psqi import BUYSSE1989, PITT2005, PSQI

VECTORS = Path(__file__).parents[3] / "questionnaires" / "instruments" / "vectors"
# Boundaries come up far more often than at random, and so do equal times.
TIMES = st.sampled_from(["23:00", "07:00", "00:00", "23:59"]) | st.builds(
    "{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59)
)
LATENCIES = st.sampled_from([15, 15.5, 30, 31, 60, 61]) | st.floats(0, 720)
HOURS = (
    st.sampled_from([5, 6, 7, 4.999])
    | st.floats(0, 24)
    | st.integers(0, 1440).map(lambda minutes: minutes / 60)
)


def answers_to(item: Item) -> st.SearchStrategy:
    by_kind = {Kind.TIME: TIMES, Kind.MINUTES: LATENCIES, Kind.HOURS_MINUTES: HOURS}
    if item.kind is Kind.TEXT:
        return st.sampled_from(["", "  ", "noise"]) | st.none()
    return st.none() | (st.sampled_from(item.choices) if item.choices else by_kind[item.kind])


def tables(instrument):
    """Tables whose rows all have the same columns, with or without the optional ones."""
    required = {item.key: answers_to(item) for item in instrument.items if item.required}
    optional = {item.key: answers_to(item) for item in instrument.items if not item.required}
    return st.sets(st.sampled_from(sorted(optional) or [""])).flatmap(
        lambda chosen: st.lists(
            st.fixed_dictionaries(
                required | {key: cell for key, cell in optional.items() if key in chosen}
            ),
            min_size=1,
            max_size=6,
        )
    )


def as_rows(scores):
    """Return column scores as the row scorer would: one dictionary for each row."""
    return [
        {
            name: None if np.isnan(column[row]) else column[row]
            for name, column in scores.values.items()
        }
        for row in range(len(scores.n_missing))
    ]


@settings(max_examples=300)
@given(tables(PSQI), st.sampled_from([PITT2005, BUYSSE1989]))
def test_the_psqi_of_a_table_is_the_psqi_of_its_rows(rows, rule_id):
    _agree(PSQI, rows, rule_id)


@settings(max_examples=200)
@given(tables(CPSS))
def test_the_cpss_of_a_table_is_the_cpss_of_its_rows(rows):
    _agree(CPSS, rows, CPSS.default_rule)


@settings(max_examples=300)
@given(st.integers(1, 1439), st.integers(0, 24 * 60 * 100), st.sampled_from([PITT2005, BUYSSE1989]))
def test_both_scorers_are_exact_at_every_efficiency(tib, asleep_hundredths, rule_id):
    bed_to_rise = {"bed": "00:00", "rise": f"{tib // 60:02d}:{tib % 60:02d}"}
    rows = [bed_to_rise | {"sleep_h": asleep_hundredths / 6000}]
    _agree(PSQI, rows, rule_id)
    points = score_answers(PSQI, rows[0], rule_id).values["component_efficiency"]
    # In whole numbers: 100 x asleep / tib against 85, 75 and 65.
    expected = sum(asleep_hundredths < bound * tib for bound in (85, 75, 65))
    is_at_the_open_boundary = rule_id == BUYSSE1989 and asleep_hundredths == 85 * tib
    assert points == (1 if is_at_the_open_boundary else expected)


def test_a_column_that_is_not_there_is_missing_throughout():
    scores = score_columns(PSQI, {"quality": np.array([2.0, np.nan])})
    assert as_rows(scores)[0]["component_quality"] == 2
    assert np.isnan(scores.values["total"]).all()
    assert scores.n_missing.tolist() == [16, 17]
    assert scores.flags_by_row() == [(), ()]


def test_every_rule_with_columns_belongs_to_an_instrument_and_others_are_refused():
    rules = {*PSQI.rule_ids, *CPSS.rule_ids}
    assert set(COLUMN_RULES) == rules
    with pytest.raises(UnknownRule, match="pitt2005, buysse1989"):
        score_columns(PSQI, {"quality": np.array([1.0])}, "pitt2004")


@pytest.mark.parametrize("name", ["psqi", "cpss"])
def test_the_published_cases_come_out_right_by_columns(name):
    for case in json.loads((VECTORS / f"{name}.json").read_text("utf-8"))["cases"]:
        answers = case["answers"]
        if isinstance(answers, list):
            answers = {f"item_{place + 1}": code for place, code in enumerate(answers)}
        _agree(instrument_named(name), [answers], case.get("rule_id", ""))


def _agree(instrument, rows, rule_id):
    by_column = score_columns(instrument, columns_of(instrument, rows), rule_id)
    by_row = [score_answers(instrument, answers, rule_id) for answers in rows]
    assert as_rows(by_column) == [dict(scores.values) for scores in by_row]
    assert by_column.flags_by_row() == [scores.flags for scores in by_row]
    assert by_column.n_missing.tolist() == [scores.n_missing for scores in by_row]
