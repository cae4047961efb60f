"""A font of this machine, cut down."""

import io

import pytest
from fontTools.ttLib import TTFont

from studies.typefaces.chinese import cut_down, installed, is_chinese


def test_letters_from_the_radicals_on_want_a_chinese_font():
    assert is_chinese("ISI 睡眠")
    assert is_chinese("。")
    assert not is_chinese("Łukasz \N{EN DASH} 7 \N{GREEK SMALL LETTER ALPHA}")
    assert not is_chinese("")


@pytest.mark.skipif(installed() is None, reason="this machine has no font of Chinese letters")
def test_a_font_has_the_letters_asked_for_and_is_the_same_twice():
    content = cut_down(installed(), "主要分析 ABC")
    assert content == cut_down(installed(), "主要分析 ABC")
    known = TTFont(io.BytesIO(content)).getBestCmap()
    assert set(map(chr, known)) == set("主要分析 ABC")
