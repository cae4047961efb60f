import math

import pytest

from studies.exceptions import PreferenceRefused
from studies.models.audit import AuditEntry
from studies.models.participant import MusicPreference
from studies.services.music.preferences import state_preferences
from tests.factories import make_participant

pytestmark = pytest.mark.django_db
TASTE = {"styles": {"jazz": 2, "folk": 1}, "instrument": "harp", "tempo_bpm": 60, "mode": "minor"}


def test_weights_are_scaled_and_a_new_taste_replaces_the_old() -> None:
    participant = make_participant("consented")
    first = state_preferences(participant=participant, **TASTE)
    assert first.styles == pytest.approx({"jazz": 2 / 3, "folk": 1 / 3})
    state_preferences(participant=participant, **{**TASTE, "styles": {"song": 0.5, "jazz": 0}})
    assert MusicPreference.objects.get().styles == {"song": 1.0}
    assert AuditEntry.objects.filter(action="state_preferences").last().old["mode"] == "minor"


@pytest.mark.parametrize(
    "wrong",
    [
        {"styles": {}},
        {"styles": {"jazz": 0}},
        {"styles": {"jazz": -1, "folk": 2}},
        {"styles": {"jazz": math.nan}},
        {"styles": {"jazz": math.inf}},
        {"styles": {"metal": 1}},
        {"instrument": "drums"},
        {"tempo_bpm": 180},
        {"tempo_bpm": math.nan},
        {"mode": "dorian"},
        {"bed": "thunder"},
    ],
)
def test_a_taste_that_cannot_be_composed_is_refused(wrong: dict[str, object]) -> None:
    participant = make_participant("consented")
    with pytest.raises(PreferenceRefused, match="expected"):
        state_preferences(participant=participant, **{**TASTE, **wrong})
    assert not MusicPreference.objects.exists()
