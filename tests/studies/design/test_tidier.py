"""Each arm in the template's twelve rows: what is planned, and what was delivered once known."""

import pytest

from generator.engine.brief import ComposerName
from studies.design.protocol import four_arms
from studies.design.tidier import (
    COMPOSERS,
    OPEN,
    ROWS,
    Delivered,
    Setting,
    tidier_sheet,
    to_markdown,
)

PLAN = four_arms(30)
SETTING = Setting(
    "Sleep in spring", "built-in 1", 6, ("Version 2 since 2026-03-01: a longer list.",)
)


@pytest.mark.parametrize("arm", PLAN.arms, ids=lambda arm: arm.code)
def test_every_arm_has_the_templates_twelve_rows(arm) -> None:
    rows = tidier_sheet(arm, PLAN, SETTING)
    assert [(n, name) for n, name, _text in rows] == list(enumerate(ROWS, start=1))
    texts = [text for _n, _name, text in rows]
    assert all(texts)
    assert texts[9] == "Version 2 since 2026-03-01: a longer list."
    assert texts[11] == "Told when the study is unblinded."
    # Why, and what is done about poor use, are nowhere in the protocol.
    assert texts[1] == OPEN


def test_tailoring_says_what_personalisation_does() -> None:
    by_code = {arm.code: dict(_texts(arm)) for arm in PLAN.arms}
    assert "taste" in by_code["GAMC"]["Tailoring"]
    assert by_code["GAMC"]["Tailoring"] == by_code["MCMG"]["Tailoring"]
    assert "sleep efficiency of 85 per cent" in by_code["CBT"]["Tailoring"]
    assert "30 minutes" in by_code["LSTM-ACM"]["What: materials"]


def test_every_composer_is_described() -> None:
    assert set(COMPOSERS) == set(ComposerName)


def test_what_was_delivered_is_told_by_kind_and_zero_is_no_error() -> None:
    music = next(arm for arm in PLAN.arms if arm.kind == "music")
    told = Delivered(n_allocated=9, n_started=8, nights=4, minutes=90.0, lessons=0)
    assert _texts(music, told)[11][1] == (
        "8 of 9 allocated people began. Music was heard on 4 nights, 22.5 minutes a night."
    )
    assert "on 0 nights, 0.0 minutes" in _texts(music, Delivered(0, 0, 0, 0.0, 0))[11][1]


def test_a_bar_in_a_text_breaks_no_table() -> None:
    page = to_markdown("X", [("A", [(1, "Why", "a | b")])])
    assert "| 1 | Why | a / b |" in page


def _texts(arm, delivered=None) -> list[tuple[str, str]]:
    return [(name, text) for _n, name, text in tidier_sheet(arm, PLAN, SETTING, delivered)]
