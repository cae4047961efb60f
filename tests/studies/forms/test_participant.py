import pytest

from generator.engine.brief import TEMPO_MAX_BPM, TEMPO_MIN_BPM, Instrument, Mode, Style
from studies.forms.participant import (
    INSTRUMENT_NAMES,
    MODE_NAMES,
    SCOPE_NAMES,
    STYLE_NAMES,
    TEMPI,
    TEMPO_NAMES,
    MusicForm,
)
from studies.models.consent import WithdrawalScope

TASTE = {"styles": ["folk"], "instrument": "piano", "tempo": "still", "mode": "minor"}


def test_everything_that_can_be_composed_has_a_name_in_plain_words():
    assert set(STYLE_NAMES) == set(Style)
    assert set(INSTRUMENT_NAMES) == set(Instrument)
    assert set(MODE_NAMES) == set(Mode)
    assert set(TEMPO_NAMES) == set(TEMPI)
    assert set(SCOPE_NAMES) == set(WithdrawalScope)


def test_every_tempo_can_be_composed():
    assert all(TEMPO_MIN_BPM <= tempo <= TEMPO_MAX_BPM for tempo in TEMPI.values())


@pytest.mark.parametrize(
    ("liked", "loved", "weights"),
    [
        (["folk"], "", {"folk": 1}),
        (["folk", "jazz"], "", {"folk": 1 / 2, "jazz": 1 / 2}),
        (["folk", "jazz"], "folk", {"folk": 2 / 3, "jazz": 1 / 3}),
        (["folk"], "song", {"folk": 1 / 3, "song": 2 / 3}),
    ],
)
def test_what_is_loved_weighs_twice_what_is_liked(liked, loved, weights):
    form = MusicForm({**TASTE, "styles": liked, "favourite": loved})
    assert form.is_valid()
    assert form.preferences()["styles"] == pytest.approx(weights)
