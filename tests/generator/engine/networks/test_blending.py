from functools import partial

import numpy as np
import pytest

from generator.engine.composers.releases import WEIGHTS
from generator.engine.networks.blending import BlendedListener
from generator.engine.networks.checkpoints import load_checkpoint
from generator.engine.networks.incremental import Listener, Network
from generator.engine.tokens.conditions import condition_vector

EVENTS = [(0, 2, 20, 15, 3), (0, 0, 51, 3, 3), (4, 0, 53, 3, 3), (4, 0, 55, 3, 3)]


@pytest.fixture(scope="module")
def network():
    return Network(load_checkpoint(WEIGHTS / "lstm_acm"))


def asked(style):
    return condition_vector({style: 1.0}, "major", 60.0, 0.8, 1.0)


def heard(listener, conditions):
    listener.ask_for(conditions)
    now = 0
    for event in EVENTS:
        now += event[0]
        listener.hear(event, now % 16, 0, opens_beat=True, opens_bar=now == 0)
    return listener


def test_one_listener_speaks_as_itself(network):
    nothing = np.zeros(network.shape.conditions, dtype=np.float32)
    alone = heard(Listener(network, nothing), asked("jazz"))
    blended = heard(BlendedListener([partial(Listener, network, nothing)], [1.0]), [asked("jazz")])
    told = alone.log_distribution(alone.state, ())
    assert np.array_equal(blended.log_distribution(blended.state, ()), told)
    assert np.array_equal(blended.copy_share(2), alone.copy_share(2))


def test_a_blend_lies_between_its_styles(network):
    def log_p(weights):
        styles = [asked("jazz"), asked("folk")]
        nothing = np.zeros(network.shape.conditions, dtype=np.float32)
        blended = heard(BlendedListener([partial(Listener, network, nothing)] * 2, weights), styles)
        chain = blended.chained(0, blended.state, 4, 12)
        chain = blended.chained(1, chain, 0)
        return blended.log_distribution(chain, (4, 0))

    jazz, folk, both = log_p([1.0, 0.0]), log_p([0.0, 1.0]), log_p([0.5, 0.5])
    assert np.exp(both).sum() == pytest.approx(1.0)
    ratio = (jazz - folk) - (jazz - folk).mean()
    towards = (jazz - both) - (jazz - both).mean()
    assert np.allclose(towards, ratio / 2, atol=1e-6)


def test_who_has_no_weight_hears_and_speaks_when_it_is_given_some(network):
    nothing = np.zeros(network.shape.conditions, dtype=np.float32)
    makers = [partial(Listener, network, nothing)] * 2
    styles = [asked("jazz"), asked("folk")]
    blended = heard(BlendedListener(makers, [1.0, 0.0]), styles)
    blended.weigh([0.0, 1.0])
    folk = heard(Listener(network, nothing), asked("folk"))
    assert np.array_equal(
        blended.log_distribution(blended.state, ()), folk.log_distribution(folk.state, ())
    )
