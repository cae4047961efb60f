import numpy as np
import pytest

from generator.engine.brief import Style
from generator.engine.tokens.conditions import N_CONDITIONS, asked_calmness, condition_vector


def test_a_blend_of_styles_is_asked_for_by_weight():
    blend = {Style.FOLK: 0.7, Style.JAZZ: 0.3}
    vector = condition_vector(blend, "minor", 60.0, 0.5, 1.0)
    assert vector.shape == (N_CONDITIONS,)
    weights = dict(zip(Style, vector[: len(Style)].tolist(), strict=True))
    assert weights == pytest.approx({**dict.fromkeys(Style, 0.0), **blend})


def test_a_tempo_that_is_not_known_is_said_to_be_so():
    known, unknown = (condition_vector({}, "major", bpm, 0.5, 1.0) for bpm in (90.0, float("nan")))
    assert np.isfinite(unknown).all()
    assert (known != unknown).sum() == 1


def test_more_calmness_is_asked_for_than_is_wanted_on_either_side_of_the_middle():
    assert asked_calmness(0.5) == 0.5
    assert 0.8 < asked_calmness(0.8) < 1.0
    assert asked_calmness(0.2) == pytest.approx(1.0 - asked_calmness(0.8))
