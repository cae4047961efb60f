import numpy as np
import pytest

from studies.stats.errors import StatisticsError
from studies.stats.exposure import ASSOCIATION, exposure_means, feature_effects
from studies.stats.regression.terms import Factor

SIGN = {"sign": "negative means better sleep with more of it"}


def test_what_was_heard_longer_weighs_more_and_silence_is_missing() -> None:
    means = exposure_means(
        [0, 0, 0, 1], [0, 0, 1, 1], [60, 90, 70, 80], [10, 20, 0, 5], n_people=2, n_periods=2
    )
    np.testing.assert_allclose(means, [[80, np.nan], [np.nan, 80]])
    with pytest.raises(StatisticsError, match="minutes of 0 or more"):
        exposure_means([0], [0], [60], [-1], n_people=1, n_periods=1)


def trial(n: int = 400) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray, Factor]:
    """Return a trial in which tempo helps by 0.1 within people, and ill people hear it slower."""
    rng = np.random.default_rng(4)
    illness = rng.normal(size=n)
    tempo = 70 - 5 * illness[:, None] + rng.normal(0, 4, (n, 2))
    density = rng.normal(3, 1, (n, 2))
    copy = tempo * 2 + rng.normal(0, 0.5, (n, 2))
    base = 12 + rng.normal(size=n)
    outcomes = base[:, None] + 3 * illness[:, None] + 0.1 * tempo + rng.normal(0, 1, (n, 2))
    outcomes[:20, 1] = np.nan
    tempo[20:30, 0] = np.nan
    features = {"tempo": tempo, "density": density, "copy": copy}
    return outcomes, features, base, Factor("arm", np.arange(n) % 3, ("CBT", "LSTM_ACM", "MCMG"))


def test_within_is_free_of_what_differs_between_people() -> None:
    outcomes, features, base, arm = trial()
    tempo, density, copy = feature_effects(outcomes, features, base, arm, **SIGN)
    assert tempo.within.value == pytest.approx(0.1, abs=3 * tempo.within.se)
    assert tempo.between.value < -0.2
    assert tempo.within.warnings == (ASSOCIATION,)
    assert density.within.ci_low < 0 < density.within.ci_high
    assert (tempo.collinear_with, density.collinear_with) == (("copy",), ())
    assert copy.within.p_adjusted >= copy.within.p


def test_false_discoveries_are_controlled_over_the_features() -> None:
    outcomes, features, base, arm = trial()
    found = feature_effects(outcomes, features, base, arm, **SIGN)
    p = sorted(effect.within.p for effect in found)
    assert max(effect.within.p_adjusted for effect in found) == pytest.approx(p[-1])
    assert {effect.within.adjust for effect in found} == {"bh"}


def test_a_feature_that_says_nothing_is_labelled() -> None:
    outcomes, features, base, _arm = trial(60)
    spoilt = {
        "unheard": np.full((60, 2), np.nan), "constant": np.full((60, 2), 70.0),
        "tempo": features["tempo"],
    }  # fmt: skip
    unheard, constant, tempo = feature_effects(outcomes, spoilt, base, None, **SIGN)
    assert "who listened, got 0" in unheard.within.warnings[0]
    assert "do not determine within" in constant.within.warnings[0]
    assert tempo.within.value is not None
    assert tempo.within.p_adjusted == tempo.within.p
    (one_visit,) = feature_effects(
        outcomes[:, :1], {"tempo": features["tempo"][:, :1]}, base, None, **SIGN
    )
    assert "two visits or more" in one_visit.within.warnings[0]
