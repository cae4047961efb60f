"""Free streams side by side: many pieces a call of the fast engine, each with chance of its own.

What `stream` does for one piece in numpy, for a whole batch. Chance is counted, not shared: the
draws of a piece follow from its seed and from how many events it has, so a piece is the same alone
and among sixty-three others.
"""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from generator.engine.composers.loops import LoopWatch
from generator.engine.composers.stream import PITCH, StreamSettings
from generator.engine.networks.batched import FastNetwork, Steps
from generator.engine.networks.choosing_graph import FIELD_ROWS, N_CHOICES
from generator.engine.tokens.copying import CopyMemories, CopyMemory
from generator.engine.tokens.vocabulary import (
    BARS_PER_PHRASE,
    SHIFT_MAX,
    SIZES,
    Metre,
    landing_ids,
    phrase_ids,
    position_ids,
)

_ONE_ROW = 2  # axes of conditions that stay the same throughout
_EVENTS_A_DRAW = 32
_LEAST = np.float32(1e-12)
# From so many pieces on their memories are cheaper together.
_MANY = 16
_NO_GUESS = (0,) * len(SIZES)


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
    conditions : ndarray, shape (B, C) or (B, S, C)
        As `condition_vector` makes them; zeros ask for nothing. Rows are asked for in turn, the
        last one to the end.
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
    asked = conditions[:, None] if conditions.ndim == _ONE_ROW else conditions
    steps = Steps(fast.network, fast.choosing, asked[:, 0])
    given = steps.inputs
    given["top_p"][:] = settings.top_p
    given["familiarity"][:] = settings.familiarity
    free = np.ones_like(given["allowed"]) if allowed is None else allowed
    given["allowed"][:] = free
    memories = _memories(pieces, settings.copy_distance)
    loops = [LoopWatch() for _ in seeds]
    landings, crossings = landing_ids(metre), _crossings(metre)
    places = np.arange(metre.steps * BARS_PER_PHRASE)
    positions, phrases = position_ids(places, metre), phrase_ids(places, metre)
    chance = inverse_exponentials(seeds)
    place, is_first = np.zeros(pieces, dtype=np.int64), True
    for count in itertools.count():
        row, inside = divmod(count, settings.stretch)
        if not inside and 0 < row < asked.shape[1]:
            steps.ask_for(asked[:, row])
        given["noise"][:] = next(chance)
        steps.tell(*memories.predict())
        step = place % metre.steps
        given["landing"][:] = landings[step]
        if settings.guards_loops:
            given["allowed"][:] = free
            _bar_loops(loops, given["allowed"])
        steps.run()
        chosen = steps.given["chosen"].copy()
        yield chosen
        memories.append(chosen)
        shift = chosen[:, 0]
        if settings.guards_loops:
            for watch, event in zip(loops, chosen.tolist(), strict=True):
                watch.hear(*event[: PITCH + 1])
        opens = crossings[step, shift] | is_first
        is_first = False
        place = (place + shift) % len(places)
        steps.hear(chosen, positions[place], phrases[place], opens)


def _crossings(metre: Metre) -> np.ndarray:
    """Return whether a shift from a step opens a beat, a bar; bool, shape (steps, 33, 2)."""
    begun = np.arange(metre.steps)[:, None]
    ended = begun + np.arange(SHIFT_MAX + 1)
    return np.stack([ended // s != begun // s for s in (metre.beat, metre.steps)], axis=-1)


class _FewMemories:
    """What `CopyMemories` does, quicker for a few pieces, and from any distance."""

    def __init__(self, pieces: int, copy_distance: int) -> None:
        self._memories = [CopyMemory(copy_distance) for _ in range(pieces)]

    def append(self, events: np.ndarray) -> None:
        for memory, event in zip(self._memories, events.tolist(), strict=True):
            memory.append(tuple(event))

    def predict(self) -> tuple[np.ndarray, np.ndarray]:
        found = [memory.predict() for memory in self._memories]
        guesses = [_NO_GUESS if guess is None else guess for guess, _ in found]
        return np.array(guesses), np.array([match for _, match in found])


def _memories(pieces: int, copy_distance: int) -> CopyMemories | _FewMemories:
    if pieces >= _MANY and copy_distance == 1:
        return CopyMemories(pieces)
    return _FewMemories(pieces, copy_distance)


def _bar_loops(loops: Sequence[LoopWatch], allowed: np.ndarray) -> None:
    for piece, watch in enumerate(loops):
        for pitch in watch.closing():
            allowed[piece, FIELD_ROWS[PITCH] + pitch] = 0.0


def inverse_exponentials(seeds: Sequence[int]) -> Iterator[np.ndarray]:
    """Yield one over an exponential draw for every value of the next event, shape (B, 157).

    The largest of p times this is drawn by p: the Gumbel draw without its logarithms.
    """
    sources = [np.random.Generator(np.random.Philox(seed)) for seed in seeds]
    shape = (_EVENTS_A_DRAW, N_CHOICES)
    while True:
        drawn = [rng.standard_exponential(shape, dtype=np.float32) for rng in sources]
        yield from 1.0 / (np.stack(drawn, axis=1) + _LEAST)
