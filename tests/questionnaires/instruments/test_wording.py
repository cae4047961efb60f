import re
import tomllib

import pytest

from questionnaires.instruments import CATALOGUE
from questionnaires.instruments.cpss import CPSS
from questionnaires.instruments.errors import WordingMismatch
from questionnaires.instruments.instrument import Kind
from questionnaires.instruments.morning_diary import MORNING_DIARY
from questionnaires.instruments.psqi import PSQI
from questionnaires.instruments.track_rating import TRACK_RATING
from questionnaires.instruments.wording import (
    content_hash,
    match_wording,
    parsed_wording,
    shipped_wording,
    wording_path,
)

LANGUAGES = ("en", "zh-hans")
EVERY_WORDING = [
    (instrument, language) for instrument in CATALOGUE.values() for language in LANGUAGES
]
# Of our own making, so our words are the instrument.
WRITTEN_HERE = (MORNING_DIARY, TRACK_RATING)
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def content_of(instrument, language):
    content = tomllib.loads(wording_path(instrument, language).read_text("utf-8"))
    content.pop("sha256")
    return content


def match(content, instrument=PSQI, language="en"):
    return match_wording(instrument, language, content, content_hash(content))


@pytest.mark.parametrize(("instrument", "language"), EVERY_WORDING)
def test_every_instrument_is_complete_in_every_language_and_marked_as_ours(instrument, language):
    wording = shipped_wording(instrument, language)
    assert wording.functional == (instrument not in WRITTEN_HERE)
    assert bool(wording.notice) == wording.functional
    assert list(wording.items) == [item.key for item in instrument.items]
    for item in instrument.items:
        if item.kind is Kind.CHOICE:
            assert len({label for _, label in wording.choices(item)}) == len(item.choices)
    labels = [words.label for words in wording.items.values()]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize(("instrument", "language"), EVERY_WORDING)
def test_every_label_is_short_and_in_its_own_script(instrument, language):
    wording = shipped_wording(instrument, language)
    labels = [words.label for words in wording.items.values()]
    labels += [label for codes in wording.scales.values() for label in codes.values()]
    for label in labels:
        assert bool(CHINESE.search(label)) == (language == "zh-hans")
        assert len(label) <= (20 if language == "zh-hans" else 48)


def test_a_hash_depends_on_the_words_and_not_on_the_layout():
    content = content_of(PSQI, "en")
    stated = shipped_wording(PSQI, "en").sha256
    assert content_hash(dict(reversed(content.items()))) == stated
    content["items"]["bed"]["label"] = "Another label"
    assert content_hash(content) != stated


def test_a_changed_word_without_a_new_hash_is_refused_and_the_new_hash_told():
    text = wording_path(PSQI, "en").read_text("utf-8").replace("Too cold", "Freezing")
    with pytest.raises(WordingMismatch, match=r'expected sha256 = "[0-9a-f]{64}"'):
        parsed_wording(text.encode(), name="psqi.en.toml")


@pytest.mark.parametrize("data", [b"\xff\xfe", b"= nothing", b"title = 'no hash'"])
def test_a_damaged_file_is_refused_by_name(data):
    with pytest.raises(WordingMismatch, match=r"site\.toml: expected"):
        parsed_wording(data, name="site.toml")


def test_an_absent_file_is_named():
    with pytest.raises(WordingMismatch, match=r"psqi\.fr\.toml, got none"):
        shipped_wording(PSQI, "fr")


def test_words_for_keys_that_do_not_exist_and_keys_without_words_are_both_named():
    content = content_of(PSQI, "en")
    content["items"]["bedtime"] = content["items"].pop("bed")
    with pytest.raises(WordingMismatch, match=r"missing: bed; unknown: bedtime"):
        match(content)


def test_a_scale_must_have_exactly_its_codes():
    content = content_of(PSQI, "en")
    content["scales"]["frequency"]["4"] = "Every night"
    with pytest.raises(WordingMismatch, match=r"codes of frequency.*unknown: 4"):
        match(content)


def test_an_empty_label_is_refused():
    content = content_of(PSQI, "en")
    content["items"]["d_a"]["label"] = " "
    with pytest.raises(WordingMismatch, match=r"item d_a: expected words for label"):
        match(content)


def test_a_time_without_a_read_back_sentence_is_refused():
    content = content_of(PSQI, "en")
    content["items"]["bed"]["read_back"] = "You go to bed."
    with pytest.raises(WordingMismatch, match="read_back sentence"):
        match(content)


def test_a_file_for_another_instrument_or_language_is_refused():
    with pytest.raises(WordingMismatch, match="expected instrument = 'cpss', got 'psqi'"):
        match(content_of(PSQI, "en"), instrument=CPSS)
    with pytest.raises(WordingMismatch, match="expected language = 'zh-hans', got 'en'"):
        match(content_of(PSQI, "en"), language="zh-hans")
