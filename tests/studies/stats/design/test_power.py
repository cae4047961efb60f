import numpy as np
import pytest

from studies.stats.design.power import (
    adjusted_sd,
    n_for,
    power_ancova,
    power_anova,
    power_dunnett,
    power_non_inferiority,
    power_paired_t,
    power_proportions,
    power_t,
    whole,
)
from studies.stats.errors import StatisticsError
from tests.studies.stats.references import needs_references, results

MEANS = [9.5, 8.3, 10.5, 10.7]


@needs_references
def test_power_and_sizes_are_those_of_r() -> None:
    expected = results("s06_power")
    found = {
        "t_power": power_t(50, 2, 3.5), "anova_power": power_anova(50, MEANS, 3.5),
        "prop_power": power_proportions(50, 0.6, 0.4),
    }  # fmt: skip
    for name, power in found.items():
        assert power == pytest.approx(expected[name]["power"], abs=1e-6)
    assert power_paired_t(50, 2, 3.5) == pytest.approx(expected["paired_power"], abs=1e-6)
    sizes = {
        "t_n": lambda n: power_t(n, 2, 3.5),
        "t_n_bonferroni3": lambda n: power_t(n, 2, 3.5, alpha=0.05 / 3),
        "ancova_n": lambda n: power_ancova(n, 2, 3.5, 0.55),
        "anova_n": lambda n: power_anova(n, MEANS, 3.5),
        "prop_n": lambda n: power_proportions(n, 0.6, 0.4),
    }
    for name, power in sizes.items():
        assert n_for(power, 0.9) == pytest.approx(expected[name]["n_per_arm"], rel=1e-6)
    assert adjusted_sd(3.5, 0.55) == pytest.approx(expected["ancova_n"]["sd_adjusted"])
    n = n_for(sizes["ancova_n"], 0.9)
    assert whole(n, dropout=0.15) == expected["ancova_n"]["with_dropout"]


@needs_references
def test_dunnett_agrees_with_r_as_far_as_its_drawn_bound_allows() -> None:
    # mvtnorm's bound is off by 3e-4, which moves the power by 1e-4.
    expected = results("s06_power")["dunnett"]["power_single_arm"]
    assert power_dunnett(50, 2, 3.5, 3) == pytest.approx(expected, abs=2e-4)


def test_non_inferiority_needs_no_more_than_a_difference_of_the_margin() -> None:
    alike = power_non_inferiority(60, 0.0, 1.8, 3.5)
    assert alike == pytest.approx(power_t(60, 1.8, 3.5), abs=1e-4)
    assert power_non_inferiority(60, -1.8, 1.8, 3.5) == pytest.approx(0.025, abs=1e-9)


def test_power_rises_with_size_and_falls_with_spread() -> None:
    sizes = [power_t(n, 1.5, 3.5) for n in (10, 40, 160, 640, 2560)]
    assert (np.diff(sizes) > 0).all()
    assert power_t(40, 1.5, 7) < power_t(40, 1.5, 3.5)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: power_t(1, 2, 3), "larger n"),
        (lambda: power_t(50, 2, 0), "larger sd"),
        (lambda: power_anova(50, [1.0], 3), "two arms"),
        (lambda: power_proportions(50, 0, 0.5), "between 0 and 1"),
        (lambda: adjusted_sd(3, 1), "correlation"),
        (lambda: n_for(lambda _n: 0.1, 0.9), "participants per arm"),
        (lambda: n_for(lambda n: n / 100, 1.5), "between 0 and 1"),
        (lambda: whole(10, dropout=1), "dropout"),
    ],
)  # fmt: skip
def test_nonsense_is_refused(call: object, words: str) -> None:
    with pytest.raises(StatisticsError, match=words):
        call()


def test_whole_participants_are_not_counted_twice() -> None:
    assert whole(66.00000000001) == 66
    assert whole(65.2) == 66
    assert whole(80, dropout=0.2) == 100
