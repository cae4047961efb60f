import pytest

from questionnaires.instruments.cpss import CPSS
from questionnaires.instruments.errors import AnswerRefused, TableRefused
from questionnaires.instruments.psqi import PSQI
from questionnaires.instruments.table import (
    CellReader,
    Coding,
    Layout,
    RefusedRow,
    read_cell,
    score_rows,
)
from questionnaires.instruments.track_rating import TRACK_RATING

PSQI_HEADER = [item.key for item in PSQI.items if item.required]
GOOD = dict.fromkeys(PSQI_HEADER, "0") | {
    "bed": "23:00",
    "rise": "07:00",
    "latency_min": "10",
    "sleep_h": "7.5",
}


def cells(**changes):
    return list((GOOD | changes).values())


@pytest.mark.parametrize(
    ("item_key", "text", "value", "flags"),
    [
        ("bed", "23:30", "23:30", ()),
        ("bed", "11:30 pm", "23:30", ()),
        ("bed", "2330", "23:30", ("bed_reread",)),
        ("bed", "730", "07:30", ("bed_reread",)),
        ("bed", "0", None, "not_a_time"),
        ("bed", "0.979166667", "23:30", ("bed_reread",)),
        ("bed", "0,0208333", "00:30", ("bed_reread",)),
        ("bed", "1900-01-01 23:30:00", "23:30", ("bed_reread",)),
        # Half past eleven, or eighteen minutes past: two meanings, so neither.
        ("bed", "23.30", None, "not_a_time"),
        ("bed", "23.5", None, "not_a_time"),
        ("bed", "0.97123", None, "not_a_time"),
        ("bed", "2360", None, "not_a_time"),
        ("latency_min", "30 to 60", 45, ("latency_min_midpoint",)),
        ("latency_min", "7,5", 7.5, ()),
        ("latency_min", "15-Oct", None, "not_a_number"),
        ("sleep_h", "7:30:00", 7.5, ()),
        ("sleep_h", "0.3125", 0.3125, ("sleep_h_under_1",)),
        ("sleep_h", "450", None, "out_of_range"),
        ("d_a", "NA", None, ()),
        ("d_a", "#N/A", None, ()),
        ("d_a", " ", None, ()),
        ("d_a", "=SUM(A1:A3)", None, "wrong_type"),
        ("d_a", "4", None, "not_a_choice"),
        ("d_a", "\x001", None, "garbled"),
        ("d_j_reason", "none", None, ()),
    ],
)
def test_a_cell_is_read_flagged_or_refused(item_key, text, value, flags):
    item = PSQI.item(item_key)
    if isinstance(flags, str):
        with pytest.raises(AnswerRefused) as refused:
            read_cell(item, text)
        assert refused.value.code == flags
    else:
        assert read_cell(item, text) == (value, flags)


def test_columns_are_found_in_any_order_and_case():
    layout = Layout(CPSS, ["id", *(f" Item_{number} " for number in range(14, 0, -1))])
    assert layout.places["item_1"] == 14
    assert layout.carried == ["id"]
    assert layout.added == ("tension", "control", "total", "flags", "rule_id")


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ([], "got none for bed, latency_min, rise.* .there are: no columns"),
        ([*PSQI_HEADER[:-1], "energy"], "got none for enthusiasm .there are: bed, "),
        ([*PSQI_HEADER, "no\x00te"], r"names of columns, got NUL bytes in 'no\\x00te'"),
        ([*PSQI_HEADER, "BED"], "each column once, got several bed"),
        ([*PSQI_HEADER, "id", "id"], "each column once, got several id"),
        ([*PSQI_HEADER, "total", "rule_id"], "no column total, rule_id, it is to be added"),
    ],
)
def test_a_header_that_does_not_fit_is_refused_with_all_that_is_wrong(header, sentence):
    with pytest.raises(TableRefused, match=sentence):
        Layout(PSQI, header)


def test_a_row_names_everything_that_is_wrong_with_it():
    reader = CellReader(Layout(PSQI, PSQI_HEADER))
    refused = reader.row(7, cells(d_a="4", bed="late"))
    assert isinstance(refused, RefusedRow)
    assert refused.line == 7
    assert [reason.split(":")[0] for reason in refused.reasons] == ["bed", "d_a"]
    assert reader.row(8, cells()[:-1]).reasons[0].startswith("expected 17 cells, got 16")
    assert reader.row(9, cells(d_a="4")) == reader.row(9, cells(d_a="4"))


def test_a_reason_column_that_is_empty_takes_the_tenth_disturbance_out():
    def total(header, row):
        layout = Layout(PSQI, header)
        rows = [CellReader(layout).row(2, row)]
        scored = next(iter(score_rows(layout, rows, "pitt2005")))
        return dict(zip([*header, *layout.added], scored, strict=True))

    without = total([*PSQI_HEADER, "d_j"], [*cells(), "3"])
    assert (without["total"], without["flags"]) == ("1", "")
    empty = total([*PSQI_HEADER, "d_j", "d_j_reason"], [*cells(), "3", ""])
    assert (empty["total"], empty["flags"]) == ("0", "other_reason_missing")
    given = total([*PSQI_HEADER, "d_j", "d_j_reason"], [*cells(), "3", "noise"])
    assert (given["total"], given["flags"]) == ("1", "")


def test_an_instrument_without_column_rule_gives_every_score_it_has():
    layout = Layout(TRACK_RATING, ["calming", "liked"])
    rows = [CellReader(layout).row(2, ["4", ""])]
    assert list(score_rows(layout, rows, "track_rating_1", ("late",))) == [
        ["4", "", "4", "", "0", "late", "track_rating_1"]
    ]
    assert list(score_rows(layout, [], "track_rating_1")) == []


@pytest.mark.parametrize(
    ("codes", "n_rows", "is_suspected"),
    [
        (("1", "2", "4"), 2, True),
        (("1", "2", "4.0"), 2, True),
        (("1", "2", "3"), 2, False),
        (("1", "2", "3"), 20, True),
        (("0", "4"), 20, False),
        (("", "NA"), 0, False),
    ],
)
def test_codes_that_begin_at_one_are_suspected_for_the_whole_table(codes, n_rows, is_suspected):
    layout, coding = Layout(PSQI, PSQI_HEADER), Coding(PSQI)
    for row in range(n_rows):
        code = codes[row % len(codes)]
        coding.look_at(layout, [code] * len(PSQI_HEADER))
    coding.seen.update(codes)
    assert coding.is_from_1_suspected == is_suspected
    assert bool(coding.suspicion) == is_suspected


def test_a_scale_that_begins_at_one_is_never_suspected():
    coding = Coding(TRACK_RATING)
    layout = Layout(TRACK_RATING, ["calming", "liked"])
    for _ in range(30):
        coding.look_at(layout, ["1", "5"])
    assert not coding.is_from_1_suspected
