import numpy as np
import pytest

from generator.engine.brief import Brief, ComposerName, Mode, Style
from generator.engine.composers.accompaniment import Accompanist
from generator.engine.composers.form import plan_form
from generator.engine.composers.foundation import load_foundation
from generator.engine.composers.genetic import _MUTATIONS, PLAIN, CorpusAim, Search
from generator.engine.composers.guards import MelodyGuard
from generator.engine.composers.harmony import DOMINANT, TONIC, chord_of
from generator.engine.composers.releases import WEIGHTS
from generator.engine.composers.sampling import draw
from generator.engine.composers.weaving import Stage
from generator.engine.metrics.phrases import SLOTS_PER_BAR
from generator.engine.networks.checkpoints import load_checkpoint


@pytest.fixture
def search_in_minor():
    """Return the search for a phrase in minor whose first bar is on the dominant."""
    brief = Brief(ComposerName.GENETIC, 2.0, {Style.FOLK: 1.0}, 1, mode=Mode.MINOR)
    rng, foundation = np.random.default_rng(1), load_foundation()
    phrase = plan_form(brief, rng).phrases[0]
    stage = Stage(
        brief,
        phrase,
        MelodyGuard("minor", 60, 79, foundation.originals),
        rng,
        foundation.harmony.chain(brief.styles, brief.mode),
        Accompanist(0, rng),
        foundation.textures.draw(brief.styles, 4.0, rng),
        sevenths=0.0,
        before=(TONIC, TONIC),
        breath=0,
    )
    chords = [chord_of(TONIC if bar else DOMINANT, "minor") for bar in range(phrase.n_bars)]
    arrays = load_checkpoint(WEIGHTS / "genetic").arrays
    return Search(stage, chords, CorpusAim(arrays["means"], arrays["precision"]), PLAIN)


def test_a_degree_sounds_as_the_chord_of_its_bar_has_it(search_in_minor):
    classes = [set(slot % 12) for slot in search_in_minor.sung]
    assert classes[:SLOTS_PER_BAR] == [{0, 2, 3, 5, 7, 8, 11}] * SLOTS_PER_BAR
    assert classes[SLOTS_PER_BAR:] == [{0, 2, 3, 5, 7, 8, 10}] * (len(classes) - SLOTS_PER_BAR)


@pytest.mark.parametrize("mutate", _MUTATIONS, ids=lambda m: m.__name__)
def test_mutations_keep_genomes_legal_and_change_something(mutate):
    rng = np.random.default_rng(1)
    before = rng.integers(-1, 12, size=(64, 32))
    after = mutate(before.copy(), 12, rng)
    assert after.shape == before.shape
    assert after.min() >= -1
    assert after.max() < 12
    assert (after != before).any()


def test_drawing_never_takes_what_is_forbidden():
    rng = np.random.default_rng(1)
    weights = np.array([-np.inf, 0.0, -np.inf, 1.0])
    drawn = [draw(weights, rng) for _ in range(400)]
    assert set(drawn) == {1, 3}
    assert 0.6 < np.mean(np.array(drawn) == 3) < 0.85


def test_a_nucleus_drops_the_tail():
    rng = np.random.default_rng(1)
    weights = np.log(np.array([0.6, 0.35, 0.05]))
    assert {draw(weights, rng, top_p=0.9) for _ in range(300)} == {0, 1}
