import hashlib
from dataclasses import replace

import numpy as np
import pytest

from generator.engine.audio.pins import built_in_pin
from generator.engine.brief import Brief, ComposerName, Mode, Style
from generator.engine.composers import releases
from generator.engine.composers.registry import composer_for
from generator.engine.composers.releases import composers_name, require_composers
from generator.engine.errors import ComposersUnmet
from generator.engine.networks.checkpoints import save_checkpoint

# The notes of a minute by each composer, with the name that stands for them. Where notes change and
# the name does not, open studies would hear other music without a word: raise `COMPOSING`.
NAME = "2-03929e73d57a"
NOTES = {
    ComposerName.LSTM_ACM: "9c20689407dd",
    ComposerName.MARKOV: "e44269aaff20",
    ComposerName.GENETIC: "4d27ebe0e05e",
    ComposerName.FUSION: "c44cf7488200",
}


def notes_by(composer):
    brief = Brief(composer, 1.0, {Style.CLASSICAL: 0.6, Style.FOLK: 0.4}, 11, mode=Mode.MINOR)
    score = composer_for(composer).compose(brief, np.random.default_rng(brief.seed))
    notes = [
        (part.role.value, note.onset, note.duration, note.pitch, note.velocity)
        for part in score.parts
        for note in part.notes
    ]
    return hashlib.sha256(repr(notes).encode()).hexdigest()[:12]


def test_the_name_stands_for_these_notes():
    assert (composers_name(), {name: notes_by(name) for name in ComposerName}) == (NAME, NOTES)


def test_another_release_makes_another_name(tmp_path):
    for folder, note in (("a", 60), ("b", 60), ("c", 61)):
        save_checkpoint(tmp_path / folder / "markov", {"notes": np.array([note])}, {})
    first, same, other = (composers_name(tmp_path / folder) for folder in "abc")
    assert first == same != other
    save_checkpoint(tmp_path / "d" / "genetic", {"notes": np.array([60])}, {})
    assert composers_name(tmp_path / "d") != first


def test_notes_composed_otherwise_by_the_same_releases_make_another_name(monkeypatch, tmp_path):
    before = composers_name(tmp_path)
    monkeypatch.setattr(releases, "COMPOSING", releases.COMPOSING + 1)
    assert composers_name(tmp_path) != before


def test_a_pin_of_other_composers_is_refused_with_what_to_do():
    with pytest.raises(ComposersUnmet, match=r"0-feed were expected, got .*pin_renderer STUDY"):
        require_composers(replace(built_in_pin(), composers="0-feed"))


def test_a_pin_of_these_composers_or_of_none_is_met():
    for pin in (None, built_in_pin(), replace(built_in_pin(), composers=composers_name())):
        require_composers(pin)
