import csv

import numpy as np
import pytest

from generator.engine.composers.stream import StreamSettings
from generator.engine.metrics.calm import CalmScale
from generator.engine.metrics.grade import TURNED_DOWN_BELOW, human_scale
from generator.engine.networks import onnx_graph
from generator.engine.networks.checkpoints import load_checkpoint
from generator.engine.networks.incremental import Network
from generator.engine.networks.shape import NetworkShape
from generator.engine.score.notes import Role
from generator.engine.score.scales import scale_mask
from generator.engine.tokens.vocabulary import PITCH_LOWEST, ROLES, SIZES
from generator.engine.training.batches import prepare
from generator.engine.training.lightening import (
    is_large,
    lightened_rows,
    packed_bytes,
    pruned,
    write_lightened,
)
from generator.engine.training.lines import lines_of
from generator.engine.training.lstm_acm import scale_of
from generator.engine.training.melodies import melodies_of
from generator.engine.training.method import (
    Drawing,
    asked_conditions,
    calmness_agreement,
    drawn,
    foretelling,
    free_lines,
    in_words,
    key_masks,
    melody_of_stream,
    method_plan,
    train_method,
    write_targets,
)

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


@pytest.fixture(scope="module")
def melodies(corpus):
    return melodies_of(corpus)


@pytest.fixture(scope="module")
def checkpoint(melodies, tmp_path_factory):
    directory = tmp_path_factory.mktemp("run")
    plan = method_plan(max_steps=40, lanes=4, length=48, evaluate_every=40, originality_pieces=0)
    train_method(melodies, directory, plan, SHAPE)
    return load_checkpoint(directory / "release")


@pytest.fixture(scope="module")
def valid(melodies):
    scale = scale_of(melodies.split("train"), 48)
    return [prepare(piece, scale, 48) for piece in melodies.split("valid")], scale


def test_what_is_foretold_stands_beside_its_target(checkpoint, melodies, tmp_path):
    targets = {target.name: target for target in foretelling(checkpoint, melodies)}
    top = targets["next pitch, top-1"]
    assert 0.0 <= top.reached.low <= top.reached.mean <= top.reached.high <= 1.0
    assert top.met is (top.reached.mean >= 0.76)
    pitch = targets["pitch, nats a note"].reached.mean
    assert 0.0 < pitch < targets["all fields, nats a note"].reached.mean
    write_targets(list(targets.values()), tmp_path / "targets.csv")
    with (tmp_path / "targets.csv").open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert rows[0]["wanted"] == ">= 0.76"
    assert rows[0]["met"] in ("yes", "no")
    assert "wanted >= 0.76" in in_words(top)


def test_conditions_are_those_of_the_stretches_of_pieces_in_order_with_modes_in_turn(valid):
    asked = asked_conditions(valid[0], 6, 256)
    known = [piece.conditions[[0, min(1, len(piece.conditions) - 1)], 7:] for piece in valid[0]]
    assert asked.shape[:2] == (6, 2)
    assert all(any(np.array_equal(rows[:, 7:], piece) for piece in known) for rows in asked)
    assert asked[:, :, 5].tolist() == [[1.0, 1.0], [0.0, 0.0]] * 3
    assert asked[:, :, 6].tolist() == [[0.0, 0.0], [1.0, 1.0]] * 3


def test_a_key_mask_allows_the_asked_mode_alone(valid):
    rows = key_masks(asked_conditions(valid[0], 2, 20)[:, 0])
    at = SIZES[0] + SIZES[1]
    for row, mode in zip(rows, ("major", "minor"), strict=True):
        classes = (np.flatnonzero(row[at : at + SIZES[2]]) + PITCH_LOWEST) % 12
        assert set(classes) == set(np.flatnonzero(scale_mask(0, mode)))
        assert row[:at].all()


def test_calmness_is_compared_by_rank(checkpoint, valid):
    pieces, scale = valid
    found = calmness_agreement(Network(checkpoint), pieces, scale, Drawing(12, 128))
    assert -1.0 <= found.mean <= 1.0
    assert found.n == 12


def test_streams_of_one_seed_are_alike(checkpoint, valid):
    conditions = asked_conditions(valid[0], 2, 20)
    first, again = (drawn(Network(checkpoint), conditions, 20, StreamSettings()) for _ in range(2))
    assert first.shape == (2, 20, 5)
    assert (first == again).all()


def test_the_melody_of_a_stream_is_its_own_part_at_its_own_places():
    melody, bass = ROLES.index(Role.MELODY), ROLES.index(Role.BASS)
    # Shift, role, pitch (A0 is 0), duration, velocity.
    rows = [
        (2, melody, 39, 1, 3),
        (0, melody, 43, 1, 3),
        (3, bass, 15, 3, 3),
        (1, melody, 41, 7, 3),
    ]
    line = melody_of_stream(np.array(rows, dtype=np.uint8), "minor")
    assert line.onsets.tolist() == [2, 6]
    assert line.pitches.tolist() == [43 + PITCH_LOWEST, 41 + PITCH_LOWEST]
    assert line.durations.tolist() == [2, 8]
    assert (line.mode, line.tonic) == ("minor", 0)


def test_a_stream_without_a_melody_to_measure_is_left_out(checkpoint, melodies):
    network, gate = Network(checkpoint), human_scale(lines_of(melodies.split("valid")))
    scale = CalmScale(np.array(checkpoint.config["calm_percentiles"]))
    asked = asked_conditions([prepare(p, scale, 128) for p in melodies.split("valid")], 3, 8)
    assert free_lines(network, asked, Drawing(3, 8, draws=2), 0.0, gate) == []


def test_the_gate_draws_again_and_never_takes_a_less_typical_stream(checkpoint, melodies):
    network, gate = Network(checkpoint), human_scale(lines_of(melodies.split("valid")))
    scale = CalmScale(np.array(checkpoint.config["calm_percentiles"]))
    asked = asked_conditions([prepare(p, scale, 128) for p in melodies.split("valid")], 4, 96)

    def typicality(draws):
        lines = free_lines(network, asked, Drawing(4, 96, draws=draws), 0.0, gate)
        return np.array([min(gate.typicality(line).values()) for line in lines])

    once, thrice = typicality(1), typicality(3)
    assert len(once) == len(thrice) == 4
    assert (thrice >= once).all()
    assert (thrice == once)[once >= TURNED_DOWN_BELOW].all()


def test_pruning_zeroes_a_share_of_the_large_matrices_only():
    rng = np.random.default_rng(0)
    arrays = {"large": rng.normal(size=(128, 128)), "small": rng.normal(size=(8, 8))}
    found = pruned(arrays, 0.5)
    assert (found["large"] == 0).mean() == pytest.approx(0.5, abs=0.01)
    assert (found["small"] == arrays["small"]).all()
    assert is_large(arrays["large"])
    assert packed_bytes(found, int8=True) < packed_bytes(arrays, int8=True)
    assert packed_bytes(arrays, int8=True) < packed_bytes(arrays, int8=False) / 2


@pytest.mark.skipif(
    onnx_graph.onnxruntime is None, reason="the extra 'fast' (onnx, onnxruntime) is not installed"
)
def test_lighter_forms_are_held_against_float32(checkpoint, valid, tmp_path):
    rows = list(lightened_rows(checkpoint, valid[0][:2]))
    assert rows[0].name == "float32"
    assert rows[0].cost == 0.0
    assert abs(rows[1].cost) < 0.05
    assert all(row.nll == pytest.approx(rows[0].nll + row.cost) for row in rows)
    write_lightened(rows, tmp_path / "lightened.csv")
    assert (tmp_path / "lightened.csv").read_text(encoding="utf-8").count("\n") == len(rows) + 1
