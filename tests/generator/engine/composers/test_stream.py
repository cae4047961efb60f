import numpy as np
import pytest

from generator.engine.composers.releases import WEIGHTS
from generator.engine.composers.stream import StreamSettings, sample_stream
from generator.engine.metrics.line import make_line
from generator.engine.metrics.melody import is_looping, repetition
from generator.engine.networks.checkpoints import load_checkpoint
from generator.engine.networks.incremental import Network
from generator.engine.score.notes import Role
from generator.engine.tokens.vocabulary import ROLES, SIZES

N_EVENTS = 240


@pytest.fixture(scope="module")
def network():
    return Network(load_checkpoint(WEIGHTS / "lstm_acm"))


def stream(network, seed, familiarity=0.0, n_events=N_EVENTS, **dials):
    nothing = np.zeros(network.shape.conditions, dtype=np.float32)
    settings = StreamSettings(familiarity=familiarity, **dials)
    return sample_stream(network, nothing, n_events, np.random.default_rng(seed), settings)


def test_every_field_is_one_the_vocabulary_has(network):
    events = stream(network, 1)
    assert events.shape == (N_EVENTS, len(SIZES))
    assert (events < np.array(SIZES)).all()


def test_the_same_seed_gives_the_same_stream_and_a_longer_one_begins_with_it(network):
    assert np.array_equal(stream(network, 2, n_events=60), stream(network, 2, n_events=90)[:60])
    assert not np.array_equal(stream(network, 2, n_events=60), stream(network, 3, n_events=60))


def test_conditions_are_asked_for_in_turn_and_the_last_ones_to_the_end(network):
    calm, dense = np.zeros((2, network.shape.conditions), dtype=np.float32)
    calm[9], dense[9] = 1.0, -1.0
    calm[11] = dense[11] = 1.0

    def asked(*rows):
        settings = StreamSettings(stretch=16)
        return sample_stream(network, np.stack(rows), 48, np.random.default_rng(4), settings)

    changing = asked(calm, dense)
    assert np.array_equal(changing[:16], asked(calm)[:16])
    assert not np.array_equal(changing, asked(calm))
    assert np.array_equal(changing, asked(calm, dense, dense))


def test_familiarity_makes_a_piece_say_more_again(network):
    def said_again(dial):
        found = []
        for seed in range(3):
            events = stream(network, seed, dial, 160)
            line = make_line(np.cumsum(events[:, 0].astype(int)), events[:, 2], events[:, 3])
            found.append(repetition(line.onsets, line.pitches, 4))
        return np.mean(found)

    assert said_again(-6.0) < said_again(3.0)


def test_a_stream_that_only_repeats_itself_is_kept_from_going_round_in_circles(network):
    def circles(guards_loops):
        nuclei = (0.6, 0.95, 0.6, 0.6, 0.6)
        events = stream(network, 1, 4.0, 400, top_p=nuclei, guards_loops=guards_loops)
        sung = events[:, 1] == ROLES.index(Role.MELODY)
        onsets = np.cumsum(events[:, 0].astype(int))[sung]
        line = make_line(onsets, events[sung, 2], events[sung, 3])
        return is_looping(line.onsets, line.pitches)

    assert circles(guards_loops=False)
    assert not circles(guards_loops=True)


def test_each_field_may_have_a_nucleus_of_its_own(network):
    def first_events(*top_p):
        return np.array([stream(network, seed, n_events=1, top_p=top_p)[0] for seed in range(40)])

    narrow, wide = first_events(1e-6, 1.0, 1.0, 1.0, 1.0), first_events(*[1.0] * 5)
    assert len(set(narrow[:, 0])) == 1 < len(set(narrow[:, 2]))
    assert len(set(wide[:, 0])) > 1
    with pytest.raises(ValueError, match="broadcast"):
        first_events(0.9, 0.9)
