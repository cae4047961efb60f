import csv
import io
import json
import tracemalloc
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

SHARED = Path(__file__).parents[4] / "shared" / "references" / "instruments"
GOLDEN = Path(__file__).parents[2] / "golden"
PSQI_COMPONENTS = (
    "quality",
    "latency",
    "duration",
    "efficiency",
    "disturbance",
    "medication",
    "dysfunction",
)
PSQI_ADDED = [*(f"component_{name}" for name in PSQI_COMPONENTS), "total", "flags", "rule_id"]
GOOD = json.loads((GOLDEN / "psqi_reference_cases.json").read_text("utf-8"))[0]["answers"]


@pytest.fixture
def score(tmp_path):
    """Write a table, score it, and return what came of it."""

    def run(table, name="psqi", encoding="utf-8", **options):
        source, target = tmp_path / "in.csv", tmp_path / "out.csv"
        source.write_bytes(table if isinstance(table, bytes) else table.encode(encoding))
        out, err = io.StringIO(), io.StringIO()
        status = 0
        try:
            call_command("score", name, source, target, stdout=out, stderr=err, **options)
        except CommandError as error:
            status, err = error.returncode, io.StringIO(f"{err.getvalue()}{error}\n")
        text = target.read_text("utf-8-sig") if target.exists() else None
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
            ["in.csv", *(["out.csv"] if target.exists() else [])]
        )
        return Result(status, out.getvalue(), err.getvalue(), text)

    return run


class Result:
    def __init__(self, status, out, err, text):
        self.status, self.out, self.err, self.text = status, out, err, text

    def rows(self, delimiter=","):
        return list(csv.DictReader(io.StringIO(self.text), delimiter=delimiter))


def table(*rows, delimiter=","):
    """Return good PSQI rows with these changes as CSV."""
    buffer = io.StringIO()
    rows = [GOOD | row for row in rows]
    writer = csv.DictWriter(buffer, rows[0], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def reference_cases(name):
    path = SHARED / name
    if not path.is_file():
        pytest.skip("the reference cases in ../shared are absent")
    return json.loads(path.read_text("utf-8"))


def test_every_reference_case_of_the_psqi_is_scored(score):
    cases = reference_cases("psqi_vectors.json")
    result = score(table(*({"name": case["name"]} | case["answers"] for case in cases)))
    assert result.status == 0
    assert len(result.rows()) == len(cases)
    for case, row in zip(cases, result.rows(), strict=True):
        expected = case["expected"]
        assert {name: row[f"component_{name}"] for name in PSQI_COMPONENTS} == {
            name: str(points) for name, points in expected["components"].items()
        }
        assert row["total"] == str(expected["global_"])
        assert row["flags"] == ""
        assert row["rule_id"] == "pitt2005"
        assert row["name"] == case["name"]


def test_every_reference_case_of_the_cpss_is_scored(score):
    cases = reference_cases("cpss14_vectors.json")
    header = ",".join(f"item_{number}" for number in range(1, 15))
    lines = "\n".join(",".join(map(str, case["answers"])) for case in cases)
    result = score(f"{header}\n{lines}\n", name="cpss14")
    assert result.text.splitlines()[0] == f"{header},tension,control,total,flags,rule_id"
    for case, row in zip(cases, result.rows(), strict=True):
        assert row["total"] == str(case["total"])
        assert row["tension"] == str(case["helplessness"])
        assert row["control"] == str(case["self_efficacy_reversed"])
        assert (row["flags"], row["rule_id"]) == ("straight_line", "cpss14_yang2003")


def test_the_output_repeats_the_input_and_adds_its_columns(score):
    given = table({"id": "P1", "d_a": "", "note": '5" of rain, "quoted"'})
    result = score(given)
    before, after = next(csv.reader([given.splitlines()[0]])), result.text.splitlines()[0]
    assert after == ",".join([*before, *PSQI_ADDED])
    row = result.rows()[0]
    assert (row["id"], row["note"]) == ("P1", '5" of rain, "quoted"')
    assert (row["component_latency"], row["total"]) == ("", "")
    assert row["component_quality"] == "0"
    assert "carried along, not read: id, note" in result.out


def test_the_rule_is_chosen_and_named(score):
    seven_hours = table({"sleep_h": "7"})
    assert score(seven_hours).rows()[0]["component_duration"] == "0"
    old = score(seven_hours, rule="buysse1989").rows()[0]
    assert (old["component_duration"], old["rule_id"]) == ("1", "buysse1989")
    unknown = score(seven_hours, rule="pitt2004")
    assert unknown.status == 1
    assert "pitt2005, buysse1989" in unknown.err


def test_bad_rows_are_refused_with_line_and_reason_and_all_others_written(score):
    result = score(table({}, {"d_a": "7"}, {"bed": "23.30", "meds": "x"}, {"sleep_h": "6"}))
    assert result.status == 3
    assert [row["total"] for row in result.rows()] == ["0", "2"]
    lines = result.err.splitlines()
    assert lines[0].startswith("line 3: d_a: expected one of 0, 1, 2, 3, got '7'.")
    assert lines[1].startswith("line 4: bed: expected a time of day, got '23.30'.")
    assert "meds: expected one of" in lines[1]
    assert "2 scored, 2 refused" in result.out


def test_all_or_nothing_writes_nothing(score, tmp_path):
    (tmp_path / "out.csv").write_text("as it was")
    result = score(table({}, {"d_a": "7"}), all_or_nothing=True)
    assert result.status == 1
    assert result.text == "as it was"
    assert "line 3: d_a" in result.err
    assert score(table({}), all_or_nothing=True).status == 0


def test_lines_are_those_of_the_file_even_after_a_cell_of_several_lines(score):
    result = score(table({"note": "two\nlines"}, {"d_a": "9"}))
    assert "line 4: d_a" in result.err


def test_empty_lines_are_no_rows_and_blank_rows_have_no_scores(score):
    header, row = table({}).splitlines()
    result = score(f"\n{header}\n\n{row}\n{',' * row.count(',')}\n")
    assert [row["total"] for row in result.rows()] == ["0", ""]
    assert result.status == 0


def test_half_day_slips_ranges_and_other_forms_of_time_are_flagged(score):
    result = score(
        table(
            {"bed": "11:30"},
            {"bed": "11:30 pm"},
            {"bed": "2330", "latency_min": "30 to 60"},
            {"bed": "0.979166667"},
        )
    )
    assert [row["flags"] for row in result.rows()] == [
        "tib_over_14_h",
        "",
        "bed_reread latency_min_midpoint",
        "bed_reread",
    ]
    assert result.status == 0


def test_codes_from_one_to_four_are_said_for_the_whole_table_and_on_every_row(score):
    codes = [key for key, value in GOOD.items() if value == 0]
    shifted = dict.fromkeys(codes, "1")
    result = score(table(shifted, shifted | {"d_b": "4"}))
    assert result.status == 3
    assert "If the codes run from 1 to 4, subtract 1" in result.err
    assert "line 3: d_b" in result.err
    assert "coding_from_1_suspected" in result.rows()[0]["flags"]
    refused = score(table(*[shifted] * 20), all_or_nothing=True)
    assert refused.status == 1


def test_the_cpss_coded_from_one_to_five_is_said(score):
    header = ",".join(f"item_{number}" for number in range(1, 15))
    result = score(f"{header}\n{','.join('12345' * 2 + '1234')}\n", name="cpss14")
    assert "If the codes run from 1 to 5" in result.err
    assert "line 2: item_5: expected one of 0, 1, 2, 3, 4, got '5'." in result.err
    assert result.rows() == []


def test_semicolons_and_decimal_commas_are_read_and_kept(score):
    result = score(table({"sleep_h": "6,5", "latency_min": "7,5"}, delimiter=";"))
    row = result.rows(";")[0]
    assert (row["sleep_h"], row["component_duration"], row["total"]) == ("6,5", "1", "2")


def test_a_decimal_comma_among_commas_is_a_ragged_row(score):
    header, row = table({"sleep_h": "X"}).splitlines()
    result = score(f"{header}\n{row.replace('X', '6,5')}\n{row.replace('X', '7')}\n")
    assert "line 2: expected 18 cells, got 19" in result.err
    assert len(result.rows()) == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_marked_encoding_is_recognised(score, encoding):
    result = score(table({"d_j": "1", "d_j_reason": "街上很吵"}), encoding=encoding)
    assert result.rows()[0]["d_j_reason"] == "街上很吵"
    assert result.status == 0


def test_another_encoding_is_named_and_can_be_told(score):
    chinese = table({"note": ""}, {"note": "街上很吵"}).encode("gb18030")
    refused = score(chinese)
    assert refused.status == 1
    assert refused.text is None
    assert "other bytes on line 3. It looks like GB 18030" in refused.err
    assert "街上很吵" in refused.err


@pytest.mark.parametrize(
    ("encoding", "word", "reading"),
    [
        ("latin-1", "Jürgen", 'Windows-1252 ("Jürgen", cp1252)'),
        ("big5", "街上很吵", 'Big5 ("街上很吵", big5)'),
        # One Chinese character could as well be two accented letters.
        ("gb18030", "吵", 'GB 18030 ("吵", gb18030)'),
        ("cp1251", "Юрий", "GB 18030"),
    ],
)
def test_an_encoding_that_is_not_clear_is_not_guessed(score, encoding, word, reading):
    refused = score(table({"note": ""}, {"note": word}).encode(encoding))
    assert refused.status == 1
    assert "other bytes on line 3. Which encoding it is in is not clear" in refused.err
    assert reading in refused.err
    assert "looks like" not in refused.err


def test_a_table_in_gb18030_is_scored_when_its_encoding_is_told(tmp_path):
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_bytes(table({"d_j": "1", "d_j_reason": "街上很吵"}).encode("gb18030"))
    call_command("score", "psqi", source, target, encoding="gb18030", stdout=io.StringIO())
    assert "街上很吵" in target.read_text("utf-8-sig")


def test_mojibake_refuses_its_row(score):
    garbled = "街上很吵".encode().decode("latin-1")
    result = score(table({"d_j": "1", "d_j_reason": garbled}, {"d_j_reason": "", "d_j": ""}))
    assert "line 2: d_j_reason: expected readable text" in result.err
    assert len(result.rows()) == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"\xff\xfe", "is empty"),
        (b"sep=;\r\n", "is empty"),
        (b"name,age\nX,3\n", "bed, latency_min, rise"),
        (table({}).encode() + b'"open,1,2\n3,4\n', "quotes that close, got line 3"),
        (table({}).encode() + b"caf\xe9,\n", "other bytes on line 3"),
        (bytes(range(256)), "other bytes"),
    ],
)
def test_a_file_that_is_no_table_of_answers_is_refused_as_a_whole(score, content, sentence):
    result = score(content)
    assert result.status == 1
    assert result.text is None
    assert sentence in result.err


def test_nul_bytes_refuse_their_row(score):
    header, row = table({"id": "P1"}).splitlines()
    damaged = row.replace("07:00", "07:\x0000")
    result = score(f"{header}\n{row}\n{damaged}\n")
    assert "line 3: rise: expected readable text" in result.err
    assert len(result.rows()) == 1


def test_nul_bytes_in_a_column_that_nobody_reads_refuse_their_row_too(score):
    header, row = table({"id": "P1"}).splitlines()
    damaged = row.replace("P1", "P\x002")
    result = score(f"{header}\n{row}\n{damaged}\n")
    assert result.status == 3
    assert "line 3: id: expected a text, got NUL bytes." in result.err
    assert [row["id"] for row in result.rows()] == ["P1"]


def test_a_header_alone_gives_a_header_and_says_so(score):
    result = score(table({}).splitlines()[0])
    assert result.status == 0
    assert result.rows() == []
    assert "got 0 rows" in result.err
    assert "0 rows" not in score(table({})).err


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;", "sep=;;;"])
def test_a_first_line_that_names_the_delimiter_is_understood(score, line):
    result = score(f"{line}\r\n{table({}, {'d_a': '7'}, delimiter=';')}")
    assert "line 4: d_a" in result.err
    (row,) = result.rows(";")
    assert row["total"] == "0"


def test_a_delimiter_that_is_named_may_be_any_character(score):
    result = score(f"sep=|\n{table({'sleep_h': '6,5'}, delimiter='|')}")
    assert [row["component_duration"] for row in result.rows("|")] == ["1"]


def test_one_absent_column_is_named_in_a_sentence(score):
    header, row = table({}).splitlines()
    refused = score(f"{header.replace('meds', 'pills')}\n{row}\n")
    assert "expected a column for every item of psqi, got none for meds (there are:" in refused.err


@pytest.mark.django_db
def test_files_that_cannot_be_read_or_written_are_named(tmp_path):
    good = tmp_path / "in.csv"
    good.write_text(table({}))
    with pytest.raises(CommandError, match=r"expected a CSV file, .*absent\.csv is none"):
        call_command("score", "psqi", tmp_path / "absent.csv", tmp_path / "out.csv")
    with pytest.raises(CommandError, match=r"read and written: .*No such file or directory"):
        call_command("score", "psqi", good, tmp_path / "absent" / "out.csv")
    with pytest.raises(CommandError, match="another file to write"):
        call_command("score", "psqi", good, good)
    with pytest.raises(CommandError, match=r"psqi, sleep_diary.*got 'isi'"):
        call_command("score", "isi", good, tmp_path / "out.csv")
    with pytest.raises(CommandError, match="name of an encoding, got 'utf-9'"):
        call_command("score", "psqi", good, tmp_path / "out.csv", encoding="utf-9")


def test_a_long_table_takes_little_memory(tmp_path):
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    header, row = table({}).splitlines()
    with source.open("w") as file:
        file.write(f"{header}\n")
        file.writelines(f"{row}\n" for _ in range(30_000))
    tracemalloc.start()
    try:
        call_command("score", "psqi", source, target, stdout=io.StringIO())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    with target.open() as file:
        assert sum(1 for _ in file) == 30_001
    assert peak < 30 * 2**20
