import numpy as np
import pytest

from generator.engine.brief import Mode, Style
from generator.engine.composers.foundation import load_foundation
from generator.engine.composers.harmony import (
    DOMINANT,
    TONIC,
    chord_of,
    degree_weights,
    endings,
    key_over,
    nearest_voicing,
    raised,
)
from generator.engine.score.scales import triad

GOAL = (DOMINANT, TONIC)


@pytest.fixture(scope="module")
def chain():
    return load_foundation().harmony.chain({Style.FOLK: 0.5, Style.JAZZ: 0.5}, Mode.MAJOR)


def test_the_chain_is_a_distribution_after_any_two_chords(chain):
    assert chain.shape == (7, 7, 7)
    assert np.allclose(chain.sum(axis=2), 1.0)
    assert (chain >= 0).all()


def test_diminished_triads_are_left_out(chain):
    assert chain[:, :, 6].max() == 0.0
    minor = load_foundation().harmony.chain({Style.SONG: 1.0}, Mode.MINOR)
    assert minor[:, :, 1].max() == 0.0


def test_styles_have_chains_of_their_own():
    harmony = load_foundation().harmony
    chains = [harmony.chain({style: 1.0}, Mode.MAJOR) for style in Style]
    assert all(not np.allclose(chains[0], other) for other in chains[1:])


@pytest.mark.parametrize("seed", range(5))
def test_every_drawn_phrase_ends_in_its_cadence(chain, seed):
    rng = np.random.default_rng(seed)
    outlook = endings(chain, 6, GOAL)
    degrees = [TONIC, TONIC]
    for bar in range(6):
        weights = degree_weights(chain, outlook, bar, (degrees[-2], degrees[-1]), GOAL)
        degrees.append(int(rng.choice(7, p=weights)))
    assert tuple(degrees[-2:]) == GOAL


def test_a_phrase_of_one_bar_is_its_last_chord(chain):
    outlook = endings(chain, 1, GOAL)
    assert degree_weights(chain, outlook, 0, (TONIC, TONIC), GOAL)[TONIC] == 1.0


def test_the_dominant_of_minor_is_major_and_no_other_chord_leads():
    assert chord_of(DOMINANT, "minor").pitch_classes == (7, 11, 2)
    assert chord_of(DOMINANT, "minor", seventh=True).pitch_classes == (7, 11, 2, 5)
    assert [degree for degree in range(7) if chord_of(degree, "minor").leads] == [DOMINANT]
    assert chord_of(DOMINANT, "major").pitch_classes == triad(DOMINANT, "major")


def test_minor_raises_its_seventh_over_the_dominant_and_nowhere_else():
    def classes(degree, mode):
        return np.flatnonzero(key_over(chord_of(degree, mode), mode)).tolist()

    assert classes(DOMINANT, "minor") == [0, 2, 3, 5, 7, 8, 11]
    assert classes(TONIC, "minor") == [0, 2, 3, 5, 7, 8, 10]
    assert classes(DOMINANT, "major") == classes(TONIC, "major") == [0, 2, 4, 5, 7, 9, 11]
    assert raised(np.array([58, 59, 60, 70])).tolist() == [59, 59, 60, 71]


def test_voices_move_to_the_nearest_voicing():
    tonic = nearest_voicing(chord_of(0, "major"), (), 50, 66, 3)
    dominant = nearest_voicing(chord_of(4, "major"), tonic, 50, 66, 3)
    assert all(50 <= pitch <= 66 for pitch in (*tonic, *dominant))
    assert {p % 12 for p in dominant} == {7, 11, 2}
    assert sum(abs(a - b) for a, b in zip(tonic, dominant, strict=True)) <= 7
