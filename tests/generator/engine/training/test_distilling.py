import csv
from dataclasses import replace

import numpy as np
import pytest

from generator.engine.networks.checkpoints import load_checkpoint
from generator.engine.networks.shape import NetworkShape
from generator.engine.training.distilling import student_shape
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
    max_steps=8,
    lanes=4,
    length=48,
    learning_rate=6e-3,
    dropout=0.0,
    weight_drop=0.0,
    evaluate_every=8,
    originality_pieces=0,
)


@pytest.fixture(scope="module")
def teacher(corpus, tmp_path_factory):
    directory = tmp_path_factory.mktemp("teacher")
    train_lstm_acm(corpus, directory, PLAN, SHAPE)
    return load_checkpoint(directory / "release")


def train_loss(directory):
    with (directory / "curves.csv").open(newline="", encoding="utf-8") as lines:
        return float(list(csv.DictReader(lines))[-1]["train"])


def test_a_student_is_smaller_and_says_who_taught_it(corpus, teacher, tmp_path):
    train_lstm_acm(corpus, tmp_path, PLAN, student_shape(teacher, 16, 1), teacher=teacher)
    student = load_checkpoint(tmp_path / "release")
    assert student.config["taught_by"] == teacher.release
    assert student.config["calm_percentiles"] == teacher.config["calm_percentiles"]
    assert (student.config["shape"]["hidden"], student.config["shape"]["layers"]) == (16, 1)
    assert student.config["shape"]["pointer_memory"] == SHAPE.pointer_memory


def test_one_who_says_what_the_teacher_says_pays_for_the_notes_alone(corpus, teacher, tmp_path):
    still = replace(PLAN, learning_rate=0.0, max_steps=1)
    for name, options in {"taught": {"teacher": teacher}, "alone": {}}.items():
        train_lstm_acm(corpus, tmp_path / name, still, start=teacher, **options)
    taught, alone = (train_loss(tmp_path / name) for name in ("taught", "alone"))
    assert taught == pytest.approx(0.5 * alone, rel=1e-4)


def test_a_lesson_that_was_broken_off_goes_on_as_if_it_had_not_been(corpus, teacher, tmp_path):
    shape, count = student_shape(teacher, 16, 1), iter(range(100))
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    train_lstm_acm(corpus, whole, PLAN, shape, teacher=teacher)
    train_lstm_acm(corpus, broken, PLAN, shape, teacher=teacher, stop=lambda: next(count) >= 5)
    train_lstm_acm(corpus, broken, PLAN, shape, teacher=teacher)
    ours, theirs = (load_checkpoint(run / "release").arrays for run in (whole, broken))
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)
