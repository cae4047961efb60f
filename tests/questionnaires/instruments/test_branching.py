import pytest
from hypothesis import given
from hypothesis import strategies as st

from questionnaires.instruments.branching import COMPARISONS, Group, compiled
from questionnaires.instruments.errors import BranchingRefused


@pytest.mark.parametrize(
    ("logic", "answers", "holds"),
    [
        ("[a] = '1'", {"a": 1}, True),
        ("[a] = 1", {"a": 1.0}, True),
        ('[a]="1"', {"a": 2}, False),
        ("[a] <> '1'", {"a": None}, True),
        ("[a] = ''", {"a": None}, True),
        ("[a] <> ''", {"a": 0}, True),
        ("[a] > 2", {"a": 10}, True),
        ("[a] > 2", {}, False),
        ("[a] < '5'", {"a": None}, False),
        ("[bed] >= '22:30'", {"bed": "23:00"}, True),
        ("[a] = '1' or [b] = '1' and [c] = '1'", {"a": 1, "b": 0, "c": 0}, True),
        ("([a] = '1' or [b] = '1') AND [c] = '1'", {"a": 1, "b": 0, "c": 0}, False),
        ('[text] = "it\'s"', {"text": "it's"}, True),
    ],
)
def test_a_logic_holds_of_the_answers_it_names(logic, answers, holds):
    assert compiled(logic).holds(answers) == holds


@pytest.mark.parametrize(
    "logic",
    [
        "",
        "[a]",
        "[a] =",
        "[a] = '1' and",
        "[a] = '1' [b] = '2'",
        "([a] = '1'",
        "[a] = '1')",
        "[a(1)] = '1'",
        "[box](1) = '1'",
        "[baseline_arm_1][a] = '1'",
        "sum([a],[b]) > 3",
        "datediff([a],'today','d') > 3",
        "__import__('os').system('true')",
        "[a] = [b]",
        "'1' = [a]",
        "not [a] = '1'",
        "[a] == '1'",
        "(" * 50 + "[a] = '1'" + ")" * 50,
    ],
)
def test_everything_outside_the_subset_is_refused(logic):
    with pytest.raises(BranchingRefused, match="expected comparisons like"):
        compiled(logic)


@given(st.text() | st.lists(st.sampled_from(["[a]", "=", "'1'", "and", "or", "(", ")", " "])))
def test_any_text_is_compiled_or_refused_and_never_run(text):
    try:
        condition = compiled("".join(text))
    except BranchingRefused:
        return
    assert condition.holds({"a": 1}) in (True, False)


COMPARED = st.builds(
    "[{}] {} '{}'".format,
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(sorted(COMPARISONS)),
    st.sampled_from(["", "0", "1", "2.5", "text"]),
)
LOGICS = st.recursive(
    COMPARED,
    lambda parts: st.builds("({} {} {})".format, parts, st.sampled_from(["and", "or"]), parts),
    max_leaves=6,
)
ANSWERS = st.fixed_dictionaries(dict.fromkeys("abc", st.sampled_from([None, 0, 1, 2.5, "text"])))


@given(LOGICS, ANSWERS)
def test_a_condition_written_out_and_read_again_decides_the_same(logic, answers):
    condition = compiled(logic)
    again = compiled(str(condition))
    assert again.holds(answers) == condition.holds(answers)
    assert again.keys == condition.keys


def test_a_condition_knows_the_items_it_looks_at():
    condition = compiled("[a] = '1' and ([b] = '2' or [c] <> '')")
    assert isinstance(condition, Group)
    assert condition.keys == {"a", "b", "c"}
