"""Free streams side by side: many pieces a call of the fast engine, each with chance of its own.

What `stream` does for one piece in numpy, for a whole batch. Chance is counted, not shared: the
draws of a piece follow from its seed and from how many events it has, so a piece is the same alone
and among sixty-three others.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from generator.engine.composers.loops import LoopWatch
from generator.engine.composers.stream import PITCH, StreamSettings
from generator.engine.networks.batched import FastNetwork, Steps
from generator.engine.networks.step_graph import FIELD_ROWS, N_CHOICES
from generator.engine.tokens.copying import CopyMemory
from generator.engine.tokens.vocabulary import phrase_ids, position_ids

_EVENTS_A_DRAW = 32
_LEAST = 1e-12


def sample_streams(
    fast: FastNetwork,
    conditions: np.ndarray,
    n_events: int,
    seeds: Sequence[int],
    settings: StreamSettings | None = None,
    allowed: np.ndarray | None = None,
) -> np.ndarray:
    """Return note events drawn one after another, uint8, shape (B, n_events, 5).

    Parameters
    ----------
    fast : FastNetwork
        With a graph that chooses.
    conditions : ndarray, shape (B, C)
        As `condition_vector` makes them; zeros ask for nothing.
    n_events : int
    seeds : sequence of int
        One a piece.
    settings : StreamSettings, optional
    allowed : ndarray, shape (157,) or (B, 157), optional
        Weight of every value of every field, fields side by side: 0 forbids it; a key mask, say.
    """
    events = stream_batches(fast, conditions, seeds, settings, allowed)
    rows = [chosen for chosen, _ in zip(events, range(n_events), strict=False)]
    return np.stack(rows, axis=1).astype(np.uint8)


def stream_batches(
    fast: FastNetwork,
    conditions: np.ndarray,
    seeds: Sequence[int],
    settings: StreamSettings | None = None,
    allowed: np.ndarray | None = None,
) -> Iterator[np.ndarray]:
    """Yield the next event of every piece, int64, shape (B, 5), without end."""
    settings = settings or StreamSettings()
    metre, pieces = settings.metre, len(seeds)
    steps = Steps(fast.network, fast.choosing, conditions)
    given = steps.inputs
    given["top_p"][:] = settings.top_p
    given["familiarity"][:] = settings.familiarity
    given["place"][:, 1:] = metre.steps, position_ids(np.zeros(1), metre)[0]
    free = np.ones_like(given["allowed"]) if allowed is None else allowed
    given["allowed"][:] = free
    memories, loops = [CopyMemory() for _ in seeds], [LoopWatch() for _ in seeds]
    chance = _noise(seeds)
    now, is_first = np.zeros(pieces, dtype=np.int64), True
    while True:
        given["noise"][:] = next(chance)
        _tell_guesses(memories, given, fast.network.shape.match_classes)
        given["place"][:, 0] = now % metre.steps
        if settings.guards_loops:
            given["allowed"][:] = free
            _bar_loops(loops, given["allowed"])
        steps.run()
        chosen = steps.given["chosen"].copy()
        yield chosen
        for memory, watch, event in zip(memories, loops, chosen.tolist(), strict=True):
            memory.append(tuple(event))
            watch.hear(event[0], event[PITCH])
        then, now = now, now + chosen[:, 0]
        opens = np.stack([now // span != then // span for span in (metre.beat, metre.steps)], 1)
        opens |= is_first
        is_first = False
        steps.hear(chosen, position_ids(now, metre), phrase_ids(now, metre), opens)


def _tell_guesses(
    memories: Sequence[CopyMemory], given: dict[str, np.ndarray], classes: int
) -> None:
    for piece, memory in enumerate(memories):
        guess, match = memory.predict()
        given["heard_guess"][piece] = match > 0
        given["match"][piece] = min(match, classes - 1)
        if guess is not None:
            given["guess"][piece] = guess


def _bar_loops(loops: Sequence[LoopWatch], allowed: np.ndarray) -> None:
    for piece, watch in enumerate(loops):
        for pitch in watch.closing():
            allowed[piece, FIELD_ROWS[PITCH] + pitch] = 0.0


def _noise(seeds: Sequence[int]) -> Iterator[np.ndarray]:
    """Yield Gumbel noise for every value of the next event of every piece, shape (B, 157)."""
    sources = [np.random.Generator(np.random.Philox(seed)) for seed in seeds]
    while True:
        drawn = np.stack(
            [rng.random((_EVENTS_A_DRAW, N_CHOICES), dtype=np.float32) for rng in sources], axis=1
        )
        # 1 - u is never 0.
        yield from -np.log(-np.log1p(-drawn) + _LEAST)
