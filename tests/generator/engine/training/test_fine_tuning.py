import csv
from dataclasses import replace

import numpy as np
import pytest

from generator.engine.errors import ScoreError
from generator.engine.networks.checkpoints import load_checkpoint
from generator.engine.networks.shape import NetworkShape
from generator.engine.training.corpus import Corpus
from generator.engine.training.fine_tuning import (
    calm_part,
    fine_tune,
    fine_tuning_plan,
    transferred,
    write_transfer,
)
from generator.engine.training.lstm_acm import train_lstm_acm
from generator.engine.training.plan import TrainingPlan

SHAPE = NetworkShape(
    hidden=32,
    layers=2,
    bottleneck=8,
    head_size=8,
    memory=8,
    field_hidden=16,
    pointer_size=8,
    pointer_memory=24,
)
SMALL = {"lanes": 4, "length": 48, "originality_pieces": 0}
PLAN = fine_tuning_plan(max_steps=24, learning_rate=3e-3, evaluate_every=12, **SMALL)


@pytest.fixture(scope="module")
def before(corpus, tmp_path_factory):
    directory = tmp_path_factory.mktemp("before")
    plan = TrainingPlan(max_steps=20, evaluate_every=20, learning_rate=6e-3, **SMALL)
    train_lstm_acm(corpus, directory, plan, SHAPE)
    return load_checkpoint(directory / "release")


def test_a_release_goes_on_and_its_gain_is_told_by_piece(corpus, before, tmp_path):
    fine_tune(before, corpus, tmp_path, PLAN)
    after = load_checkpoint(tmp_path / "release")
    assert after.config["started_from"] == before.release
    assert after.config["calm_percentiles"] == before.config["calm_percentiles"]
    row = transferred("tunes", before, after, corpus)
    assert row.saved[0] == pytest.approx(row.before[0] - row.after[0])
    assert row.saved[0] > 0
    for _ in range(2):
        write_transfer(row, tmp_path / "transfer.csv")
    with (tmp_path / "transfer.csv").open(newline="", encoding="utf-8") as lines:
        assert len(list(csv.reader(lines))) == 3


def test_a_run_that_has_not_learnt_yet_is_the_release_itself(corpus, before, tmp_path):
    fine_tune(before, corpus, tmp_path, replace(PLAN, learning_rate=0.0, max_steps=1))
    after = load_checkpoint(tmp_path / "release")
    for name, array in before.arrays.items():
        assert np.array_equal(after.arrays[name], array)


def test_the_calm_part_holds_calm_pieces_alone(corpus):
    calm = calm_part(corpus)
    assert 0 < len(calm.pieces) < len(corpus.pieces)
    assert all(piece.calm for piece in calm.pieces)


def test_a_collection_without_calm_pieces_is_a_named_error(corpus):
    restless = Corpus([piece for piece in corpus.pieces if not piece.calm])
    with pytest.raises(ScoreError, match="leave out --calm"):
        calm_part(restless)


def test_a_collection_without_test_pieces_is_a_named_error(corpus, before):
    only_train = Corpus(corpus.split("train"))
    with pytest.raises(ScoreError, match="test split"):
        transferred("tunes", before, before, only_train)
