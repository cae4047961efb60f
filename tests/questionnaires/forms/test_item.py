import re

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from questionnaires.forms import ItemForm
from questionnaires.instruments import CATALOGUE
from questionnaires.instruments.cpss import CPSS
from questionnaires.instruments.psqi import PSQI
from questionnaires.instruments.reading import read_answer
from questionnaires.instruments.sleep_diary import SLEEP_DIARY

# The words may be a site's own, in the database.
pytestmark = pytest.mark.django_db

NOT_A_TIME = "That is not a time of day. Write it like 22:30."
EVERY_ITEM = [(instrument, item) for instrument in CATALOGUE.values() for item in instrument.items]


def make_form(item_key, data=None, instrument=PSQI, language="en", **options):
    return ItemForm(instrument, instrument.item(item_key), language, data, **options)


def html_of(form):
    return render_to_string("questionnaires/item.html", {"form": form})


@pytest.mark.parametrize(
    ("instrument", "item_key", "data", "raw", "value"),
    [
        (PSQI, "bed", {"hour": "23", "minute": "30"}, "23:30", "23:30"),
        (PSQI, "bed", {"hour": "0", "minute": "5"}, "0:05", "00:05"),
        (PSQI, "bed", {"hour": "２３", "minute": "５"}, "２３:0５", "23:05"),  # noqa: RUF001 - full-width digits
        (PSQI, "sleep_h", {"hours": "7", "minutes": "30"}, "7:30", 7.5),
        (PSQI, "sleep_h", {"hours": "7", "minutes": ""}, "7", 7.0),
        (PSQI, "sleep_h", {"hours": "7,5", "minutes": ""}, "7,5", 7.5),
        (PSQI, "sleep_h", {"hours": "", "minutes": "45"}, "0:45", 0.75),
        (PSQI, "latency_min", {"answer": "15-30"}, "15-30", 22.5),
        (PSQI, "d_a", {"answer": "0"}, "0", 0),
        (PSQI, "d_j_reason", {"answer": " the dog "}, "the dog", "the dog"),
        (PSQI, "d_j", {}, "", None),
        (SLEEP_DIARY, "awakenings", {"answer": "0"}, "0", 0),
    ],
)
def test_what_was_typed_becomes_the_raw_answer_and_reads_as_its_value(
    instrument, item_key, data, raw, value
):
    form = make_form(item_key, data, instrument)
    assert form.is_valid(), form.errors
    assert (form.raw, form.cleaned_data["value"]) == (raw, value)
    assert read_answer(form.item, form.raw) == value


@pytest.mark.parametrize(
    ("item_key", "data", "field", "message"),
    [
        ("d_a", {}, "answer", "Choose one answer."),
        ("d_a", {"answer": "4"}, "answer", "Choose one of the answers."),
        ("bed", {}, "hour", "Write the hour and the minutes."),
        (
            "bed",
            {"hour": "23", "minute": ""},
            "hour",
            NOT_A_TIME,
        ),
        (
            "bed",
            {"hour": "", "minute": "30"},
            "hour",
            NOT_A_TIME,
        ),
        (
            "bed",
            {"hour": "25", "minute": "00"},
            "hour",
            NOT_A_TIME,
        ),
        ("sleep_h", {"hours": "7", "minutes": "75"}, "hours", "The minutes go from 0 to 59."),
        ("sleep_h", {"hours": "25", "minutes": "0"}, "hours", "Write a length from 0 to 24 hours."),
        ("sleep_h", {"hours": "", "minutes": ""}, "hours", "Write the hours and the minutes."),
        ("latency_min", {"answer": ""}, "answer", "Write the number of minutes. It can be 0."),
        ("latency_min", {"answer": "soon"}, "answer", "Write a number, in digits only."),
        ("latency_min", {"answer": "900"}, "answer", "Write a number of minutes from 0 to 720."),
        ("d_j_reason", {"answer": "x" * 501}, "answer", "Write at most 500 characters."),
        (
            "d_j_reason",
            {"answer": "街上".encode().decode("latin-1")},
            "answer",
            "Some of these characters cannot be read. Write it again.",
        ),
    ],
)
def test_an_answer_that_does_not_fit_says_what_to_do_beside_the_first_field(
    item_key, data, field, message
):
    form = make_form(item_key, data)
    assert not form.is_valid()
    assert form.errors == {field: [message]}
    html = html_of(form)
    assert f'id="id_{field}_error"' in html
    assert message in html
    assert f'id="id_{field}"' in html


def test_a_null_character_is_refused_and_not_a_crash():
    assert not make_form("d_j_reason", {"answer": "a\x00b"}).is_valid()
    assert not make_form("bed", {"hour": "2\x00", "minute": "0"}).is_valid()


def test_what_was_typed_stays_on_the_page_beside_its_error():
    html = html_of(make_form("bed", {"hour": "25", "minute": "10"}))
    assert 'value="25"' in html
    assert 'value="10"' in html


@pytest.mark.parametrize(("instrument", "item"), EVERY_ITEM)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_item_is_drawn_with_its_words_and_nothing_selected(instrument, item, language):
    with translation.override(language):
        form = ItemForm(instrument, item, language)
        html = html_of(form)
    assert form.words.label in html
    assert f'lang="{language}"' in html
    assert " checked" not in html
    assert "required" not in html
    assert html.count('type="radio"') == len(item.choices)
    assert html.count("<h1") == 1


@pytest.mark.parametrize(("instrument", "item"), EVERY_ITEM)
def test_every_control_has_a_label_and_no_page_breaks_the_content_policy(instrument, item):
    html = html_of(ItemForm(instrument, item, "en", {}))
    ids = re.findall(r'<(?:input|textarea)[^>]* id="([^"]+)"', html)
    assert ids
    assert len(set(ids)) == len(ids)
    for control in ids:
        assert f'for="{control}"' in html
    for reference in re.findall(r'aria-describedby="([^"]+)"', html):
        assert all(f'id="{name}"' in html for name in reference.split())
    assert not re.search(r"style=|<script|onclick", html)


def test_an_answer_kept_earlier_is_shown_again():
    html = html_of(make_form("item_3", instrument=CPSS, value=2))
    assert re.search(r'value="2" checked', html)
    assert html.count(" checked") == 1
    html = html_of(make_form("sleep_h", value=7.25))
    assert 'value="7"' in html
    assert 'value="15"' in html


def test_a_zero_kept_earlier_is_an_answer_and_not_a_gap():
    assert re.search(r'value="0" checked', html_of(make_form("d_a", value=0)))
    assert 'value="0"' in html_of(make_form("latency_min", value=0))


def test_a_kept_time_is_said_back_as_a_sentence():
    assert "You go to bed at 00:30: half past midnight." in html_of(make_form("bed", value="00:30"))
    form = make_form("bed", language="zh-hans", value="00:30")
    assert form.read_back == "你 00:30 上床，也就是凌晨零点半。"  # noqa: RUF001 - Chinese punctuation
    assert make_form("bed").read_back == ""


def test_a_typed_text_is_escaped():
    html = html_of(make_form("d_j_reason", {"answer": "<script>alert(1)</script>" + "x" * 500}))
    assert "<script>" not in html


def test_the_optional_item_says_so_and_no_other_does():
    assert "(optional)" in html_of(make_form("d_j_reason"))
    assert "(optional)" not in html_of(make_form("d_a"))


def test_labels_of_ours_are_marked_as_such_on_every_page():
    published, ours = CATALOGUE["cpss"], CATALOGUE["morning_diary"]
    assert "not the published questionnaire" in html_of(make_form("item_1", instrument=published))
    assert 'class="watermark"' not in html_of(make_form("music", instrument=ours))
