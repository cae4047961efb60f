import csv
from dataclasses import replace

import numpy as np
import pytest
import torch

from generator.engine.errors import CheckpointError, ScoreError, TrainingError
from generator.engine.networks.checkpoints import load_checkpoint
from generator.engine.networks.shape import NetworkShape
from generator.engine.training.corpus import Corpus
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
PLAN = TrainingPlan(
    minutes=1e9,
    max_steps=60,
    seed=3,
    lanes=4,
    length=48,
    learning_rate=6e-3,
    evaluate_every=15,
    originality_pieces=1,
    originality_events=64,
)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def run(corpus, tmp_path_factory):
    directory = tmp_path_factory.mktemp("run")
    train_lstm_acm(corpus, directory, PLAN, SHAPE)
    return directory


def weights(directory):
    return load_checkpoint(directory / "release").arrays


def test_the_held_out_loss_falls(run):
    with (run / "curves.csv").open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert [int(row["step"]) for row in rows] == [15, 30, 45, 60]
    assert float(rows[-1]["valid"]) < 0.75 * float(rows[0]["valid"])
    assert float(rows[-1]["train"]) < float(rows[0]["train"])


def test_no_scale_of_attention_takes_everything(run):
    with (run / "curves.csv").open(newline="", encoding="utf-8") as lines:
        last = list(csv.DictReader(lines))[-1]
    shares = [float(last[name]) for name in ("note", "beat", "bar")]
    assert sum(shares) == pytest.approx(1.0, abs=1e-3)
    assert min(shares) > 0.05


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(corpus, run, tmp_path):
    for stop_at in (15, 30):
        count = iter(range(1_000_000))

        def stop(count=count, stop_at=stop_at):
            return next(count) >= stop_at

        train_lstm_acm(corpus, tmp_path, PLAN, SHAPE, stop=stop)
    progress = train_lstm_acm(corpus, tmp_path, PLAN, SHAPE)
    assert progress.step == PLAN.max_steps
    resumed = weights(tmp_path)
    assert all(np.array_equal(array, resumed[name]) for name, array in weights(run).items())


def test_the_release_says_what_it_was_trained_on(run, corpus):
    config = load_checkpoint(run / "release").config
    assert config["composer"] == "lstm_acm"
    assert config["train_pieces"] == len(corpus.split("train"))
    assert sum(config["train_styles"].values()) == config["train_pieces"]
    assert config["plan"]["seed"] == 3


def test_training_stops_when_the_held_out_loss_no_longer_falls(corpus, tmp_path):
    plan = TrainingPlan(
        minutes=1e9,
        max_steps=400,
        lanes=2,
        length=16,
        learning_rate=0.0,
        evaluate_every=2,
        patience=3,
        originality_pieces=0,
    )
    progress = train_lstm_acm(corpus, tmp_path, plan, SHAPE, n_valid=2)
    assert progress.step <= 10


def test_a_corpus_without_held_out_pieces_is_a_named_error(corpus, tmp_path):
    only_train = Corpus(corpus.split("train"))
    with pytest.raises(ScoreError, match="train and valid splits"):
        train_lstm_acm(only_train, tmp_path, PLAN, SHAPE)


def test_a_state_that_was_cut_off_is_a_named_error(run, corpus, tmp_path):
    (tmp_path / "state.safetensors").write_bytes((run / "state.safetensors").read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="Delete the file to begin again"):
        train_lstm_acm(corpus, tmp_path, PLAN, SHAPE)


def test_a_device_without_memory_is_a_named_error_and_the_run_goes_on(
    corpus, tmp_path, monkeypatch
):
    def full(*_args, **_options):
        raise torch.OutOfMemoryError("CUDA out of memory")

    train_lstm_acm(corpus, tmp_path, replace(PLAN, max_steps=15, originality_pieces=0), SHAPE)
    with monkeypatch.context() as device:
        device.setattr(torch.nn.utils, "clip_grad_norm_", full)
        with pytest.raises(TrainingError, match="Train with fewer lanes"):
            train_lstm_acm(corpus, tmp_path, replace(PLAN, originality_pieces=0), SHAPE)
    plan = replace(PLAN, max_steps=16, originality_pieces=0)
    assert train_lstm_acm(corpus, tmp_path, plan, SHAPE).step == 16


def test_the_release_says_how_original_it_is(run):
    config = load_checkpoint(run / "release").config
    assert config["copied_share"] <= config["copied_share_limit"]
    with (run / "curves.csv").open(newline="", encoding="utf-8") as lines:
        assert all(0.0 <= float(row["copied"]) <= 1.0 for row in csv.DictReader(lines))


def test_thinned_weights_still_learn(corpus, tmp_path):
    plan = replace(PLAN, weight_drop=0.3, field_drop=0.1, max_steps=30, originality_pieces=0)
    train_lstm_acm(corpus, tmp_path, plan, SHAPE)
    with (tmp_path / "curves.csv").open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert float(rows[-1]["valid"]) < float(rows[0]["valid"])
