import io

import pytest
from django.core.management import CommandError, call_command

from questionnaires.instruments.errors import UnknownInstrument
from questionnaires.selectors import definition_named
from tests.questionnaires.instruments.test_redcap import EXAMPLE, MOOD, SCORING, dictionary

pytestmark = pytest.mark.django_db
LICENCE = {"licence": "Letter 17"}


def run(*arguments, **options):
    out, err = io.StringIO(), io.StringIO()
    call_command(*arguments, stdout=out, stderr=err, **options)
    return out.getvalue() + err.getvalue()


@pytest.fixture
def mood(tmp_path):
    (tmp_path / "mood.csv").write_bytes(dictionary(MOOD))
    (tmp_path / "mood.toml").write_bytes(SCORING)
    return tmp_path


def test_an_instrument_is_imported_exported_and_imported_again(mood):
    said = run(
        "import_instrument", "mood", mood / "mood.csv", scoring=mood / "mood.toml", **LICENCE
    )
    assert "mood 1: 10 items imported, " in said
    assert "record_id is the record id" in said
    assert "10 fields of mood" in run("redcap_dictionary", "mood", mood / "out.csv")
    again = run("import_instrument", "mood_copy", mood / "out.csv", **LICENCE)
    assert "mood_copy 1: 10 items imported" in again
    assert definition_named("mood_copy").items == definition_named("mood").items


def test_what_contradicts_itself_is_said_a_line_for_each_and_nothing_is_kept(mood):
    rows = [
        *MOOD,
        {"name": "a", "type": "text", "label": "A", "logic": "[m1] = '7'"},
        {"name": "b", "type": "text", "label": "??? ????", "logic": "[nowhere] = '1'"},
    ]
    (mood / "bad.csv").write_bytes(dictionary(rows))
    with pytest.raises(CommandError) as refused:
        run("import_instrument", "mood", mood / "bad.csv", **LICENCE)
    lines = str(refused.value).splitlines()
    assert [line.split(":")[0] for line in lines] == ["line 14", "line 15", "line 15"]
    with pytest.raises(UnknownInstrument):
        definition_named("mood")


def test_an_imported_instrument_scores_a_table(mood):
    run("import_instrument", "mood", mood / "mood.csv", scoring=mood / "mood.toml", **LICENCE)
    (mood / "in.csv").write_text("id,m1,m2,m3,m4\nP1,1,0,2,3\n")
    run("score", "mood", mood / "in.csv", mood / "scored.csv")
    assert (mood / "scored.csv").read_text().splitlines()[1] == "P1,1,0,2,3,9,0.5,4,,mood_sum"


def test_the_reference_dictionary_is_imported():
    if not EXAMPLE.is_file():
        pytest.skip("the reference dictionary in ../shared is absent")
    said = run("import_instrument", "sleep_items", EXAMPLE, **LICENCE)
    assert "sleep_items 1: 5 items imported" in said
    assert "psqi_total is calculated" in said


def test_labels_of_ours_go_out_with_a_warning(tmp_path):
    said = run("redcap_dictionary", "psqi", tmp_path / "psqi.csv", language="zh_Hans", prefix="p_")
    assert "functional labels of ours" in said
    written = (tmp_path / "psqi.csv").read_text("utf-8")
    assert '\np_bed,psqi,"<div class=""introduction"">' in written
    assert '<div class=""stem"">最近一个月</div>",text,平时上床的时间' in written


def test_what_cannot_be_read_written_or_found_is_said(mood):
    with pytest.raises(CommandError, match="No such file"):
        run("import_instrument", "mood", mood / "absent.csv", **LICENCE)
    with pytest.raises(CommandError, match="licence note"):
        run("import_instrument", "mood", mood / "mood.csv")
    with pytest.raises(CommandError, match="language of the site"):
        run("import_instrument", "mood", mood / "mood.csv", language="fr")
    with pytest.raises(CommandError, match="got 'isi'"):
        run("redcap_dictionary", "isi", mood / "out.csv")
    with pytest.raises(CommandError, match="a file that can be written"):
        run("redcap_dictionary", "psqi", mood / "absent" / "out.csv")
