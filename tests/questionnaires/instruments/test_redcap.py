import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest

from questionnaires.instruments import CATALOGUE, score_answers
from questionnaires.instruments.definition import as_data, definition_hash, from_data
from questionnaires.instruments.errors import DictionaryRefused, InstrumentContradiction
from questionnaires.instruments.instrument import Item, Kind
from questionnaires.instruments.psqi import PSQI
from questionnaires.instruments.redcap import HEADER, export_dictionary
from questionnaires.instruments.redcap_import import import_dictionary
from questionnaires.instruments.site_wording import checked_content
from questionnaires.instruments.track_rating import TRACK_RATING
from questionnaires.instruments.wording import content_hash, match_wording, shipped_wording

EXAMPLE = Path(__file__).parents[4] / "shared/references/schemas/example-redcap-dictionary.csv"
SCORING = b"""
rule = "mood_sum"
source = "Made up"
[scores.total]
method = "sum"
items = ["m1", "m2", "m3", "m4"]
reversed = ["m2"]
missing_allowed = 1
[scores.average]
method = "mean"
items = ["m1", "m2"]
"""
FOUR = "0, Never | 1, Rarely | 2, Often | 3, Always"
MOOD = [
    {"name": "record_id", "type": "text", "label": "Record ID"},
    {"name": "about", "type": "descriptive", "label": "<p>Think of <b>today</b>.</p>"},
    *({"name": f"m{n}", "type": "radio", "label": f"Mood {n}", "choices": FOUR} for n in (1, 2, 3)),
    {"name": "m4", "type": "dropdown", "label": "Mood 4", "choices": FOUR, "required": "y"},
    {"name": "why", "type": "notes", "label": "Why?", "logic": "[m1] = '3' or [m2] >= 2"},
    {"name": "pills", "type": "yesno", "label": "Any pills?", "section": "Medicine"},
    {
        "name": "dose",
        "type": "text",
        "label": "Dose",
        "validation": "number",
        "least": "0",
        "most": "2.5",
        "logic": "[pills] = '1'",
    },
    {"name": "bed", "type": "text", "label": "Bed time", "validation": "time"},
    {"name": "since", "type": "text", "label": "Since when", "validation": "date_ymd"},
    {"name": "pain", "type": "slider", "label": "Pain", "choices": "none | | worst"},
]
COLUMNS = dict(
    zip(
        (
            "name",
            "form",
            "section",
            "type",
            "label",
            "choices",
            "note",
            "validation",
            "least",
            "most",
            "identifier",
            "logic",
            "required",
        ),
        HEADER,
        strict=False,
    )
)


def dictionary(rows):
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, HEADER, restval="")
    writer.writeheader()
    for row in rows:
        named = {"form": "mood"} | row
        writer.writerow({COLUMNS[name]: value for name, value in named.items()})
    return buffer.getvalue().encode()


def imported(rows=MOOD, **options):
    options = {"key": "mood", "version": "1", "language": "en"} | options
    return import_dictionary(dictionary(rows), **options)


def as_wording(result):
    content = checked_content(
        result.content, name="x", instrument=result.instrument, language="en", licence="Letter"
    )
    return match_wording(result.instrument, "en", content, content_hash(content))


def exported(instrument, wording):
    return list(csv.DictReader(io.StringIO(export_dictionary(instrument, wording))))


def test_yes_and_no_are_labelled_in_the_language_of_the_dictionary():
    assert list(imported().content["scales"]["pills"].values()) == ["Yes", "No"]
    assert list(imported(language="zh-hans").content["scales"]["pills"].values()) == ["是", "否"]


def test_a_form_becomes_an_instrument_with_its_words():
    result = imported()
    items = {item.key: item for item in result.instrument.items}
    assert list(items) == ["m1", "m2", "m3", "m4", "why", "pills", "dose", "bed", "since", "pain"]
    assert [items[key].kind for key in ("m1", "why", "dose", "bed", "since", "pain")] == [
        Kind.CHOICE,
        Kind.TEXT,
        Kind.NUMBER,
        Kind.TIME,
        Kind.DATE,
        Kind.WHOLE_NUMBER,
    ]
    assert (items["dose"].low, items["dose"].high) == (0, 2.5)
    assert (items["m1"].required, items["m4"].required) == (False, True)
    assert items["m1"].scale == items["m4"].scale
    assert items["pills"].choices == (1, 0)
    words = result.content["items"]
    assert words["m1"] == {"label": "Mood 1", "hint": "Think of today ."}
    assert words["pills"]["hint"] == "Medicine"
    assert words["pain"]["hint"] == "none \N{EN DASH} \N{EN DASH} worst"
    assert result.notes == ("line 2: record_id is the record id and was left out.",)


def test_its_branching_decides_what_is_asked():
    instrument = imported().instrument
    everything = {item.key: None for item in instrument.items}

    def asked(**answers):
        return {item.key for item in instrument.asked_items(everything | answers)}

    assert not {"why", "dose"} & asked(m1=0, m2=0)
    assert "why" in asked(m2=2)
    assert "dose" in asked(pills=1)
    # Nothing is known yet: what may be asked counts.
    assert len(instrument.asked_items({})) == len(instrument.items)


def test_its_declared_scores_follow_the_missing_rule():
    instrument = imported(scoring=SCORING).instrument
    assert instrument.rule_ids == ("mood_sum",)
    assert {field.name: (field.low, field.high) for field in instrument.scores} == {
        "total": (0, 12),
        "average": (0, 3),
        "n_answered": (0, None),
    }
    full = {"m1": 1, "m2": 0, "m3": 2, "m4": 3}
    assert score_answers(instrument, full).values == {"total": 9, "average": 0.5, "n_answered": 4}
    one_missing = score_answers(instrument, full | {"m3": None})
    assert one_missing.values["total"] == pytest.approx((1 + 3 + 3) / 3 * 4)
    two_missing = score_answers(instrument, full | {"m1": None, "m2": None})
    assert (two_missing.values["total"], two_missing.values["average"]) == (None, None)
    assert score_answers(instrument, {"m4": None}).n_missing == 1
    assert score_answers(instrument, dict.fromkeys(full, 2)).flags == ("straight_line",)
    assert score_answers(instrument, full).flags == ()


def test_without_declared_scores_the_answers_are_counted_and_nothing_is_scored():
    instrument = imported().instrument
    scores = score_answers(instrument, {"m1": 0, "why": None})
    assert (scores.rule_id, scores.values) == ("unscored", {"n_answered": 1})


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"type": "checkbox", "choices": FOUR}, "line 4: bad: expected text, notes, radio"),
        ({"type": "file"}, "got 'file'"),
        ({"type": "sql", "choices": "select 1"}, "got 'sql'"),
        ({"validation": "email"}, "expected a validation among .* got 'email'"),
        ({"validation": "integer", "least": "nine"}, "expected a number as Text Validation Min"),
        ({"validation": "integer", "most": "inf"}, "as Text Validation Max, got 'inf'"),
        ({"validation": "integer", "least": "9", "most": "1"}, "expected low < high"),
        ({"type": "radio", "choices": "a, Yes | b, No"}, "whole numbers, got 'a, Yes'"),
        ({"type": "radio", "choices": "1, Yes | 1, No"}, "each code once, got 1 twice"),
        ({"type": "radio", "choices": ""}, "expected choices like"),
        ({"identifier": "y"}, "expected no identifier"),
        ({"label": " "}, "expected a label"),
        ({"label": "ä½ å¥½"}, "line 4: bad: expected readable words as Field Label, got 'ä½ å¥½'"),
        ({"label": "ä½\xa0å¥½"}, "line 4: bad: expected readable words as Field Label"),
        ({"note": "æœˆä»½"}, "line 4: bad: expected readable words as Field Note"),
        ({"label": "??? ????"}, "line 4: bad: expected words as Field Label, got question marks"),
        ({"type": "radio", "choices": "0, ?? | 1, ???"}, "got question marks"),
        ({"name": "Bad Name"}, "expected a name of a-z, 0-9 and _, got 'Bad Name'"),
        ({"name": "m1"}, "expected one field m1, got two"),
        ({"logic": "sum([m1],1) > 2"}, "line 4: bad: expected comparisons like"),
    ],
)
def test_what_cannot_be_taken_over_is_named_with_its_line(row, sentence):
    rows = [*MOOD[:1], MOOD[2], {"name": "bad", "type": "text", "label": "Bad"} | row]
    with pytest.raises(DictionaryRefused, match=sentence):
        imported(rows)


def test_all_that_is_wrong_is_said_at_once_and_in_the_order_of_its_lines():
    rows = [
        *MOOD,
        {"name": "a", "type": "file", "label": "A", "logic": "[b] = '1'"},
        {"name": "b", "type": "sql", "identifier": "y", "logic": "round([m1]) = 1"},
        {"name": "c", "type": "text", "label": "C", "logic": "[m1] = '7' and [nowhere] = '1'"},
    ]
    scoring = b'rule = "r"\n[scores.t]\nmethod = "sum"\nitems = ["a", "m1", "m9"]'
    with pytest.raises(DictionaryRefused) as refused:
        import_dictionary(
            dictionary(rows) + b"ragged,row\n",
            key="mood",
            version="1",
            language="en",
            scoring=scoring,
        )
    told = str(refused.value)
    places = [
        told.index(part)
        for part in (
            "line 14: a: expected text, notes, radio",
            "line 14: a: expected a condition on earlier fields, got b, which comes later (line 15",
            "line 15: b: expected no identifier",
            "line 15: b: expected a label",
            "line 15: b: expected text, notes, radio",
            "line 15: b: expected comparisons like",
            "line 16: c: expected a condition on earlier fields, got nowhere, which the dictionary",
            "line 16: c: expected m1 to be compared with one of 0, 1, 2, 3, got [m1] = '7'",
            "line 17: expected 18 cells, got 2",
            "scoring: t: expected items of the instrument, got m9.",
        )
    ]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("logic", "sentence"),
    [
        ("[m1] = '7'", "line 4: bad: expected m1 to be compared with one of 0, 1, 2, 3, got"),
        ("[m1] = '1' and [m1] = '2'", "line 4: bad: expected a condition that can be true, got"),
        ("[m1] > 'zzz'", "line 4: bad: expected m1 to be compared with a number, got"),
        ("[bad] = '1'", "line 4: bad: expected a condition on earlier fields, got bad itself"),
        ("[last] = '1'", r"got last, which comes later .line 5. and depends on bad\."),
        ("[record_id] = '1'", r"got record_id, which is no question .line 2.\."),
        ("[other] = '1'", "got other, which is a field of another form"),
        ("[nowhere] = '1'", "got nowhere, which the dictionary does not have"),
    ],
)
def test_a_condition_that_contradicts_the_file_is_named_with_its_line(logic, sentence):
    rows = [
        MOOD[0],
        MOOD[2],
        {"name": "bad", "type": "text", "label": "Bad", "logic": logic},
        {"name": "last", "type": "yesno", "label": "Last", "logic": "[bad] <> ''"},
        {"name": "other", "form": "other_form", "type": "yesno", "label": "Other"},
    ]
    with pytest.raises(DictionaryRefused, match=sentence) as refused:
        imported(rows, form="mood")
    assert str(refused.value).count("line ") == 1 + str(refused.value).count("(line ")


def test_a_condition_that_was_refused_casts_no_doubt_on_those_that_rest_on_it():
    rows = [
        *MOOD,
        {"name": "a", "type": "yesno", "label": "A", "logic": "[bed] > 'late'"},
        {"name": "b", "type": "text", "label": "B", "logic": "[a] = '1'"},
    ]
    with pytest.raises(DictionaryRefused, match=r"line 14: a: .* time like '09:30', got") as said:
        imported(rows)
    assert "line 15" not in str(said.value)


def test_one_form_of_several_is_chosen_by_name():
    rows = [*MOOD, {"name": "other", "form": "other_form", "type": "text", "label": "Other"}]
    assert [item.key for item in imported(rows, form="other_form").instrument.items] == ["other"]
    for form in ("", "third"):
        with pytest.raises(DictionaryRefused, match=r"one form \(mood, other_form\)"):
            imported(rows, form=form)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "18 columns .* missing: Variable"),
        (b"a,b\n1,2\n", "unknown: a; b"),
        (dictionary([]), "fields below the header, got none"),
        (dictionary(MOOD[:1]), "questions in the form mood, got none"),
        (dictionary(MOOD) + b"x,y\n", "line 14: expected 18 cells, got 2"),
        (dictionary(MOOD) + b'"open', "expected a CSV in UTF-8"),
        (b"\xff\xfe\x00", "expected a CSV in UTF-8"),
    ],
)
def test_a_file_that_is_no_dictionary_is_refused(data, sentence):
    with pytest.raises(DictionaryRefused, match=sentence):
        import_dictionary(data, key="mood", version="1", language="en")


@pytest.mark.parametrize(
    ("scoring", "sentence"),
    [
        (b"= 1", "expected TOML"),
        (b"", "no scoring"),
        (b'rule = "Sum!"\n[scores.t]\nmethod="sum"\nitems=["m1"]', "rule = a name"),
        (b'rule = "r"', r"one or more \[scores.NAME\]"),
        (b'rule = "r"\nspeed = 1\n[scores.m1]\nitems=["m1"]\nmethod="sum"', "unknown: speed"),
        (b'rule = "r"\n[scores.m1]\nmethod="sum"\nitems=["m1"]', "score that no item has"),
        (b'rule = "r"\n[scores.t]\nmethod="max"\nitems=["m1"]', "method = sum or mean, got 'max'"),
        (b'rule = "r"\n[scores.t]\nmethod="sum"\nitems="m1"', "lists of item keys"),
        (b'rule = "r"\n[scores.t]\nmethod="sum"\nitems=["m9"]', "items of the instrument, got m9"),
        (b'rule = "r"\n[scores.t]\nmethod="sum"\nitems=["why"]', "numbers or choices, got why"),
        (b'rule = "r"\n[scores.t]\nmethod="sum"\nitems=["m1","m1"]', "each item once"),
        (b'rule="r"\n[scores.t]\nmethod="sum"\nitems=["m1"]\nreversed=["m2"]', "among the items"),
        (b'rule="r"\n[scores.t]\nmethod="sum"\nitems=["m1"]\nmissing_allowed=1', "from 0 to 0"),
    ],
)
def test_a_scoring_file_that_contradicts_itself_is_refused(scoring, sentence):
    if not scoring:
        assert imported(scoring=scoring).instrument.declared == ()
        return
    with pytest.raises(DictionaryRefused, match=sentence):
        imported(scoring=scoring)


def test_the_reference_dictionary_is_imported():
    if not EXAMPLE.is_file():
        pytest.skip("the reference dictionary in ../shared is absent")
    result = import_dictionary(EXAMPLE.read_bytes(), key="sleep_items", version="1", language="en")
    items = {item.key: item for item in result.instrument.items}
    assert list(items) == ["psqi_1", "psqi_2", "psqi_5a", "psqi_c1", "psqi_c2"]
    assert items["psqi_1"].kind is Kind.TIME
    assert (items["psqi_2"].low, items["psqi_2"].high) == (0, 600)
    assert items["psqi_5a"].choices == (0, 1, 2, 3)
    assert result.content["items"]["psqi_5a"]["label"] == "Item 5a 无法入睡"
    assert result.notes == (
        "line 6: psqi_total is calculated and was left out; declare it as a score.",
    )


def test_an_imported_instrument_goes_out_and_comes_back_the_same():
    first = imported()
    text = export_dictionary(first.instrument, as_wording(first))
    again = import_dictionary(text.encode(), key="mood", version="1", language="en")
    assert again.instrument.items == first.instrument.items
    assert again.content["items"] == imported().content["items"]


def test_a_slider_goes_out_as_one_with_its_labels():
    pain = MOOD[-1] | {"note": "Today", "least": "0", "most": "10"}
    first = imported([MOOD[0], pain])
    assert first.instrument.item("pain").is_slider
    assert first.content["items"]["pain"]["ends"] == "none | | worst"
    (row,) = exported(first.instrument, as_wording(first))[1:]
    cells = {column: row[COLUMNS[column]] for column in ("type", "choices", "note", "validation")}
    assert cells == {
        "type": "slider",
        "choices": "none | | worst",
        "note": "Today",
        "validation": "",
    }
    assert (row[COLUMNS["least"]], row[COLUMNS["most"]]) == ("0", "10")
    with pytest.raises(InstrumentContradiction, match="a slider to give a whole number"):
        Item("pain", Kind.NUMBER, low=0, high=10, is_slider=True)


@pytest.mark.parametrize(
    ("language", "hint", "note"),
    [
        ("en", "Your best guess for most nights.", "Your best guess for most nights. (minutes)"),
        (
            "zh-hans",
            "按大多数晚上估计就可以。",
            "按大多数晚上估计就可以。"
            "\N{FULLWIDTH LEFT PARENTHESIS}分钟\N{FULLWIDTH RIGHT PARENTHESIS}",
        ),
    ],
)
def test_units_are_written_in_the_language_of_the_words(language, hint, note):
    wording = shipped_wording(PSQI, language)
    assert wording.items["latency_min"].hint == hint
    rows = {row[COLUMNS["name"]]: row for row in exported(PSQI, wording)}
    assert rows["latency_min"][COLUMNS["note"]] == note
    assert "hours" in rows["sleep_h"][COLUMNS["note"]] or language != "en"


def test_the_recall_period_stands_in_the_first_section_header():
    sections = [row[COLUMNS["section"]] for row in exported(PSQI, shipped_wording(PSQI, "en"))]
    assert sections[1].endswith('<div class="stem">In the past month</div>')
    assert "about your usual sleep in the past month" in sections[1]
    assert not any([sections[0], *sections[2:]])


def test_an_introduction_with_signs_of_its_own_comes_back_as_it_was():
    words = replace(shipped_wording(TRACK_RATING, "en"), introduction="Calm < 3 & quiet.", stem="")
    back = import_dictionary(
        export_dictionary(TRACK_RATING, words).encode(), key="copy", version="1", language="en"
    )
    assert (back.content["introduction"], back.content["stem"]) == ("Calm < 3 & quiet.", "")


@pytest.mark.parametrize("instrument", CATALOGUE.values(), ids=lambda i: i.key)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_instrument_of_ours_goes_out_as_a_dictionary_that_can_be_read(instrument, language):
    wording = shipped_wording(instrument, language)
    text = export_dictionary(instrument, wording, prefix="x_")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert tuple(rows[0]) == HEADER
    result = import_dictionary(text.encode(), key="copy", version="1", language=language)
    back, words = result.instrument, result.content
    assert (words["introduction"], words["stem"]) == (wording.introduction, wording.stem)
    for item, copy in zip(instrument.items, back.items, strict=True):
        ours, theirs = wording.items[item.key], words["items"][copy.key]
        assert theirs["label"] == ours.label
        assert theirs.get("hint", "").startswith(ours.hint)
        if item.kind is Kind.CHOICE:
            labels = [words["scales"][copy.scale][str(code)] for code in copy.choices]
            assert labels == [label for _, label in wording.choices(item)]
    assert [item.key for item in back.items] == [f"x_{item.key}" for item in instrument.items]
    assert [item.choices for item in back.items] == [item.choices for item in instrument.items]
    assert [item.required for item in back.items] == [item.required for item in instrument.items]
    for item, copy in zip(instrument.items, back.items, strict=True):
        if item.low is not None and item.kind is not Kind.TEXT:
            assert (copy.low, copy.high) == (item.low, item.high)
        assert copy.depends_on == {f"x_{key}" for key in item.depends_on}


def test_an_instrument_survives_as_data():
    instrument = imported(scoring=SCORING).instrument
    data = as_data(instrument)
    assert from_data(data) == instrument
    assert definition_hash(data) == definition_hash(data | {"version": "2"})
    assert definition_hash(data) != definition_hash(data | {"source": "Another"})
    for ours in CATALOGUE.values():
        assert from_data(as_data(ours)) == ours
