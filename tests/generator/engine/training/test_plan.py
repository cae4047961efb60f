from itertools import pairwise

import pytest

from generator.engine.training.plan import TrainingPlan


def test_the_learning_rate_warms_up_stays_and_falls():
    plan = TrainingPlan(max_steps=1000, cooldown=0.3, learning_rate=2e-3)
    rates = [plan.learning_rate_at(step) for step in range(1000)]
    assert rates[0] == pytest.approx(2e-5)
    assert rates[99] == rates[400] == rates[700] == pytest.approx(2e-3)
    assert all(here > there for here, there in pairwise(rates[701:]))
    assert rates[-1] < 3e-5


def test_a_longer_plan_goes_on_as_if_it_had_always_been():
    short, long = (TrainingPlan(max_steps=steps) for steps in (4000, 12_000))
    assert short.learning_rate_at(2000) == long.learning_rate_at(2000)


def test_young_means_forget_their_start():
    plan = TrainingPlan(average=0.999)
    assert plan.decay_at(0) == pytest.approx(0.1)
    assert plan.decay_at(100_000) == 0.999
