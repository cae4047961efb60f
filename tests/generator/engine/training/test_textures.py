import numpy as np

from generator.engine.brief import Style
from generator.engine.composers.textures import Texture
from generator.engine.tokens.vocabulary import METRES, PITCH_LOWEST
from generator.engine.training.corpus import Piece
from generator.engine.training.textures import texture_table, textures_of

MELODY, INNER, BASS = 0, 1, 2
FOUR_FOUR = next(metre for metre in METRES if metre.steps == 16)
WALTZ = next(metre for metre in METRES if metre.steps == 12)


def a_piece(notes, style=Style.SONG, metre=FOUR_FOUR):
    """Notes are (onset, role, pitch)."""
    onsets, roles, pitches = np.array(sorted(notes)).T
    events = np.zeros((len(onsets), 5), dtype=np.uint8)
    events[:, 0] = np.diff(onsets, prepend=0)
    events[:, 1], events[:, 2] = roles, pitches - PITCH_LOWEST
    blank = np.zeros(len(onsets))
    return Piece("a", style, "train", metre, "major", 90.0, events, blank, blank)


def a_bar_of_chords(start=0):
    inner = [(start + at, INNER, pitch) for at in (0, 8) for pitch in (60, 64, 67)]
    return [*inner, (start, BASS, 36), (start + 8, BASS, 43), (start, MELODY, 72)]


def test_a_bar_of_struck_chords_over_a_moving_bass():
    (texture,) = textures_of(a_piece(a_bar_of_chords()))
    assert texture == Texture(
        ((0, 0), (0, 1), (0, 2), (4, 0), (4, 1), (4, 2)), second_bass=4, leaves_root=True
    )


def test_a_broken_chord_keeps_the_order_of_its_voices():
    notes = [(4 * at, INNER, pitch) for at, pitch in enumerate((60, 67, 64, 67))]
    (texture,) = textures_of(a_piece([*notes, (0, BASS, 36)]))
    assert texture.strikes == ((0, 0), (2, 2), (4, 1), (6, 2))
    assert texture.second_bass == 0


def test_bars_of_three_bars_without_movement_and_bars_too_full_say_nothing():
    held = [(0, INNER, 60), (0, BASS, 36), (0, MELODY, 72)]
    full = [(at, INNER, 50 + at) for at in range(16)]
    assert not list(textures_of(a_piece(held)))
    assert not list(textures_of(a_piece([*full, *((2 * at, INNER, 70) for at in range(8))])))
    assert not list(textures_of(a_piece(a_bar_of_chords(), metre=WALTZ)))


def count_of(table, texture):
    (where,) = np.flatnonzero((table.rows == texture.encoded()).all(axis=1))
    return dict(zip(Style, table.counts[:, where].tolist(), strict=True))


def test_the_table_counts_by_style_whatever_the_order_of_pieces():
    song = a_piece([*a_bar_of_chords(), *a_bar_of_chords(16)])
    jazz = a_piece(a_bar_of_chords(), Style.JAZZ)
    table, again = texture_table([song, jazz]), texture_table([jazz, song])
    (chords,) = textures_of(jazz)
    none = dict.fromkeys(Style, 0.0)
    assert count_of(table, chords) == {**none, Style.SONG: 2.0, Style.JAZZ: 1.0}
    assert np.array_equal(table.counts, again.counts)


def test_a_style_of_which_nothing_is_known_still_moves():
    table = texture_table([])
    drawn = table.draw({Style.FOLK: 1.0}, 6.0, np.random.default_rng(1))
    assert 4 <= drawn.n_notes <= 7
