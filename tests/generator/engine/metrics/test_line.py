from generator.engine.metrics.line import make_line, melody_of
from generator.engine.score.notes import Note, Part, Role, Score, TempoMark


def test_the_highest_of_notes_that_begin_together_is_the_melody():
    line = make_line([4, 0, 4], [60, 62, 67], [1, 4, 2])
    assert line.onsets.tolist() == [0, 4]
    assert line.pitches.tolist() == [62, 67]
    assert line.durations.tolist() == [4, 2]


def test_a_line_counts_bars_from_its_first():
    line = make_line([34, 40, 50], [60, 62, 64], [2, 2, 2])
    assert line.n_bars == 2
    assert line.bars(0, 1).onsets.tolist() == [2, 8]
    assert line.bars(1, 1).pitches.tolist() == [64]
    assert make_line([], [], []).n_bars == 0


def test_the_melody_of_a_broad_score_is_measured_as_written():
    melody = Part(Role.MELODY, 0, (Note(0, 4, 60, 50), Note(8, 1, 62, 50)))
    bass = Part(Role.BASS, 0, (Note(0, 32, 40, 50),))
    score = Score((melody, bass), (TempoMark(0, 60.0),), 16, 2, "minor")
    line = melody_of(score, breadth=2)
    assert line.onsets.tolist() == [0, 4]
    assert line.durations.tolist() == [2, 1]
    assert (line.tonic, line.mode) == (2, "minor")
