import numpy as np

from generator.engine.brief import Style
from generator.engine.tokens.copying import copy_predictions
from generator.engine.tokens.vocabulary import METRES
from generator.engine.training.corpus import Corpus, Piece
from generator.engine.training.melodies import melodies_of, melody_alone

MELODY, BASS = 0, 2


def piece(rows):
    events = np.array(rows, dtype=np.uint8)
    return Piece(
        "a", Style.SONG, "train", METRES[0], "major", 90.0, events, *copy_predictions(events)
    )


def test_shifts_count_from_melody_note_to_melody_note():
    rows = [(4, BASS, 20, 3, 3), (0, MELODY, 50, 1, 3), (2, BASS, 22, 1, 3), (3, MELODY, 52, 1, 3)]
    assert melody_alone(piece(rows)).events.tolist() == [[4, 0, 50, 1, 3], [5, 0, 52, 1, 3]]


def test_of_two_melody_notes_at_once_the_higher_stays():
    rows = [(0, MELODY, 50, 1, 3), (0, MELODY, 57, 1, 3), (4, MELODY, 52, 1, 3)]
    assert melody_alone(piece(rows)).events[:, 2].tolist() == [57, 52]


def test_a_long_rest_is_closed_by_whole_bars():
    rows = [(0, MELODY, 50, 1, 3), *[(20, BASS, 20, 1, 3)] * 3, (3, MELODY, 52, 1, 3)]
    alone = melody_alone(piece(rows))
    assert alone.events[1, 0] == 63 - 2 * 16
    assert alone.onsets[1] % 16 == 63 % 16


def test_a_melody_that_begins_late_keeps_its_place_in_the_bar():
    rows = [*[(16, BASS, 20, 1, 3)] * 5, (6, MELODY, 52, 1, 3)]
    assert melody_alone(piece(rows)).onsets.tolist() == [6]


def test_pieces_with_hardly_a_melody_are_left_out():
    short = piece([(4, MELODY, 50, 1, 3)] * 31)
    long = piece([(4, MELODY, 50, 1, 3)] * 32)
    none = piece([(4, BASS, 20, 1, 3)] * 40)
    assert [len(p.events) for p in melodies_of(Corpus([short, long, none])).pieces] == [32]
