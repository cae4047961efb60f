"""A small corpus with a manifest, for commands that read music."""

import csv

import pytest

from generator.engine.score.midi import write_midi
from tests.generator.engine.training.conftest import tune

SPLITS = ("train",) * 8 + ("valid", "test")


@pytest.fixture(scope="session")
def midi_corpus(tmp_path_factory):
    """Thirty tunes of class A, split 24, 3, 3."""
    directory = tmp_path_factory.mktemp("listed")
    with (directory / "manifest.csv").open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        writer.writerow(["file", "ship_class", "style", "split", "tempo", "tempo_source", "calm"])
        for seed in range(30):
            write_midi(tune(seed, seed % 7), directory / f"{seed}.mid")
            writer.writerow([f"{seed}.mid", "A", "folk", SPLITS[seed % 10], "90.0", "score", "1"])
    return directory
