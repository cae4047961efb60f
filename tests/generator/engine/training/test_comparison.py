import csv

import numpy as np
import pytest

from generator.engine.brief import ComposerName
from generator.engine.composers.registry import composer_for
from generator.engine.metrics.line import make_line
from generator.engine.training.comparison import (
    HUMAN,
    Row,
    Task,
    briefs,
    compare,
    markdown_table,
    reference_of,
    write_rows,
)
from generator.engine.training.figures import interval_chart, write_figures
from generator.engine.training.lines import (
    line_of,
    lines_of,
    with_shuffled_onsets,
    with_shuffled_pitches,
)
from generator.engine.training.measures import Measured, mean_of, measure, training_runs

TASK = Task(n_pieces=2, minutes=2.0)


@pytest.fixture(scope="module")
def rows(corpus):
    return compare({"markov": composer_for(ComposerName.MARKOV)}, corpus, TASK)


def test_every_composer_stands_beside_people_and_chance(rows):
    names = [row.name for row in rows]
    assert names == [HUMAN, "null: shuffled onsets", "null: shuffled pitches", "markov"]
    measures = set(rows[0].measures)
    assert measures < set(rows[-1].measures)
    assert {"GS16", "repetition 8", "KL 128", "FD-32", "longest copied run"} < measures
    assert "cardinality" in measures


def test_chance_is_seen_for_what_it_is(rows):
    human, onsets, pitches = rows[:3]
    assert human.measures["MBM"].mean > onsets.measures["MBM"].mean
    assert human.measures["kappa"].mean > onsets.measures["kappa"].mean + 0.1
    assert human.measures["in train 4"].mean > pitches.measures["in train 4"].mean


def test_what_is_learnt_from_scores_as_a_copy_of_itself(rows, corpus):
    learnt = measure(lines_of(corpus.split("train"))[:3], reference_of(corpus))["cardinality"]
    assert (learnt.mean, learnt.n) == (1.0, 3)
    assert all(row.measures["cardinality"].mean < 1.0 for row in rows)


def test_a_guarded_composer_hardly_leaves_the_asked_key_and_never_loops(rows):
    measures = rows[-1].measures
    assert measures["in asked key"].mean > 0.95
    assert measures["raised sevenths"].n < TASK.n_pieces
    assert measures["loops"].mean == 0.0
    assert measures["in asked key"].n == TASK.n_pieces


def test_all_composers_get_the_same_briefs():
    asked = list(briefs(Task(n_pieces=12)))
    assert [brief.seed for brief in asked] == list(range(12))
    assert len({style for brief in asked for style in brief.styles}) == 5
    assert len({brief.mode for brief in asked}) == 2


def test_the_table_is_written_with_intervals_and_gaps(rows, tmp_path):
    write_rows(rows, tmp_path / "rows.csv")
    with (tmp_path / "rows.csv").open(newline="", encoding="utf-8") as lines:
        written = list(csv.DictReader(lines))
    human = [row for row in written if row["row"] == HUMAN and row["measure"] == "GS16"]
    assert float(human[0]["gap"]) == 0.0
    assert float(human[0]["low"]) <= float(human[0]["mean"]) <= float(human[0]["high"])
    table = markdown_table(rows)
    assert table.count("\n") == len(rows[-1].measures) + 2
    assert "| GS16 |" in table


def test_each_measure_gets_a_picture(rows, tmp_path):
    pictures = write_figures(rows, tmp_path)
    assert tmp_path / "gs16.svg" in pictures
    text = (tmp_path / "gs16.svg").read_text(encoding="utf-8")
    assert text.count("<circle") == len(rows)


def test_names_are_escaped_in_pictures():
    value = Measured(1.0, 0.5, 1.5, 3)
    assert "a &lt; b" in interval_chart("m", [Row("a < b", {"m": value})])


def test_shuffling_keeps_bars_and_pitches():
    line = make_line([0, 3, 6, 16, 30], [60, 62, 64, 65, 67], np.ones(5))
    rng = np.random.default_rng(1)
    moved = with_shuffled_onsets(line, rng)
    assert (moved.onsets // 16).tolist() == [0, 0, 0, 1, 1]
    assert moved.pitches.tolist() == line.pitches.tolist()
    mixed = with_shuffled_pitches(line, rng)
    assert sorted(mixed.pitches) == sorted(line.pitches)
    assert mixed.onsets.tolist() == line.onsets.tolist()


def test_a_line_says_what_its_piece_says(corpus):
    piece = corpus.pieces[0]
    line = line_of(piece)
    assert line.onsets.tolist() == piece.role(0)[:, 0].tolist()
    assert lines_of(corpus.pieces)[0].pitches.tolist() == line.pitches.tolist()


def test_the_interval_of_a_mean_is_drawn_by_piece():
    value = mean_of(np.array([1.0, 2.0, 3.0, float("nan")]))
    assert value.mean == 2.0
    assert value.n == 3
    assert value.low < 2.0 < value.high
    assert mean_of(np.array([float("nan")])).n == 0


def test_known_runs_are_counted_in_notes():
    line = make_line(np.arange(0, 26, 2), 60 + np.arange(13), np.ones(13))
    runs = training_runs([line])
    assert len(runs[12]) == 1  # the same interval and gap everywhere
    assert not runs[16]
