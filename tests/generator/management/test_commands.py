import json

import mido
import pretty_midi
import pytest
from django.core.management import CommandError, call_command

from generator.engine.networks import onnx_graph
from generator.engine.score.midi import write_midi
from tests.generator.engine.training.conftest import tune


def test_compose_writes_a_midi_file_that_others_can_read(tmp_path, capsys):
    out = tmp_path / "night.mid"
    call_command("compose", "markov", out=out, minutes=0.5, style="jazz=0.5,folk=0.5", seed=3)
    assert "notes by markov-" in capsys.readouterr().out
    assert len(pretty_midi.PrettyMIDI(str(out)).instruments) == 4


def test_compose_says_what_it_made_as_json(tmp_path, capsys):
    out = tmp_path / "night.mid"
    call_command("compose", "lstm_acm", out=out, minutes=2.0, fusion="logit", seed=3, json=True)
    made = json.loads(capsys.readouterr().out)
    assert made["release"].startswith("lstm_acm-")
    assert made["minutes"] == pytest.approx(2.0, abs=0.1)
    assert made["measures"]["in_key"] >= 0.97
    assert made["loops"] is False
    notes = [m for t in mido.MidiFile(out).tracks for m in t if m.type == "note_on" and m.velocity]
    assert len(notes) == made["notes"]


def test_compose_makes_the_folder_that_it_writes_to(tmp_path):
    out = tmp_path / "new" / "folder" / "night.mid"
    call_command("compose", "markov", out=out, minutes=0.5)
    assert out.is_file()


@pytest.mark.parametrize(
    "line",
    [
        ("distil_composer", "--corpus=x"),
        ("evaluate_composers", "--held-out=x"),
        ("fine_tune", "--corpus=x"),
        ("import_corpus", "x", "--name=x", "--licence=x"),
        ("lighten_composer", "--held-out=x"),
        ("measure_method", "--corpus=x", "--collection=x"),
        ("picture_night", "x.mp3"),
        ("search_composer", "--corpus=x"),
        ("train_composer", "markov", "--corpus=x"),
    ],
)
def test_a_file_is_no_folder_to_write_to_and_that_is_said_first(line, tmp_path):
    file = tmp_path / "file"
    file.touch()
    for out in (file, file / "folder"):
        with pytest.raises(CommandError, match=f"a folder to write to was expected, got {out}"):
            call_command(*line, f"--out={out}")
    assert file.read_bytes() == b""


@pytest.mark.parametrize("line", [("compose", "markov"), ("render_night", "--composer=markov")])
def test_a_folder_is_no_file_to_write(line, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match="which is a folder"):
        call_command(*line, f"--out={tmp_path}")
    with pytest.raises(CommandError, match=r"a file to write was expected, got .* is a file"):
        call_command(*line, f"--out={tmp_path / 'file' / 'night.mp3'}")


@pytest.mark.parametrize(
    "line",
    [
        ("train_composer", "lstm_acm", "--corpus=x", "--out=x", "--lanes=-3"),
        ("search_composer", "--corpus=x", "--out=x", "--trials=0"),
        ("evaluate_composers", "--held-out=x", "--out=x", "--pieces=0"),
    ],
)
def test_counts_of_nothing_are_refused(line):
    with pytest.raises(CommandError, match="a whole number of 1 or more was expected"):
        call_command(*line)


def test_compose_fusion_fuses_in_two_phases_unless_told_otherwise(tmp_path, capsys):
    made = []
    for fusion in (None, "two_phase", "logit"):
        out = tmp_path / f"{fusion}.mid"
        options = {"minutes": 1.5, "style": "jazz=0.5,folk=0.5", "fusion": fusion}
        call_command("compose", "fusion", out=out, **options)
        assert "notes by fusion-" in capsys.readouterr().out
        made.append(out.read_bytes())
    assert made[0] == made[1] != made[2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fusion": "logit"}, "expected with lstm_acm or fusion, got markov"),
        ({"style": "techno"}, "Known styles: classical"),
        ({"style": "jazz=0.2,folk=0.2"}, "sum to 1"),
        ({"tempo": 200.0}, "tempo_bpm between"),
        ({"minutes": 0.0}, "minutes between"),
    ],
)
def test_compose_says_what_is_wrong_with_a_brief(tmp_path, options, message):
    with pytest.raises(CommandError, match=message):
        call_command("compose", "markov", out=tmp_path / "x.mid", **options)


def test_compose_runs_the_network_on_int8_or_says_what_to_install(tmp_path, capsys):
    options = {"out": tmp_path / "x.mid", "minutes": 1.0, "engine": "int8", "json": True}
    if onnx_graph.onnxruntime is None:
        with pytest.raises(CommandError, match=r"requirements-fast\.txt"):
            call_command("compose", "lstm_acm", **options)
    else:
        call_command("compose", "lstm_acm", **options)
        assert json.loads(capsys.readouterr().out)["release"].endswith("+int8")


def test_train_composer_refuses_a_folder_without_music(tmp_path):
    with pytest.raises(CommandError, match=r"folder with \.mid files"):
        call_command("train_composer", "markov", corpus=tmp_path, out=tmp_path / "out")


def test_evaluate_composers_writes_table_figures_and_likelihoods(tmp_path, midi_corpus, capsys):
    out = tmp_path / "out"
    call_command(
        "evaluate_composers",
        held_out=midi_corpus,
        out=out,
        composers="markov",
        pieces=2,
        minutes=1.5,
        plain=True,
    )
    assert "Tables and figures written" in capsys.readouterr().out
    assert "| GS16 |" in (out / "measures.md").read_text(encoding="utf-8")
    assert "| markov, plain | genetic, plain |" in (out / "measures.md").read_text(encoding="utf-8")
    assert (out / "measures.csv").exists()
    assert "MCMG strong" in (out / "likelihood.csv").read_text(encoding="utf-8")
    assert "LSTM-ACM,MCMG strong,folk,3," in (out / "advantages.csv").read_text(encoding="utf-8")
    assert "LSTM-ACM,melody pitch" in (out / "accuracy.csv").read_text(encoding="utf-8")
    assert (out / "figures" / "gs16.svg").exists()


def test_evaluate_composers_names_an_unknown_composer(tmp_path):
    with pytest.raises(CommandError, match="bach"):
        call_command("evaluate_composers", held_out=tmp_path, out=tmp_path, composers="bach")


def test_a_collection_is_imported_described_and_learnt_from(tmp_path, capsys):
    for seed in range(12):
        write_midi(tune(seed, n_bars=40), tmp_path / "midi" / f"{seed}.mid")
    (tmp_path / "midi" / "broken.mid").write_bytes(b"MThd nonsense")
    store = tmp_path / "tunes"
    options = {"out": store, "name": "Tunes", "licence": "CC0 1.0", "style": "folk"}
    call_command("import_corpus", tmp_path / "midi", **options)
    out = capsys.readouterr().out
    assert "13 of 13 files" in out
    assert "Left out 1: not readable as MIDI." in out
    call_command("corpus_statistics", store)
    table = capsys.readouterr().out
    assert "| MIDI files | 12 |" in table
    assert "| Time signature | 4/4 100 % |" in table
    assert "| Pitch range | C2 to G5 |" in table
    assert "| Style distribution | folk 100 % |" in table
    call_command("train_composer", "markov", corpus=store, out=tmp_path / "out")
    assert (tmp_path / "out" / "markov" / "sha256").exists()


def test_import_and_statistics_say_what_they_expected(tmp_path):
    options = {"out": tmp_path / "o", "name": "x", "licence": "x"}
    with pytest.raises(CommandError, match="a folder of MIDI files was expected"):
        call_command("import_corpus", tmp_path / "none", **options)
    with pytest.raises(CommandError, match="Import the files first"):
        call_command("corpus_statistics", tmp_path)


def test_measure_method_asks_for_a_manifest(tmp_path):
    with pytest.raises(CommandError, match=r"manifest\.csv was expected"):
        call_command("measure_method", corpus=tmp_path, out=tmp_path / "out")


def test_measure_method_measures_no_release_that_is_not_there(tmp_path, midi_corpus):
    with pytest.raises(CommandError, match="release"):
        call_command(
            "measure_method",
            corpus=midi_corpus,
            release=tmp_path / "none",
            out=tmp_path / "out",
        )
    # Made before an hour's work, and no run in it: nothing was trained.
    assert list((tmp_path / "out").iterdir()) == []


def test_lighten_composer_refuses_a_folder_without_music(tmp_path):
    with pytest.raises(CommandError, match=r"folder with \.mid files"):
        call_command("lighten_composer", held_out=tmp_path, out=tmp_path / "out")
