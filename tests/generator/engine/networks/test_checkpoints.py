import json

import numpy as np
import pytest

from generator.engine.errors import CheckpointError
from generator.engine.networks.checkpoints import load_checkpoint, save_checkpoint
from generator.engine.networks.incremental import Network

ARRAYS = {"a": np.arange(6, dtype=np.float16).reshape(2, 3), "b": np.array([7], dtype=np.uint8)}


@pytest.fixture
def release(tmp_path):
    save_checkpoint(tmp_path / "night-01", ARRAYS, {"composer": "markov", "seed": 3})
    return tmp_path / "night-01"


def test_a_release_re_reads_equal(release):
    checkpoint = load_checkpoint(release)
    assert checkpoint.config["seed"] == 3
    for name, array in ARRAYS.items():
        assert checkpoint.arrays[name].dtype == array.dtype
        assert (checkpoint.arrays[name] == array).all()


def test_the_name_of_a_release_follows_its_content(release, tmp_path):
    again = save_checkpoint(tmp_path / "copy", ARRAYS, {"composer": "markov", "seed": 3})
    other = save_checkpoint(tmp_path / "other", ARRAYS, {"composer": "markov", "seed": 4})
    assert load_checkpoint(release).release == again != other
    assert again.startswith("markov-")


@pytest.mark.parametrize("name", ["arrays.safetensors", "config.json"])
def test_one_changed_byte_is_noticed(release, name):
    data = bytearray((release / name).read_bytes())
    data[len(data) // 2] ^= 1
    (release / name).write_bytes(data)
    with pytest.raises(CheckpointError, match=rf"{name} of release night-01"):
        load_checkpoint(release)


@pytest.mark.parametrize("name", ["arrays.safetensors", "config.json", "sha256"])
def test_a_missing_file_is_named(release, name):
    (release / name).unlink()
    with pytest.raises(CheckpointError, match=name):
        load_checkpoint(release)


def test_another_vocabulary_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "generator.engine.networks.checkpoints.vocabulary_hash", lambda: "0000000000000000"
    )
    save_checkpoint(tmp_path / "old", ARRAYS, {"composer": "markov"})
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match="trained with vocabulary 0000000000000000"):
        load_checkpoint(tmp_path / "old")


def test_a_sum_file_cannot_point_elsewhere(release):
    (release / "sha256").write_text("00  ../../secret\n")
    with pytest.raises(CheckpointError, match="secret"):
        load_checkpoint(release)


def test_tables_are_not_taken_for_a_network(release):
    with pytest.raises(CheckpointError, match="LSTM-ACM release was expected"):
        Network(load_checkpoint(release))


def test_the_configuration_is_plain_json(release):
    assert json.loads((release / "config.json").read_text())["vocabulary"]
