"""A generated corpus: forty little tunes with bass, in two metres, as MIDI files."""

import csv

import numpy as np
import pytest

from generator.engine.score.midi import write_midi
from generator.engine.score.notes import Note, Part, Role, Score, TempoMark
from generator.engine.training.importing import read_corpus

SCALE = np.array([60, 62, 64, 65, 67, 69, 71, 72, 74, 76, 77, 79])
N_TUNES = 40


def tune(seed, tonic=0, steps_per_bar=16, n_bars=24):
    """A walk up and down the scale in quarters and halves over a bass of whole bars."""
    rng = np.random.default_rng(seed)
    melody, bass, degree, onset = [], [], 5, 0
    while onset < n_bars * steps_per_bar:
        duration = int(rng.choice((2, 4, 4, 8)))
        melody.append(Note(onset, duration, int(SCALE[degree]) + tonic, 64))
        degree = int(np.clip(degree + rng.choice((-2, -1, -1, 1, 1, 2)), 0, len(SCALE) - 1))
        onset += duration
    for bar in range(n_bars):
        root = int(rng.choice((36, 41, 43, 45)))
        bass.append(Note(bar * steps_per_bar, steps_per_bar, root + tonic, 48))
    parts = (Part(Role.MELODY, 68, tuple(melody)), Part(Role.BASS, 0, tuple(bass)))
    return Score(parts, (TempoMark(0, 90.0),), steps_per_bar, tonic)


@pytest.fixture(scope="session")
def midi_directory(tmp_path_factory):
    directory = tmp_path_factory.mktemp("corpus")
    for seed in range(N_TUNES):
        steps_per_bar = 12 if seed % 8 == 0 else 16
        write_midi(tune(seed, seed % 7, steps_per_bar), directory / f"tune-{seed:02}.mid")
    return directory


@pytest.fixture(scope="session")
def manifest_directory(tmp_path_factory, midi_directory):
    directory = tmp_path_factory.mktemp("manifested")
    styles = ("art_song", "classical_piano", "classical_guitar", "folk", "jazz", "drums")
    with (directory / "manifest.csv").open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        writer.writerow(["file", "ship_class", "style", "split", "tempo", "tempo_source", "calm"])
        for index, path in enumerate(sorted(midi_directory.glob("*.mid"))):
            (directory / path.name).write_bytes(path.read_bytes())
            split = "test" if index % 10 == 8 else "valid" if index % 10 == 9 else "train"
            ship_class = "C" if index == 3 else "A"
            row = [path.name, ship_class, styles[index % 6], split, "90.0", "score", index % 2]
            writer.writerow(row)
    return directory


@pytest.fixture(scope="session")
def corpus(manifest_directory):
    return read_corpus(manifest_directory)
