import csv
import math

import pytest

from generator.engine.brief import Style
from generator.engine.errors import ScoreError
from generator.engine.score.midi import write_midi
from generator.engine.training.sources import drawn_split, list_sources
from tests.generator.engine.training.conftest import tune

MAESTRO_COLUMNS = [
    "canonical_composer",
    "canonical_title",
    "split",
    "year",
    "midi_filename",
    "audio_filename",
    "duration",
]


def touch(path, seed=1):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_midi(tune(seed), path)


def maestro(directory, columns=MAESTRO_COLUMNS):
    rows = [
        ["Bach", "Prelude", "train", "2004", "2004/a.midi", "2004/a.wav", "100.0"],
        ["Bach", "Prelude", "train", "2006", "2006/b.midi", "2006/b.wav", "90.0"],
        ["Satie", "Gnossienne", "validation", "2008", "2008/c.midi", "2008/c.wav", "80.0"],
        ["Liszt", "Etude", "test", "2008", "2008/d.midi", "2008/d.wav", "70.0"],
    ]
    with (directory / "maestro-v3.0.0.csv").open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        writer.writerow(columns)
        writer.writerows(rows)
    for number, row in enumerate(rows):
        touch(directory / row[4], number)


def test_maestro_keeps_its_own_split_and_says_which_work_a_file_is(tmp_path):
    maestro(tmp_path)
    found = list_sources(tmp_path)
    assert [source.split for source in found] == ["train", "train", "valid", "test"]
    assert found[0].work == found[1].work == "Bach / Prelude"
    assert all(source.path.exists() for source in found)
    assert math.isnan(found[0].tempo_bpm)


def test_a_maestro_table_without_its_columns_is_a_named_error(tmp_path):
    maestro(tmp_path, ["composer", *MAESTRO_COLUMNS[1:]])
    with pytest.raises(ScoreError, match="got no canonical_composer"):
        list_sources(tmp_path)


def test_lakh_versions_of_one_track_fall_into_one_split(tmp_path):
    track = tmp_path / "lmd_matched" / "A" / "B" / "C" / "TRABCDE128F4259ABC"
    for number in range(5):
        touch(track / f"{number:032x}.mid", number)
    found = list_sources(tmp_path / "lmd_matched")
    assert {source.work for source in found} == {"TRABCDE128F4259ABC"}
    assert len({source.split for source in found}) == 1


def test_clean_lakh_knows_versions_by_their_number(tmp_path):
    for number in (1, 2):
        touch(tmp_path / "ABBA" / f"Waterloo.{number}.mid", number)
    touch(tmp_path / "ABBA" / "Chiquitita.1.mid", 3)
    works = [source.work for source in list_sources(tmp_path)]
    assert works == ["ABBA / Chiquitita", "ABBA / Waterloo", "ABBA / Waterloo"]


def test_full_lakh_is_split_by_content(tmp_path):
    touch(tmp_path / "0" / ("0" * 32 + ".mid"), 4)
    (found,) = list_sources(tmp_path, Style.JAZZ)
    assert found.split == drawn_split(found.path.read_bytes())
    assert found.style is Style.JAZZ
    assert found.work == ""


def test_annotations_are_found_where_asap_and_pop909_keep_them(tmp_path):
    touch(tmp_path / "asap" / "Bach1.mid")
    (tmp_path / "asap" / "Bach1_annotations.txt").write_text("")
    touch(tmp_path / "pop" / "001" / "001.mid")
    (tmp_path / "pop" / "001" / "beat_midi.txt").write_text("")
    touch(tmp_path / "kept" / "002.mid")
    (tmp_path / "kept" / "annotations").mkdir()
    (tmp_path / "kept" / "annotations" / "002__beat_midi.txt").write_text("")
    touch(tmp_path / "plain.mid")
    found = {source.path.name: source.beats for source in list_sources(tmp_path)}
    assert found["Bach1.mid"].name == "Bach1_annotations.txt"
    assert found["001.mid"].name == "beat_midi.txt"
    assert found["002.mid"].name == "002__beat_midi.txt"
    assert found["plain.mid"] is None


def test_splits_are_about_80_10_10():
    splits = [drawn_split(str(n).encode()) for n in range(4000)]
    assert splits.count("train") / 4000 == pytest.approx(0.8, abs=0.03)
    assert splits.count("test") / 4000 == pytest.approx(0.1, abs=0.03)


def collections(directory):
    with (directory / "manifest.csv").open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        writer.writerow(["file", "corpus", "ship_class", "style", "split"])
        for number, (corpus, ship_class, style) in enumerate(
            (("lieder", "A", "art_song"), ("songs", "A*", "pop"), ("makam", "C", "turkish_makam"))
        ):
            touch(directory / corpus / "a.mid", number)
            writer.writerow([f"{corpus}/a.mid", corpus, ship_class, style, "test"])
    annotations = directory / "songs" / "annotations"
    annotations.mkdir()
    (annotations / "a__beat_midi.txt").write_text("0.5 1.0 1.0\n")


def test_what_may_not_ship_is_read_only_when_its_collection_is_named(tmp_path):
    collections(tmp_path)
    assert [source.path.parent.name for source in list_sources(tmp_path)] == ["lieder"]
    songs = list_sources(tmp_path, collection="songs")
    assert [source.style for source in songs] == [Style.SONG]
    assert songs[0].beats.name == "a__beat_midi.txt"
    makam = list_sources(tmp_path, Style.FOLK, "makam")
    assert [(source.style, source.split) for source in makam] == [(Style.FOLK, "test")]


def test_an_unknown_collection_is_a_named_error(tmp_path):
    collections(tmp_path)
    with pytest.raises(ScoreError, match="lieder, makam, songs was expected, got 'pop'"):
        list_sources(tmp_path, collection="pop")


def test_a_collection_without_a_manifest_is_a_named_error(tmp_path):
    touch(tmp_path / "a.mid")
    with pytest.raises(ScoreError, match=r"manifest\.csv was expected"):
        list_sources(tmp_path, collection="pop")


def manifest(directory, text):
    header = "file,ship_class,style,split,tempo,tempo_source,calm\n"
    (directory / "manifest.csv").write_bytes(header.encode("utf-8-sig") + text)


def test_a_manifest_that_a_spreadsheet_saved_is_read(tmp_path):
    manifest(tmp_path, b"a.mid,A,folk,train,90,file,1\n")
    (found,) = list_sources(tmp_path)
    assert (found.split, found.tempo_bpm, found.calm) == ("train", 90.0, True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"../a.mid,A,folk,train,90,file,1\n", "a file inside"),
        (b"/etc/a.mid,A,folk,train,90,file,1\n", "a file inside"),
        (b"a.mid,A,folk,holdout,90,file,1\n", "one of the splits train, valid, test"),
        (b"a.mid,A,folk,train,quick,file,1\n", "a tempo in quarter notes"),
        (b"a.mid,A,folk,train,-90,file,1\n", "a tempo in quarter notes"),
        (b"a.mid,A,folk\n", "line 2 of manifest.csv, got no split"),
        (b"\xe9.mid,A,folk,train,90,file,1\n", "values in UTF-8"),
    ],
)
def test_a_row_that_cannot_be_used_is_a_named_error(tmp_path, text, message):
    manifest(tmp_path, text)
    with pytest.raises(ScoreError, match=message):
        list_sources(tmp_path)
