"""LSTM-ACM on the fast engine: many pieces a call, or one piece for a composer.

The graph of `step_graph` runs in buffers that stay where they are: what a piece remembers is
written in place, a slot of a ring at a time, so an event costs the same at the end of a night as at
its beginning. Int8 costs little held-out likelihood (docs/music.md has the figures); `exact` keeps
float32 and equals `incremental` up to rounding.

A piece's music does not depend on who else is in its batch, but it does depend on the engine: int8
and float32 part ways at some note. A release's name therefore carries the engine.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from generator.engine.networks.choosing_graph import FIELD_ROWS, MOMENT_SIZES, moments_said
from generator.engine.networks.incremental import Listener, Network
from generator.engine.networks.onnx_graph import Bound
from generator.engine.networks.remembering import distance_bias
from generator.engine.networks.shape import HEADS_PER_SCALE, SCALE_NAMES
from generator.engine.networks.step_graph import (
    N_HEARD,
    NEVER,
    NOTHING_ROW,
    PHRASE_ROW,
    POSITION_ROW,
    START_ROW,
    StepGraph,
)
from generator.engine.tokens.vocabulary import SIZES

_MAXIMAL_FIELDS = len(SIZES)


@dataclass(frozen=True)
class FastNetwork:
    """A network and the graphs that were made of it; made once, shared by all pieces."""

    network: Network
    hearing: StepGraph | None = None
    choosing: StepGraph | None = None
    scoring: StepGraph | None = None


def fast_network(
    network: Network,
    *,
    exact: bool = False,
    hears: bool = False,
    chooses: bool = False,
    scores: bool = False,
) -> FastNetwork:
    """Return a network with the graphs that are asked for.

    Parameters
    ----------
    network : Network
    exact : bool
        Float32 instead of int8.
    hears, chooses, scores : bool
        For `FastListener`; for streams; for held-out likelihood.

    Raises
    ------
    EngineUnavailable
        onnx or onnxruntime is not installed.
    """
    return FastNetwork(
        network,
        StepGraph(network, exact=exact) if hears else None,
        StepGraph(network, exact=exact, chooses=True) if chooses else None,
        StepGraph(network, exact=exact, scores=True) if scores else None,
    )


class _Segments:
    """The rings of keys and values of the three scales, and the beats and bars that are open."""

    def __init__(self, network: Network, buffers: dict[str, np.ndarray]) -> None:
        shape = network.shape
        self._keys, self._values = buffers["keys"], buffers["values"]
        self._reach = buffers["reach"]
        self._memory = shape.memory
        pieces, scales = len(self._keys), len(SCALE_NAMES)
        self._count = np.zeros((scales, pieces), dtype=np.int64)
        longer = (scales - 1) * HEADS_PER_SCALE
        self._open = np.zeros((2, pieces, longer, shape.head_size), np.float32)
        self._size = np.zeros((scales, pieces), dtype=np.int64)
        self._reaches = [
            _rotations(
                network.weights[f"attention.scales.{index}.distance_bias"],
                nearest=1 if index == 0 else 0,
            )
            for index in range(scales)
        ]
        self._reach[:] = NEVER

    def close(self, scale: int, pieces: np.ndarray) -> None:
        """Take the open segments of some pieces among those that can be attended to."""
        pieces = pieces[self._size[scale, pieces] > 0]
        if not len(pieces):
            return
        size = self._size[scale, pieces].astype(np.float32)[:, None, None]
        span = slice(HEADS_PER_SCALE * (scale - 1), HEADS_PER_SCALE * scale)
        key, value = self._open[:, pieces, span] / size
        self._write(scale, pieces, key, value)
        self._open[:, pieces, span] = 0.0
        self._size[scale, pieces] = 0

    def grow(self, key: np.ndarray, value: np.ndarray) -> None:
        """Take in one event of every piece: a segment of its own, and a part of a beat and a bar.

        The mean of keys is the key of the mean: projections are linear.
        """
        heads = HEADS_PER_SCALE
        slot = int(self._count[0, 0]) % self._memory
        self._keys[:, :heads, :, slot] = key[:, :heads]
        self._values[:, :heads, slot] = value[:, :heads]
        self._count[0] += 1
        self._reach[:, :heads] = self._reaches[0][self._turn(int(self._count[0, 0]))]
        self._open[0] += key[:, heads:]
        self._open[1] += value[:, heads:]
        self._size[1:] += 1

    def _turn(self, count: int) -> int:
        return count if count < self._memory else self._memory + count % self._memory

    def _write(self, scale: int, pieces: np.ndarray, key: np.ndarray, value: np.ndarray) -> None:
        for row, piece in enumerate(pieces.tolist()):
            slot = int(self._count[scale, piece]) % self._memory
            span = slice(HEADS_PER_SCALE * scale, HEADS_PER_SCALE * (scale + 1))
            self._keys[piece, span, :, slot] = key[row]
            self._values[piece, span, slot] = value[row]
            self._count[scale, piece] += 1
            turn = self._turn(int(self._count[scale, piece]))
            self._reach[piece, span] = self._reaches[scale][turn]


def _rotations(bias: np.ndarray, nearest: int) -> np.ndarray:
    """Return the bias of each slot of a ring for every state of it, shape (2M, heads, M).

    Row k < M: k slots are filled. Row M + r: all are, and slot r is the oldest, next to be written.
    `nearest` is the distance of the newest slot; what lies beyond M is never seen.
    """
    memory = bias.shape[1]
    known = np.concatenate([bias, np.full((len(bias), memory + 1), NEVER, np.float32)], axis=1)
    rows = np.full((2 * memory, len(bias), memory), NEVER, dtype=np.float32)
    slots = np.arange(memory)
    for filled in range(1, memory):
        distance = filled - 1 - slots[:filled] + nearest
        rows[filled, :, :filled] = known[:, distance]
    for oldest in range(memory):
        rows[memory + oldest] = known[:, (oldest - 1 - slots) % memory + nearest]
    return rows


class _Moments:
    """The ring of the pointer: keys of states and the events that came after them."""

    def __init__(self, network: Network, buffers: dict[str, np.ndarray]) -> None:
        self._keys = buffers["moment_keys"]
        self._said = [buffers[f"moments_{group}"] for group in range(len(MOMENT_SIZES))]
        self._reach, self._has = buffers["moment_reach"], buffers["has_moments"]
        self._memory = network.shape.pointer_memory
        self._count = 0
        bias = distance_bias(network.weights, self._memory)  # oldest first
        self._reaches = _rotations(bias[None, ::-1], nearest=0)[:, 0]
        self._reach[:] = NEVER

    def append(self, key: np.ndarray, events: np.ndarray) -> None:
        slot = self._count % self._memory
        self._keys[:, slot] = key
        said = moments_said(events)
        for group, ring in enumerate(self._said):
            ring[:, slot] = said[:, group]
        self._count += 1
        full = self._count >= self._memory
        turn = self._memory + self._count % self._memory if full else self._count
        self._reach[:] = self._reaches[turn]
        self._has[:] = 1.0


class Steps:
    """Pieces side by side on one graph, from their first event on.

    Parameters
    ----------
    network : Network
    graph : StepGraph
    conditions : ndarray, shape (B, C)
        What is asked of each piece.
    """

    def __init__(self, network: Network, graph: StepGraph, conditions: np.ndarray) -> None:
        self._network, pieces = network, len(conditions)
        shapes = graph.shapes

        def zeros(kinds: dict) -> dict[str, np.ndarray]:
            return {n: np.zeros((pieces, *shape), dtype) for n, (shape, dtype) in kinds.items()}

        self.inputs, self.given = zeros(shapes.fixed), zeros(shapes.given)
        even, odd = zeros(shapes.carried), zeros(shapes.carried)
        given = {f"{name}_out": array for name, array in self.given.items()}
        # What one call passes on is what the next one reads: two sets of buffers take turns.
        self._bound = [
            Bound(
                graph.session,
                {**self.inputs, **now},
                {**given, **{f"{name}_out": array for name, array in then.items()}},
            )
            for now, then in ((even, odd), (odd, even))
        ]
        self._turn = 0
        self._segments = _Segments(network, self.inputs)
        self._moments = _Moments(network, self.inputs) if "moment_keys" in self.inputs else None
        self.ask_for(conditions)
        self.inputs["heard"][:] = NOTHING_ROW
        self.inputs["heard"][:, 0] = START_ROW
        self._rows = np.arange(pieces)[:, None]

    def ask_for(self, conditions: np.ndarray) -> None:
        """Change what is asked of every piece from the next event on."""
        w, shape = self._network.weights, self._network.shape
        conditions = conditions[:, : shape.conditions].astype(np.float32)
        self.inputs["asked"][:] = conditions @ w["condition.weight"].T + w["condition.bias"]
        for layer in range(shape.layers):
            name = f"blocks.{layer}.film."
            film = conditions @ w[name + "weight"].T + w[name + "bias"]
            span = slice(layer * shape.hidden, (layer + 1) * shape.hidden)
            self.inputs["gain"][:, span] = 1.0 + film[:, : shape.hidden]
            self.inputs["offset"][:, span] = film[:, shape.hidden :]

    def tell(self, guesses: np.ndarray, match: np.ndarray) -> None:
        """Say what the suffix memory foretells of the next event of every piece.

        Parameters
        ----------
        guesses : ndarray of int, shape (B, 5)
        match : ndarray of int, shape (B,)
            The match class; 0 where nothing is foretold.
        """
        told = self.inputs["told"]
        told[:] = 0.0
        told[self._rows, FIELD_ROWS + guesses] = (match > 0)[:, None]
        self.inputs["match"][:] = np.minimum(match, self._network.shape.match_classes - 1)

    def hear(
        self,
        events: np.ndarray,
        positions: Sequence[int],
        phrases: Sequence[int],
        opens: np.ndarray,
    ) -> None:
        """Prepare to take in one event of every piece; `run` then does.

        Parameters
        ----------
        events : ndarray of int, shape (B, 5)
        positions, phrases : sequence of int
        opens : ndarray of bool, shape (B, 2)
            Whether the event opens a beat, a bar.
        """
        heard = self.inputs["heard"]
        np.add(events, FIELD_ROWS, out=heard[:, :_MAXIMAL_FIELDS])
        heard[:, N_HEARD - 2] = POSITION_ROW + np.asarray(positions)
        heard[:, N_HEARD - 1] = PHRASE_ROW + np.asarray(phrases)
        for scale in range(1, len(SCALE_NAMES)):
            self._segments.close(scale, np.flatnonzero(opens[:, scale - 1]))
        if self._moments is not None:
            self._moments.append(self.given["moment_key"], events)

    def run(self) -> None:
        """Take in what was prepared; `given` then holds the state and what was chosen."""
        self._bound[self._turn].run()
        self._turn = 1 - self._turn
        self._segments.grow(self.given["key"], self.given["value"])


class FastListener(Listener):
    """A `Listener` whose hearing runs on the fast engine; foretelling stays in numpy.

    Parameters
    ----------
    fast : FastNetwork
        With a graph that hears.
    conditions : ndarray, shape (C,)
    """

    def __init__(self, fast: FastNetwork, conditions: np.ndarray) -> None:
        self._steps = Steps(fast.network, fast.hearing, np.atleast_2d(conditions))
        self._is_new = True
        super().__init__(fast.network, conditions)

    def ask_for(self, conditions: np.ndarray) -> None:
        """Change what is asked of the music from the next event on."""
        self._steps.ask_for(np.atleast_2d(conditions))

    def _taken_in(
        self,
        event: tuple[int, ...] | None,
        position: int,
        phrase: int,
        *,
        opens_beat: bool,
        opens_bar: bool,
    ) -> np.ndarray:
        if event is not None:
            opens = np.array([[opens_beat, opens_bar]])
            self._steps.hear(np.array([event]), [position], [phrase], opens)
        self._steps.run()
        return self._steps.given["state"][0].copy()
