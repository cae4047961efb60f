"""Free streams: what the network composes on its own, every field its own choice.

Nothing is planned and nothing is guarded, so this shows what was learnt: held against held-out
pieces it tells whether the network imitates or recites. Night pieces are composed by `lstm_acm`.
"""

from dataclasses import dataclass

import numpy as np

from generator.engine.composers.sampling import draw
from generator.engine.networks.incremental import Listener, Network
from generator.engine.tokens.copying import CopyMemory
from generator.engine.tokens.vocabulary import METRES, SIZES, Metre, phrase_ids, position_ids


@dataclass(frozen=True)
class StreamSettings:
    """The dials: nucleus, familiarity (added to the copy head's logits), metre."""

    top_p: float = 0.95
    familiarity: float = 0.0
    metre: Metre = METRES[0]


def sample_stream(
    network: Network,
    conditions: np.ndarray,
    n_events: int,
    rng: np.random.Generator,
    settings: StreamSettings | None = None,
) -> np.ndarray:
    """Return note events drawn one after another, uint8, shape (n_events, 5).

    Parameters
    ----------
    network : Network
    conditions : ndarray, shape (14,)
        As `condition_vector` makes them; zeros ask for nothing.
    n_events : int
    rng : numpy.random.Generator
    settings : StreamSettings, optional
    """
    settings = settings or StreamSettings()
    listener, memory = Listener(network, conditions), CopyMemory()
    events = np.zeros((n_events, len(SIZES)), dtype=np.uint8)
    now = 0
    for row in range(n_events):
        event = _next_event(listener, memory, now, rng, settings)
        events[row] = event
        memory.append(event)
        then, now = now, now + event[0]
        place, metre = np.array([now]), settings.metre
        listener.hear(
            event,
            int(position_ids(place, metre)[0]),
            int(phrase_ids(place, metre)[0]),
            opens_beat=row == 0 or now // metre.beat != then // metre.beat,
            opens_bar=row == 0 or now // metre.steps != then // metre.steps,
        )
    return events


def _next_event(
    listener: Listener,
    memory: CopyMemory,
    now: int,
    rng: np.random.Generator,
    settings: StreamSettings,
) -> tuple[int, ...]:
    guess, match = memory.predict()
    chain, chosen = listener.state, ()
    for field in range(len(SIZES)):
        log_p = listener.log_distribution(chain, chosen, guess, match, settings.familiarity)
        value = draw(log_p, rng, settings.top_p)
        chosen = (*chosen, value)
        if field + 1 < len(SIZES):
            landing = None
            if field == 0:
                landing = int(position_ids(np.array([now + value]), settings.metre)[0])
            chain = listener.chained(field, chain, value, landing)
    return chosen
