"""Pieces of two minutes by each composer, composed once for all tests of this folder."""

import numpy as np
import pytest

from generator.engine.brief import Brief, ComposerName, Instrument, Mode, Style
from generator.engine.composers.registry import composer_for


def brief_for(name, **changes):
    fields = {
        "composer": name,
        "minutes": 2.0,
        "styles": {Style.SONG: 0.6, Style.CLASSICAL: 0.4},
        "seed": 11,
    }
    return Brief(**{**fields, **changes})


def compose(brief):
    return composer_for(brief.composer).compose(brief, np.random.default_rng(brief.seed))


BRIEFS = {
    name: brief_for(name, mode=mode, instrument=instrument)
    for name, mode, instrument in zip(
        ComposerName,
        (Mode.MINOR, Mode.MAJOR, Mode.MAJOR, Mode.MINOR),
        (Instrument.PIANO, Instrument.HARP, Instrument.VIBRAPHONE, Instrument.GUITAR),
        strict=True,
    )
}


@pytest.fixture(scope="session")
def pieces():
    return {name: compose(brief) for name, brief in BRIEFS.items()}


@pytest.fixture(params=list(ComposerName), ids=str)
def piece(request, pieces):
    return pieces[request.param]
