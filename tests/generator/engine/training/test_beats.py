from itertools import pairwise

import numpy as np
import pytest

from generator.engine.errors import ScoreError
from generator.engine.tokens.vocabulary import METRES, Metre
from generator.engine.training.beats import Beats, find_beats, read_beats


def rubato(n_beats, seed=1):
    """Beat times whose tempo sways by a tenth."""
    return np.cumsum(0.6 + 0.06 * np.sin(np.arange(n_beats) / 5.0 + seed))


def written(path, times, every, signature="4/4"):
    rows = []
    for number, time in enumerate(times):
        mark = f"db,{signature},0" if number == 0 else "db" if number % every == 0 else "b"
        rows.append(f"{time}\t{time}\t{mark}")
    path.write_text("\n".join(rows))
    return path


def test_notes_are_laid_on_sixteenths_between_annotated_beats(tmp_path):
    times = rubato(40)
    beats = read_beats(written(tmp_path / "x_annotations.txt", times, 4))
    assert beats.metre == METRES[0]
    halfway = (times[3] + times[4]) / 2
    assert beats.steps_at(np.array([times[0], times[3], halfway, times[8]])).tolist() == [
        0,
        12,
        14,
        32,
    ]


def test_the_bar_begins_at_the_first_downbeat(tmp_path):
    times = rubato(21)
    lines = [f"{t} {n % 2} {int(n % 4 == 2)}.0" for n, t in enumerate(times)]
    (tmp_path / "beat_midi.txt").write_text("\n".join(lines))
    beats = read_beats(tmp_path / "beat_midi.txt")
    assert beats.first_downbeat == 2
    assert beats.steps_at(times[[0, 2]]).tolist() == [-8, 0]


def test_marks_of_key_are_no_metre(tmp_path):
    path = written(tmp_path / "x_annotations.txt", rubato(20), 4)
    lines = path.read_text().splitlines()
    lines[5] = lines[5] + ",,3"
    lines[8] = lines[8] + ",-2"
    path.write_text("\n".join(lines))
    assert read_beats(path).metre == METRES[0]


def test_compound_beats_hold_six_sixteenths(tmp_path):
    beats = read_beats(written(tmp_path / "x_annotations.txt", rubato(20), 2, "6/8"))
    assert beats.metre == Metre(12, 6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "beats as ASAP or POP909"),
        ("", "beats as ASAP or POP909"),
        ("1 0 1\n2 0 0", "eight rising beats"),
        ("\n".join(f"{9 - n} 0 1" for n in range(9)), "eight rising beats"),
    ],
)
def test_what_is_no_annotation_is_a_named_error(tmp_path, text, message):
    (tmp_path / "beat_midi.txt").write_text(text)
    with pytest.raises(ScoreError, match=message):
        read_beats(tmp_path / "beat_midi.txt")


def test_a_metre_that_changes_is_a_named_error(tmp_path):
    sizes = [4, 3] * 6
    marks = [str(float(n == 0)) for size in sizes for n in range(size)]
    lines = [f"{t} 0 {m}" for t, m in zip(rubato(len(marks)), marks, strict=True)]
    (tmp_path / "beat_midi.txt").write_text("\n".join(lines))
    with pytest.raises(ScoreError, match="one metre was expected"):
        read_beats(tmp_path / "beat_midi.txt")


def test_a_steady_performance_is_tracked():
    rng = np.random.default_rng(2)
    times = rubato(120)
    onsets = []
    for here, there in pairwise(times):
        quarters = here + (there - here) * np.array([0.0, 0.25, 0.5, 0.75])
        onsets += quarters[rng.random(4) < (0.95, 0.1, 0.5, 0.1)].tolist()
    onsets = np.sort(np.array(onsets) + 0.005 * rng.standard_normal(len(onsets)))
    beats, confidence = find_beats(np.maximum(onsets, 0.0))
    assert confidence > 0.5
    positions = beats.positions_at(times[10:100])
    # On each beat, or, an octave of tempo away, on each half or second one.
    assert np.abs(2 * positions - np.rint(2 * positions)).mean() < 0.1


def test_notes_anywhere_have_no_beat():
    onsets = np.sort(np.random.default_rng(3).uniform(0, 60, 300))
    beats, confidence = find_beats(onsets)
    assert beats is None
    assert confidence < 0.5
    assert find_beats(onsets[:10]) == (None, 0.0)


def test_tempo_goes_on_beyond_the_last_beat():
    beats = Beats(np.arange(10.0), 0, METRES[0])
    assert beats.steps_at(np.array([-1.0, 12.5])).tolist() == [-4, 50]
