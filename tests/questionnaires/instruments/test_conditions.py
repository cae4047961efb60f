from itertools import product
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from questionnaires.instruments.branching import compiled
from questionnaires.instruments.conditions import can_hold, contradictions
from questionnaires.instruments.instrument import Item, Kind

CODES = (0, 1, 2)
ITEMS = {
    item.key: item
    for item in (
        Item("b", Kind.CHOICE, choices=CODES, scale="b"),
        Item("c", Kind.CHOICE, choices=CODES, scale="b", asked_when=compiled("[b] = '1'")),
        Item("pain", Kind.WHOLE_NUMBER, low=0, high=10),
        Item("dose", Kind.NUMBER, low=0, high=2.5),
        Item("bed", Kind.TIME),
        Item("since", Kind.DATE),
        Item("why", Kind.TEXT, low=0, high=500),
    )
}


@pytest.mark.parametrize(
    ("logic", "sentence"),
    [
        ("[b] = '7'", "b to be compared with one of 0, 1, 2, got [b] = '7'."),
        ("[b] <> '7'", "b to be compared with one of 0, 1, 2"),
        ("[b] = '1.5'", "b to be compared with one of 0, 1, 2"),
        ("[b] > 'zzz'", "b to be compared with a number, got [b] > 'zzz'."),
        ("[b] = 'nan'", "b to be compared with one of 0, 1, 2"),
        ("[pain] = 'much'", "pain to be compared with a number"),
        ("[bed] > '9:30'", "bed to be compared with a time like '09:30'"),
        ("[since] > '31.3.2026'", "since to be compared with a date like '2026-03-31'"),
        ("[b] = '1' and [b] = '2'", "can be true, got [b] = '1' and [b] = '2', which never is"),
        ("[b] > 2", "can be true"),
        ("[b] > 1 and [b] < 2", "can be true"),
        ("[b] = '' and [b] = '0'", "can be true"),
        ("[b] < ''", "can be true"),
        ("[pain] > 4 and [pain] < 5", "can be true"),
        ("[pain] = '11'", "can be true"),
        ("[dose] > 2.5", "can be true"),
        ("[bed] > '23:59'", "can be true"),
        ("[since] > '2026-03-31' and [since] < '2026-04-01'", "can be true"),
        ("[why] = 'noise' and [why] = 'light'", "can be true"),
        # Whoever answered 2 was never asked c.
        ("[b] = '2' and [c] = '1'", "can be true"),
        ("([b] = '1' or [b] = '2') and ([b] = '0' or [b] = '')", "can be true"),
    ],
)
def test_a_condition_that_contradicts_its_items_is_named(logic, sentence):
    (problem,) = contradictions(compiled(logic), ITEMS)
    assert sentence in problem


@pytest.mark.parametrize(
    "logic",
    [
        "[b] = '1' or [b] = '2'",
        "[b] <> '1' and [b] <> '2'",
        "[b] = '1.0'",
        "[b] = ''",
        "[b] >= 1.5",
        "[b] <> '' and [c] <> ''",
        "[b] = '2' and [c] = ''",
        "[pain] >= 10",
        "[pain] > 4 and [pain] < 6",
        "[pain] <> '999'",
        "[dose] > 2.4 and [dose] < 2.5",
        "[bed] >= '23:59' or [bed] < '00:01'",
        "[since] > '2026-03-31' and [since] < '2026-04-02'",
        "[why] <> '' and [why] <> 'noise'",
        "[later] = '7' or [b] = '0'",
    ],
)
def test_a_condition_that_can_be_true_is_left_alone(logic):
    assert contradictions(compiled(logic), ITEMS) == []


def test_every_constant_that_does_not_fit_is_named_once():
    logic = "[b] = '7' or [pain] = 'x' or [b] = '7'"
    assert [problem.split()[1] for problem in contradictions(compiled(logic), ITEMS)] == [
        "b",
        "pain",
    ]


PLAIN = {key: Item(key, Kind.CHOICE, choices=CODES, scale="s") for key in "abc"}
COMPARED = st.builds(
    "[{}] {} '{}'".format,
    st.sampled_from("abc"),
    st.sampled_from(["=", "<>", "<", "<=", ">", ">="]),
    st.sampled_from(["", "0", "1", "2"]),
)
LOGICS = st.recursive(
    COMPARED,
    lambda parts: st.builds("({} {} {})".format, parts, st.sampled_from(["and", "or"]), parts),
    max_leaves=8,
)


@given(LOGICS)
def test_it_is_decided_as_trying_out_all_answers_decides_it(logic):
    condition = compiled(logic)
    everyone = product((None, *CODES), repeat=3)
    assert can_hold(condition, PLAIN) == any(
        condition.holds(dict(zip("abc", answers, strict=True))) for answers in everyone
    )


def test_a_condition_that_is_tangled_beyond_measure_is_not_called_a_contradiction():
    items = {f"i{n}": Item(f"i{n}", Kind.CHOICE, choices=CODES, scale="s") for n in range(30)}
    either = " and ".join(f"([i{n}] = '1' or [i{n}] = '2')" for n in range(30))
    began = perf_counter()
    assert can_hold(compiled(f"{either} and [i0] = '0'"), items)
    assert perf_counter() - began < 5
