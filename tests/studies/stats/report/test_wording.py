import string
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from studies.stats.analysis.harms import ASKED, BEFORE, KINDS
from studies.stats.family import Adjustment
from studies.stats.plan.plan import ESTIMAND, METHODS, STRATEGIES, schema
from studies.stats.plan.responder_rules import CONDITIONS
from studies.stats.report.wording import LANGUAGES, words_in


def texts(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from texts(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def places(text: str) -> list[str]:
    return sorted(name for _text, name, _form, _how in string.Formatter().parse(text) if name)


def test_every_language_says_the_same_things_about_the_same_values():
    spoken = [dict(texts(words_in(language).table)) for language in LANGUAGES]
    first, *others = ({key: places(text) for key, text in one.items()} for one in spoken)
    assert all(other == first for other in others)
    assert all(text.strip() for one in spoken for text in one.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_is_a_word_for_everything_a_plan_may_choose(language):
    words = words_in(language)
    assert all(words(f"adjusts.{name}") for name in Adjustment)
    assert all(words(f"methods_of.{name}") and words(f"prose.{name}") for name in METHODS)
    assert all(words(f"methods_of.{name}") for name in STRATEGIES)
    assert all(words(f"estimand.{name}") for name in ESTIMAND)
    assert all(words(f"rules.{name}", value="3") for name in CONDITIONS)
    assert all(words(f"parts.{name}") for name in schema()["properties"])
    assert all(words(f"harms.{kind}") for kind in (*KINDS, ASKED, BEFORE))


def test_chinese_texts_have_chinese_commas():
    chinese = dict(texts(words_in("zh_hans").table))
    assert [text for text in chinese.values() if "," in text and "{" not in text] == []
