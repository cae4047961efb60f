from pathlib import Path

import pytest

from questionnaires.instruments import CATALOGUE, RULES

PAGE = (Path(__file__).parents[2] / "docs" / "instruments.md").read_text("utf-8")
NUMBERED = {f"item_{number}" for number in range(2, 14)} | {f"d_{letter}" for letter in "cdefgh"}


@pytest.mark.parametrize("instrument", CATALOGUE.values(), ids=lambda instrument: instrument.key)
def test_every_item_and_score_is_documented(instrument):
    names = {item.key for item in instrument.items} | {score.name for score in instrument.scores}
    assert [name for name in sorted(names - NUMBERED) if f"`{name}`" not in PAGE] == []


def test_every_instrument_and_rule_is_documented():
    assert [name for name in (*CATALOGUE, *RULES) if f"`{name}`" not in PAGE] == []
