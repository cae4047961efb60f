import numpy as np
import pytest

from studies.stats.errors import NotEstimable, StatisticsError, TooFewObservations
from studies.stats.mediation import ASSUMPTION, Mediation, mediation

WHEN = {"mediator_visit": 4, "outcome_visit": 8, "sign": "negative favours the first arm"}


def trial(n: int = 2000, a: float = -3.0, b: float = 0.4) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(12)
    allocated = (np.arange(n) % 2).astype(float)
    base = rng.normal(30, 6, n)
    mediator = 0.5 * base + a * allocated + rng.normal(0, 4, n)
    outcome = 3 + b * mediator - 1.0 * allocated + rng.normal(0, 2, n)
    return outcome, mediator, allocated, np.column_stack([np.ones(n), base])


def found(**options: float) -> Mediation:
    return mediation(*trial(**options), **WHEN)


def test_the_paths_are_those_the_trial_was_made_of() -> None:
    ours = found()
    assert ours.indirect.ci_low < -1.2 < ours.indirect.ci_high
    assert ours.direct.value == pytest.approx(-1, abs=4 * ours.direct.se)
    assert ours.indirect.warnings == (ASSUMPTION,)
    total = ours.indirect.value + ours.direct.value
    assert ours.total.value == pytest.approx(total, rel=1e-10)


def test_the_interval_agrees_with_the_normal_one_where_both_paths_are_clear() -> None:
    ours = found()
    a, b = ours.arm_on_mediator, ours.mediator_on_outcome
    sobel = (a.value**2 * b.se**2 + b.value**2 * a.se**2) ** 0.5
    assert ours.indirect.se == pytest.approx(sobel, rel=0.02)
    assert ours == found()


def test_without_a_path_there_is_no_indirect_effect() -> None:
    ours = found(b=0.0)
    assert ours.indirect.ci_low < 0 < ours.indirect.ci_high
    assert abs(ours.error_correlation_at_zero) < 0.05
    assert found().error_correlation_at_zero > 0.4


def test_the_order_of_time_is_kept_and_nonsense_refused() -> None:
    with pytest.raises(StatisticsError, match="before the outcome"):
        mediation(*trial(), mediator_visit=8, outcome_visit=8, sign="")
    outcome, mediator, allocated, w = trial(40)
    with pytest.raises(NotEstimable, match="redundant"):
        mediation(outcome, np.ones(40), allocated, w, **WHEN)
    with pytest.raises(TooFewObservations, match="got 0"):
        mediation(np.full(40, np.nan), mediator, allocated, w, **WHEN)
