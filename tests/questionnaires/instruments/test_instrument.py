import pytest

from questionnaires.instruments import CATALOGUE, RULES, instrument_named, score_answers
from questionnaires.instruments.cpss import CPSS
from questionnaires.instruments.errors import (
    InstrumentContradiction,
    UnknownInstrument,
    UnknownItem,
    UnknownRule,
)
from questionnaires.instruments.instrument import Instrument, Item, Kind
from questionnaires.instruments.psqi import PSQI
from questionnaires.instruments.sleep_diary import SLEEP_DIARY


def keys(items):
    return [item.key for item in items]


def make_instrument(*items):
    return Instrument("x", "1", items, ("rule",), (), "", "")


def test_every_rule_of_every_instrument_has_a_scoring_function():
    named = {rule_id for instrument in CATALOGUE.values() for rule_id in instrument.rule_ids}
    assert named == set(RULES)


@pytest.mark.parametrize("instrument", CATALOGUE.values(), ids=lambda instrument: instrument.key)
def test_every_rule_gives_exactly_the_declared_scores(instrument):
    for rule_id in instrument.rule_ids:
        scores = score_answers(instrument, {}, rule_id)
        assert list(scores.values) == [score.name for score in instrument.scores]
        assert scores.rule_id == rule_id


def test_the_psqi_has_nineteen_items_and_the_cpss_fourteen():
    assert len(PSQI.items) == 19
    assert keys(CPSS.items) == [f"item_{number}" for number in range(1, 15)]


def test_a_follow_up_item_is_asked_until_its_condition_says_no():
    assert "d_j" in keys(PSQI.asked_items({}))
    assert "d_j" not in keys(PSQI.asked_items({"d_j_reason": None}))
    assert "d_j" in keys(PSQI.asked_items({"d_j_reason": "noise"}))
    assert "wake_min" not in keys(SLEEP_DIARY.asked_items({"awakenings": 0}))
    assert "wake_min" in SLEEP_DIARY.missing_keys({"awakenings": 2})


def test_missing_keys_name_required_items_in_order():
    answered = {item.key: 0 for item in CPSS.items}
    assert CPSS.missing_keys(answered) == ()
    assert CPSS.missing_keys({**answered, "item_9": None, "item_2": None}) == ("item_2", "item_9")


def test_an_unknown_instrument_item_or_rule_is_named_with_what_there_is():
    with pytest.raises(UnknownInstrument, match="psqi, sleep_diary, track_rating, got 'isi'"):
        instrument_named("isi")
    with pytest.raises(UnknownItem, match="psqi, got 'q17'"):
        PSQI.item("q17")
    with pytest.raises(UnknownRule, match=r"pitt2005, buysse1989.*got 'psqi2030'"):
        score_answers(PSQI, {}, "psqi2030")


@pytest.mark.parametrize(
    "make",
    [
        lambda: Item("a", Kind.CHOICE),
        lambda: Item("a", Kind.CHOICE, choices=(0, 1)),
        lambda: Item("a", Kind.CHOICE, choices=(0, 0), scale="s"),
        lambda: Item("a", Kind.TIME, choices=(0, 1), scale="s"),
        lambda: Item("a", Kind.MINUTES),
        lambda: Item("a", Kind.MINUTES, low=9, high=3),
        lambda: Item("a", Kind.TIME, low=0, high=3),
        lambda: make_instrument(),
        lambda: make_instrument(Item("a", Kind.TIME), Item("a", Kind.TIME)),
        lambda: make_instrument(Item("a", Kind.TIME, asked_if="b"), Item("b", Kind.TIME)),
        lambda: make_instrument(
            Item("a", Kind.CHOICE, choices=(0, 1), scale="s"),
            Item("b", Kind.CHOICE, choices=(0, 1, 2), scale="s"),
        ),
    ],
)
def test_a_definition_that_contradicts_itself_is_refused(make):
    with pytest.raises(InstrumentContradiction, match="expected"):
        make()
