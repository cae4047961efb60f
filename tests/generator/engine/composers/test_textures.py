import numpy as np
import pytest

from generator.engine.brief import Style
from generator.engine.composers.accompaniment import Accompanist
from generator.engine.composers.foundation import load_foundation
from generator.engine.composers.harmony import chord_of
from generator.engine.composers.textures import Texture, TextureTable
from generator.engine.errors import CheckpointError
from generator.engine.score.notes import Role

CHORDS = Texture(((0, 0), (0, 1), (0, 2), (4, 0), (4, 1), (4, 2)), 4, leaves_root=True)
BROKEN = Texture(((0, 0), (2, 1), (4, 2), (6, 1)))


@pytest.fixture(scope="module")
def shipped():
    return load_foundation().textures


def drawn(table, styles, n_notes=6.0, n=200):
    rng = np.random.default_rng(5)
    return [table.draw(styles, n_notes, rng) for _ in range(n)]


def together(textures):
    """Return how many voices are struck at once, on average."""
    strikes = sum(len(texture.strikes) for texture in textures)
    return strikes / sum(len({place for place, _ in t.strikes}) for t in textures)


@pytest.mark.parametrize("texture", [CHORDS, BROKEN, Texture(((7, 2),), 7)])
def test_a_texture_is_read_back_from_its_bytes(texture):
    assert Texture.decoded(np.array(texture.encoded(), dtype=np.uint8)) == texture


def test_textures_are_about_as_full_as_asked(shipped):
    thin, full = (
        np.mean([t.n_notes for t in drawn(shipped, {Style.CLASSICAL: 1.0}, n)]) for n in (4.0, 9.0)
    )
    assert abs(thin - 4.0) < 1.0
    assert abs(full - 9.0) < 1.0


def test_jazz_holds_chords_that_a_guitar_breaks(shipped):
    jazz, guitar = (together(drawn(shipped, {s: 1.0})) for s in (Style.JAZZ, Style.GUITAR))
    assert jazz > 2.2
    assert guitar < 1.8


def test_a_blend_moves_as_one_style_or_the_other_by_weight(shipped):
    ends = [together(drawn(shipped, {s: 1.0})) for s in (Style.GUITAR, Style.JAZZ)]
    blend = together(drawn(shipped, {Style.GUITAR: 0.5, Style.JAZZ: 0.5}))
    assert ends[0] + 0.1 < blend < ends[1] - 0.1


def test_a_style_without_weight_is_never_drawn():
    rows = np.array([CHORDS.encoded(), BROKEN.encoded()], dtype=np.uint8)
    counts = np.zeros((len(Style), 2), dtype=np.float32)
    counts[list(Style).index(Style.JAZZ), 0] = counts[list(Style).index(Style.GUITAR), 1] = 5
    table = TextureTable(rows, counts)
    assert set(drawn(table, {Style.GUITAR: 1.0, Style.JAZZ: 0.0}, n=50)) == {BROKEN}


def test_textures_of_one_size_are_drawn_as_often_as_people_play_them():
    rare = Texture(((0, 0), (2, 2), (4, 1), (6, 2)))
    counts = np.zeros((len(Style), 2), dtype=np.float32)
    counts[list(Style).index(Style.JAZZ)] = (9.0, 1.0)
    table = TextureTable(np.array([BROKEN.encoded(), rare.encoded()], dtype=np.uint8), counts)
    found = drawn(table, {Style.JAZZ: 1.0}, n=1000)
    assert np.mean([texture == BROKEN for texture in found]) == pytest.approx(0.9, abs=0.03)


def test_a_release_without_textures_is_refused_by_name():
    with pytest.raises(CheckpointError, match=r"textures\.rows"):
        TextureTable.of_arrays({})


def bars_of(texture, n_notes, n=60):
    accompanist = Accompanist(0, np.random.default_rng(3))
    return [accompanist.bar(16 * bar, chord_of(0, "major"), texture, n_notes) for bar in range(n)]


def test_chords_stay_whole_when_the_bar_must_thin_out():
    for bar in bars_of(CHORDS, 6.0):
        onsets = [note.onset for note in bar if note.role is Role.INNER]
        assert {onsets.count(onset) for onset in onsets} == {3}


def test_bars_of_one_texture_are_not_all_alike():
    bars = [tuple((n.onset % 16, n.pitch) for n in bar) for bar in bars_of(BROKEN, 8.0)]
    assert len(set(bars)) > 3


def test_the_bass_opens_every_bar_and_comes_again_where_the_texture_says():
    for bar in bars_of(CHORDS, 9.0):
        bass = [note for note in bar if note.role is Role.BASS]
        assert [note.onset % 16 for note in bass] == [0, 8]
        assert bass[0].pitch % 12 != bass[1].pitch % 12
