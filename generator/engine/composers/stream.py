"""Free streams: what the network composes on its own, every field its own choice.

Nothing is planned, and nothing is guarded but loops where that is asked, so this shows what was
learnt: held against held-out pieces it tells whether the network imitates or recites. Night pieces
are composed by `lstm_acm`.
"""

import itertools
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from generator.engine.composers.loops import LoopWatch
from generator.engine.composers.sampling import draw
from generator.engine.networks.incremental import Listener, Network
from generator.engine.tokens.copying import CopyMemory
from generator.engine.tokens.vocabulary import METRES, SIZES, Metre, phrase_ids, position_ids

PITCH = 2


@dataclass(frozen=True)
class StreamSettings:
    """The dials: nucleus, familiarity (added to the copy head's logits), metre, loop guard.

    `top_p` is one nucleus for all five fields, or one each.
    `copy_distance` is how many events back a passage must end before its suffix may be copied;
    `stretch` how many events one row of conditions is asked for.
    """

    top_p: float | tuple[float, ...] = 0.95
    familiarity: float = 0.0
    metre: Metre = METRES[0]
    guards_loops: bool = False
    copy_distance: int = 1
    stretch: int = 128


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
    conditions : ndarray, shape (14,) or (S, 14)
        As `condition_vector` makes them; zeros ask for nothing. Rows are asked for in turn, the
        last one to the end.
    n_events : int
    rng : numpy.random.Generator
    settings : StreamSettings, optional
    """
    events = stream_events(network, conditions, rng, settings)
    rows = [event for event, _ in zip(events, range(n_events), strict=False)]
    return np.array(rows, dtype=np.uint8).reshape(-1, len(SIZES))


def stream_events(
    network: Network,
    conditions: np.ndarray,
    rng: np.random.Generator,
    settings: StreamSettings | None = None,
) -> Iterator[tuple[int, ...]]:
    """Yield note events without end, parameters as for `sample_stream`."""
    settings = settings or StreamSettings()
    asked = np.atleast_2d(conditions)
    listener, memory = Listener(network, asked[0]), CopyMemory(settings.copy_distance)
    loops, now, is_first = LoopWatch(), 0, True
    for count in itertools.count():
        row, inside = divmod(count, settings.stretch)
        if not inside and 0 < row < len(asked):
            listener.ask_for(asked[row])
        barred = loops.closing() if settings.guards_loops else ()
        event = _next_event(listener, memory, now, rng, settings, barred)
        yield event
        memory.append(event)
        loops.hear(*event[: PITCH + 1])
        then, now = now, now + event[0]
        place, metre = np.array([now]), settings.metre
        listener.hear(
            event,
            int(position_ids(place, metre)[0]),
            int(phrase_ids(place, metre)[0]),
            opens_beat=is_first or now // metre.beat != then // metre.beat,
            opens_bar=is_first or now // metre.steps != then // metre.steps,
        )
        is_first = False


def _next_event(
    listener: Listener,
    memory: CopyMemory,
    now: int,
    rng: np.random.Generator,
    settings: StreamSettings,
    barred: Collection[int],
) -> tuple[int, ...]:
    guess, match = memory.predict()
    nuclei = np.broadcast_to(settings.top_p, len(SIZES))
    chain, chosen = listener.state, ()
    for field in range(len(SIZES)):
        log_p = listener.log_distribution(chain, chosen, guess, match, settings.familiarity)
        if field == PITCH and barred:
            log_p[list(barred)] = -np.inf
        value = draw(log_p, rng, nuclei[field])
        chosen = (*chosen, value)
        if field + 1 < len(SIZES):
            landing = None
            if field == 0:
                landing = int(position_ids(np.array([now + value]), settings.metre)[0])
            chain = listener.chained(field, chain, value, landing)
    return chosen
