import numpy as np
import pytest

from studies.stats.design.power import power_ancova
from studies.stats.design.simulation import Scenario, make_trial, simulate_power
from studies.stats.errors import StatisticsError
from studies.stats.family import Adjustment


def test_simulated_power_is_that_of_the_formula_within_three_standard_errors() -> None:
    scenario = Scenario(30, {"LSTM_ACM": 2.0}, sd=3.5, correlation=0.55)
    found = simulate_power(scenario, 400, adjust=Adjustment.NONE)
    expected = power_ancova(30, 2.0, 3.5, 0.55)
    assert found.by_arm["LSTM_ACM"] == pytest.approx(expected, abs=3 * found.standard_error)
    assert found.n_failed == 0


def test_a_trial_of_a_seed_is_always_the_same() -> None:
    scenario = Scenario(10, {"a": 2.0, "b": 0.0}, sd=3.0, dropout=0.2)
    first = simulate_power(scenario, 20, adjust=Adjustment.DUNNETT, seed=4)
    assert first == simulate_power(scenario, 20, adjust=Adjustment.DUNNETT, seed=4)
    done: list[int] = []
    simulate_power(scenario, 3, seed=4, progress=done.append)
    assert done == [1, 2, 3]


def test_dropout_is_about_as_large_as_said_and_final() -> None:
    scenario = Scenario(500, {"a": 0.0}, sd=3.0, dropout=0.2)
    _arms, _baseline, outcomes = make_trial(scenario, np.random.default_rng(1))
    gone = np.isnan(outcomes)
    assert gone[:, 1].mean() == pytest.approx(0.2, abs=0.04)
    assert (gone[:, 1] | ~gone[:, 0]).all()


@pytest.mark.parametrize(
    "values",
    [{"n_per_arm": 2}, {"effects": {}}, {"sd": 0}, {"correlation": 1}, {"dropout": 1}],
)  # fmt: skip
def test_an_impossible_scenario_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(StatisticsError, match="expected"):
        Scenario(**{"n_per_arm": 10, "effects": {"a": 1.0}, "sd": 3.0} | values)
    with pytest.raises(StatisticsError, match="one trial"):
        simulate_power(Scenario(10, {"a": 1.0}, 3.0), 0)
