import json
import tomllib

import pytest

from questionnaires.instruments import CATALOGUE
from questionnaires.instruments.cpss import CPSS
from questionnaires.instruments.errors import WordingMismatch
from questionnaires.instruments.instrument import Kind
from questionnaires.instruments.psqi import PSQI
from questionnaires.instruments.site_wording import site_content, skeleton
from questionnaires.instruments.wording import content_hash, match_wording

LICENCE = "Permission of 3 May, letter 17"


def filled(instrument, language="en", **changes):
    """Return a skeleton with made-up words, as a site would fill it in."""
    content = tomllib.loads(skeleton(instrument, language))
    content["title"] = "Title"
    for key, words in content["items"].items():
        words["label"] = f"Made-up question {key}"
    for labels in content.get("scales", {}).values():
        labels.update({code: f"Made-up answer {code}" for code in labels})
    return content | changes


def checked(content, instrument=PSQI, language="en", licence=LICENCE):
    data = json.dumps(content, ensure_ascii=False).encode()
    return site_content(
        data, name="site.json", instrument=instrument, language=language, licence=licence
    )


@pytest.mark.parametrize("instrument", CATALOGUE.values(), ids=lambda i: i.key)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_filled_in_skeleton_fits_its_instrument(instrument, language):
    content = checked(filled(instrument, language), instrument, language)
    wording = match_wording(instrument, language, content, content_hash(content))
    assert not wording.functional
    assert wording.licence == LICENCE
    assert list(wording.items) == [item.key for item in instrument.items]


def test_an_empty_skeleton_names_every_word_that_is_missing():
    with pytest.raises(WordingMismatch) as refused:
        site_content(
            skeleton(CPSS, "en").encode(),
            name="site.toml",
            instrument=CPSS,
            language="en",
            licence=LICENCE,
        )
    for key in ("title", *(f"item item_{n}" for n in range(1, 15)), "scale frequency"):
        assert key in str(refused.value)


def test_times_are_said_back_in_our_words_where_the_text_has_none():
    items = checked(filled(PSQI))["items"]
    assert items["bed"]["read_back"] == "You go to bed at {time}: {spoken}."
    assert "read_back" not in items["latency_min"]


def test_a_scale_may_be_a_list_in_the_order_of_its_codes():
    content = filled(CPSS)
    content["scales"]["frequency"] = ["a", "b", "c", "d", "e"]
    assert checked(content, CPSS)["scales"]["frequency"]["4"] == "e"
    content["scales"]["frequency"] = ["a", "b", "c", "d"]
    with pytest.raises(WordingMismatch, match="scale frequency: expected a label for each code"):
        checked(content, CPSS)


def test_everything_that_is_wrong_is_named_at_once():
    content = filled(PSQI) | {"version": "2", "instrument": "cpss", "translator": "me"}
    content["items"]["bedtime"] = content["items"].pop("bed")
    content["items"]["d_a"]["label"] = " "
    content["items"]["d_b"]["label"] = "很冷".encode().decode("latin-1")
    content["items"]["d_c"]["labl"] = "typo"
    content["items"]["d_d"]["hint"] = 3
    content["items"]["d_e"] = "no table"
    content["items"]["d_f"]["label"] = "??? ????"
    content["items"]["d_g"]["label"] = "ä½ å¥½"
    content["items"]["rise"]["read_back"] = "At {time.__class__} {spoken}"
    del content["scales"]["frequency"]["3"]
    content["scales"]["quality"]["0"] = ""
    with pytest.raises(WordingMismatch) as refused:
        checked(content, licence=" ")
    for part in (
        "expected a licence note",
        "expected instrument = 'psqi', got 'cpss'",
        "expected version = '1', got '2'",
        "unknown: translator",
        "missing: bed; unknown: bedtime",
        "item d_a: expected words for label",
        "item d_b: expected readable words for label",
        "item d_c: expected label, hint, read_back, ends; unknown: labl",
        "item d_d: expected a text for hint, got 3",
        "item d_e: expected a table with a label",
        "item d_f: expected words for label, got question marks ('??? ????')",
        "item d_g: expected readable words for label",
        "item rise: expected a read_back sentence",
        "scale frequency: expected 4 labels, got 3",
        "scale quality: expected words for 0",
    ):
        assert part in str(refused.value)


def test_labels_of_ones_own_are_no_licensed_text():
    with pytest.raises(WordingMismatch, match="got functional = true"):
        checked(filled(CPSS, functional=True), CPSS)


def test_a_stated_hash_must_be_that_of_the_content():
    content = filled(CPSS)
    assert checked(content | {"sha256": content_hash(content)}, CPSS)
    with pytest.raises(WordingMismatch, match="as the content says"):
        checked(content | {"sha256": "0" * 64}, CPSS)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\xff\xfe", "site.toml"),
        (b"= nothing", "site.toml"),
        (b"{", "site.json"),
        (b"[1, 2]", "site.json"),
        ("title = '睡眠'".encode("gb18030"), "site.toml"),
    ],
)
def test_a_damaged_file_is_refused_by_name(data, name):
    with pytest.raises(WordingMismatch, match=rf"{name}: expected"):
        site_content(data, name=name, instrument=PSQI, language="en", licence=LICENCE)


def test_a_skeleton_says_what_each_key_is():
    text = skeleton(PSQI, "en")
    assert "# a time of day (Usual time of going to bed)\n[items.bed]" in text
    assert "# Labels for quality\n[scales.quality]" in text
    assert all(item.kind is Kind.CHOICE or f"[items.{item.key}]" in text for item in PSQI.items)
