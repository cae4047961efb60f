import numpy as np
import pytest

from generator.engine.brief import Brief, ComposerName, Style
from generator.engine.composers.registry import composer_for
from generator.engine.metrics.texture import N_FEATURES
from generator.engine.tokens.vocabulary import METRES, PITCH_LOWEST
from generator.engine.training.corpus import Corpus, Piece
from generator.engine.training.style_classifier import StyleClassifier, night, people

STYLES = (Style.JAZZ, Style.GUITAR)
FOUR_FOUR = next(metre for metre in METRES if metre.steps == 16)


def a_piece(style, split, seed):
    """Jazz holds chords, a guitar breaks them; melody and bass are alike."""
    rng = np.random.default_rng(seed)
    rows = []
    for start in range(0, 16 * 24, 16):
        rows += [(start + 4 * at, 0, int(rng.integers(72, 84))) for at in range(4)]
        rows.append((start, 2, int(rng.choice((36, 41, 43)))))
        voices = (60, 64, 67)
        at = [0, 0, 0] if style is Style.JAZZ else rng.permutation([0, 4, 8])
        rows += [(start + int(onset), 1, pitch) for onset, pitch in zip(at, voices, strict=True)]
    onsets, roles, pitches = np.array(sorted(rows)).T
    events = np.zeros((len(onsets), 5), dtype=np.uint8)
    events[:, 0], events[:, 1] = np.diff(onsets, prepend=0), roles
    events[:, 2] = pitches - PITCH_LOWEST
    blank = np.zeros(len(onsets))
    return Piece(f"{seed}", style, split, FOUR_FOUR, "major", 90.0, events, blank, blank)


@pytest.fixture(scope="module")
def corpus():
    splits = ["train"] * 12 + ["valid"] * 2 + ["test"] * 2
    pieces = [a_piece(s, split, n) for s in STYLES for n, split in enumerate(splits)]
    return Corpus(pieces)


def test_people_are_told_apart_and_the_posterior_is_of_the_first_style(corpus):
    classifier = StyleClassifier(corpus, STYLES)
    accuracy, first, second = classifier.held_out(corpus)
    assert accuracy > 0.95
    assert first > 0.9 > 0.1 > second
    turned = StyleClassifier(corpus, STYLES[::-1])
    features = people(corpus.split("test"))
    assert np.allclose(turned.posterior(features), 1.0 - classifier.posterior(features))


def test_pieces_in_other_metres_give_no_stretches():
    waltz = a_piece(Style.JAZZ, "train", 1)
    waltz.metre = next(metre for metre in METRES if metre.steps == 12)
    assert people([waltz]).shape == (0, N_FEATURES)


def test_a_night_of_jazz_is_told_from_a_night_of_guitar(corpus):
    classifier = StyleClassifier(corpus, STYLES)
    heard = []
    for style in STYLES:
        briefs = [Brief(ComposerName.MARKOV, 3.0, {style: 1.0}, seed) for seed in range(3)]
        composer = composer_for(ComposerName.MARKOV)
        scores = [composer.compose(b, np.random.default_rng(b.seed)) for b in briefs]
        features = [night(score) for score in scores]
        heard.append(np.mean([classifier.posterior(some).mean() for some in features]))
    assert heard[0] > heard[1] + 0.05
