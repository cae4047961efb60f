import numpy as np
import pytest

from generator.engine.brief import Brief, ComposerName, Style
from generator.engine.composers.accompaniment import PartNote
from generator.engine.composers.consonance import without_rubs
from generator.engine.composers.guards import MelodyNote
from generator.engine.composers.registry import composer_for
from generator.engine.metrics.consonance import held_rub_share
from generator.engine.score.notes import Role

PAD, INNER = Role.PAD, Role.INNER
# A long C, then a long F, half a bar each.
MELODY = [MelodyNote(0, 8, 72), MelodyNote(8, 8, 65)]


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        (PartNote(0, 64, 16, PAD), [PartNote(0, 64, 8, PAD)]),  # E under the F: until the F comes
        (PartNote(0, 71, 16, PAD), [PartNote(8, 71, 8, PAD)]),  # B under the C: after it
        (PartNote(8, 64, 8, PAD), []),  # all of it rubs
        (PartNote(7, 64, 9, INNER), []),  # one place is no note
        (PartNote(6, 64, 10, INNER), [PartNote(6, 64, 2, INNER)]),
        (PartNote(0, 59, 8, PAD), []),  # a minor ninth under the C
        (PartNote(0, 61, 8, PAD), [PartNote(0, 61, 8, PAD)]),  # a major seventh stays
        (PartNote(7, 64, 2, INNER), [PartNote(7, 64, 2, INNER)]),  # in passing
    ],
)
def test_a_tone_that_rubs_keeps_its_longer_clear_part(note, expected):
    assert without_rubs(MELODY, [note]) == expected


def test_a_bar_between_two_rubs_stays():
    melody = [MelodyNote(0, 4, 65), MelodyNote(4, 8, 67), MelodyNote(12, 4, 65)]
    assert without_rubs(melody, [PartNote(0, 64, 16, PAD)]) == [PartNote(4, 64, 8, PAD)]


@pytest.mark.parametrize("name", [ComposerName.MARKOV, ComposerName.GENETIC])
def test_no_night_holds_a_rub(name):
    brief = Brief(name, 3.0, {Style.JAZZ: 1.0}, 1)
    score = composer_for(name).compose(brief, np.random.default_rng(1))
    assert held_rub_share(score) == 0.0
    assert len({part.role for part in score.parts if part.notes}) == 4
