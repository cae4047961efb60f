"""LSTM-ACM one event at a time, in numpy: what composes in a worker, without torch.

The state of a piece (LSTM cells, last convolution inputs, remembered segments) has a fixed size, so
an event costs the same at the end of a long night as at its beginning, and equals the full forward
pass of `lstm_acm` up to rounding (1e-5).

Conventions
-----------
D hidden (256), S = 2 heads x 48, M remembered segments; all arrays float32
"""

from collections.abc import Mapping

import numpy as np
from scipy.special import erf

from generator.engine.errors import CheckpointError
from generator.engine.networks.checkpoints import Checkpoint
from generator.engine.networks.remembering import FAINT, PastMoments
from generator.engine.networks.shape import HEADS_PER_SCALE, SCALE_NAMES, NetworkShape
from generator.engine.tokens.vocabulary import SIZES

_EPSILON = 1e-5
LEAST_MASS = 1e-6
_TINY = 1e-30
_ROOT_HALF = np.float32(np.sqrt(0.5))

Weights = Mapping[str, np.ndarray]


class Network:
    """The weights of a release, laid out for products with one vector at a time.

    Parameters
    ----------
    checkpoint : Checkpoint

    Raises
    ------
    CheckpointError
        The release is not an LSTM-ACM network, or an array is missing.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        try:
            self.shape = NetworkShape.of_release(checkpoint.config["shape"])
            self.weights = {
                name: np.ascontiguousarray(array, dtype=np.float32)
                for name, array in checkpoint.arrays.items()
            }
            self.lstm = [self._lstm(layer) for layer in range(self.shape.layers)]
            self.kernels = [self._kernel(layer) for layer in range(self.shape.layers)]
            self.scales = [self._scale(index) for index in range(len(SCALE_NAMES))]
        except (KeyError, TypeError) as error:
            raise CheckpointError(
                f"an LSTM-ACM release was expected, got {checkpoint.release} without {error}. "
                "Install the release again."
            ) from error

    def _lstm(self, layer: int) -> tuple[np.ndarray, np.ndarray]:
        w, name = self.weights, f"lstms.{layer}."
        matrix = np.hstack([w[name + "weight_ih_l0"], w[name + "weight_hh_l0"]])
        return np.ascontiguousarray(matrix), w[name + "bias_ih_l0"] + w[name + "bias_hh_l0"]

    def _kernel(self, layer: int) -> np.ndarray:
        """Return the causal convolution as one matrix over its inputs in order of time."""
        kernel = self.weights[f"blocks.{layer}.conv.weight"]  # (out, in, width)
        return np.ascontiguousarray(kernel.transpose(0, 2, 1).reshape(len(kernel), -1))

    def _scale(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the key and value projections of one scale as one matrix and one bias."""
        w, name = self.weights, f"attention.scales.{index}."
        matrix = np.vstack([w[name + "key.weight"], w[name + "value.weight"]])
        return matrix, np.concatenate([w[name + "key.bias"], w[name + "value.bias"]])


class _SegmentMemory:
    """Keys and values of the last M segments of one scale, oldest first, and the open segment."""

    def __init__(self, network: Network, index: int) -> None:
        shape = network.shape
        self._matrix, self._bias = network.scales[index]
        self._memory = shape.memory
        self._inner = HEADS_PER_SCALE * shape.head_size
        self._rows = np.zeros((4 * shape.memory, 2 * self._inner), dtype=np.float32)
        self._end = 0
        self._sum = np.zeros(shape.hidden, dtype=np.float32)
        self._count = 0

    def close(self) -> None:
        """Take the open segment, if it holds anything, among those that can be attended to."""
        if self._count:
            self.push(self._sum / np.float32(self._count))
        self._sum[:] = 0.0
        self._count = 0

    def grow(self, state: np.ndarray) -> None:
        """Add one event's state to the open segment."""
        self._sum += state
        self._count += 1

    def push(self, state: np.ndarray) -> None:
        """Remember one completed segment."""
        if self._end == len(self._rows):
            self._rows[: self._memory] = self._rows[self._end - self._memory :]
            self._end = self._memory
        self._rows[self._end] = self._matrix @ state + self._bias
        self._end += 1

    def recent(self) -> tuple[np.ndarray, np.ndarray]:
        """Return keys and values of the visible segments, each shape (n, S), oldest first."""
        rows = self._rows[max(self._end - self._memory, 0) : self._end]
        return rows[:, : self._inner], rows[:, self._inner :]


class Listener:
    """A piece as the network hears it: `hear` events, then ask for the logits of the next one.

    Parameters
    ----------
    network : Network
    conditions : ndarray, float32, shape (14,)
        A network of an older release reads as many of them as it knows.
    """

    def __init__(self, network: Network, conditions: np.ndarray) -> None:
        self._network = network
        shape = network.shape
        self._x_h = [np.zeros(2 * shape.hidden, dtype=np.float32) for _ in range(shape.layers)]
        self._cell = [np.zeros(shape.hidden, dtype=np.float32) for _ in range(shape.layers)]
        self._conv = [
            np.zeros((3, shape.bottleneck), dtype=np.float32) for _ in range(shape.layers)
        ]
        self._memories = [_SegmentMemory(network, index) for index in range(len(SCALE_NAMES))]
        self._previous = np.zeros(shape.hidden, dtype=np.float32)
        self._score = np.empty(shape.memory + 1, dtype=np.float32)
        self._past = PastMoments(network.weights, shape) if shape.pointer_memory else None
        self.ask_for(conditions)
        self.state = self._taken_in(None, 0, 0, opens_beat=False, opens_bar=False)

    def ask_for(self, conditions: np.ndarray) -> None:
        """Change what is asked of the music from the next event on."""
        w = self._network.weights
        conditions = conditions[: self._network.shape.conditions]
        self._condition = w["condition.weight"] @ conditions + w["condition.bias"]
        self._film = []
        for layer in range(self._network.shape.layers):
            name = f"blocks.{layer}.film."
            film = w[name + "weight"] @ conditions + w[name + "bias"]
            self._film.append(np.split(film, 2))

    def hear(
        self,
        event: tuple[int, ...],
        position: int,
        phrase: int,
        *,
        opens_beat: bool,
        opens_bar: bool,
    ) -> None:
        """Take in one event; `state` then foretells the next."""
        if self._past is not None:
            self._past.append(self.state, event)
        self.state = self._taken_in(
            event, position, phrase, opens_beat=opens_beat, opens_bar=opens_bar
        )

    def _taken_in(
        self,
        event: tuple[int, ...] | None,
        position: int,
        phrase: int,
        *,
        opens_beat: bool,
        opens_bar: bool,
    ) -> np.ndarray:
        """Return the state after an event, or before the first one (None)."""
        w = self._network.weights
        if event is None:
            x = w["start"]
        else:
            x = w["position.weight"][position] + w["phrase.weight"][phrase]
            for index, value in enumerate(event):
                x = x + w[f"fields.{index}.weight"][value]
        return self._hear(x, opens_beat=opens_beat, opens_bar=opens_bar)

    def logits(self, field: int, chain: np.ndarray) -> np.ndarray:
        """Return the logits of a field, given `state` chained with the fields before it."""
        w = self._network.weights
        inside = w[f"head_in.{field}.weight"] @ chain + w[f"head_in.{field}.bias"]
        return w[f"head_out.{field}.weight"] @ _gelu(inside) + w[f"head_out.{field}.bias"]

    def chained(
        self, field: int, chain: np.ndarray, value: int, position: int | None = None
    ) -> np.ndarray:
        """Return the chain after a field has been chosen; after the shift, say where it lands."""
        w = self._network.weights
        chain = chain + w[f"chain.{field}.weight"][value]
        return chain if position is None else chain + w["landing.weight"][position]

    def copy_share(self, match: int, familiarity: float = 0.0) -> np.ndarray:
        """Return the share l of the copy head for each field, shape (5,).

        Parameters
        ----------
        match : int
            Match class of the copy memory, 1-4; 0 gives no share.
        familiarity : float
            Added to the gate's logit: more makes the piece quote itself more.
        """
        if match == 0:
            return np.zeros(len(SIZES), dtype=np.float32)
        return _sigmoid(self._suffix_gate(match) + np.float32(familiarity))

    def log_distribution(
        self,
        chain: np.ndarray,
        chosen: tuple[int, ...],
        guess: tuple[int, ...] | None = None,
        match: int = 0,
        familiarity: float = 0.0,
    ) -> np.ndarray:
        """Return log p of each value of the next field of the event to come, copy head included.

        Parameters
        ----------
        chain : ndarray
            `state` chained with the fields chosen so far.
        chosen : tuple of int
            Those fields; the one after them is foretold.
        guess, match
            What the suffix memory foretells, as `CopyMemory.predict` gives it.
        familiarity : float
            Added to the logits of both parts of the copy head.
        """
        field = len(chosen)
        sources = [_softmax(self.logits(field, chain).astype(np.float64))]
        gates = [0.0]
        if guess is not None and guess[:field] == chosen:
            told = np.zeros(SIZES[field])
            told[guess[field]] = 1.0
            sources.append(told)
            gates.append(float(self._suffix_gate(match)[field]) + familiarity)
        if self._past is not None:
            said, mass, peak = self._past.point(self.state, chosen)
            if mass >= LEAST_MASS:
                sources.append(said)
                gates.append(self._pointer_gate(field, mass, peak) + familiarity)
        if len(sources) == 1:
            return np.log(sources[0] + _TINY)
        mixed = _TINY
        for share, p in zip(_softmax(np.array(gates)), sources, strict=True):
            mixed = mixed + share * p
        return np.log(mixed)

    def _suffix_gate(self, match: int) -> np.ndarray:
        w = self._network.weights
        match = min(match, self._network.shape.match_classes - 1)
        gate = w["copy_gate.weight"] @ self.state + w["copy_gate.bias"]
        return gate + w["copy_match.weight"][match]

    def _pointer_gate(self, field: int, mass: float, peak: float) -> float:
        w = self._network.weights
        gate = w["pointer_gate.weight"][field] @ self.state + w["pointer_gate.bias"][field]
        sureness = w["pointer_mass"][field] * np.log(mass + FAINT)
        return float(gate + sureness + w["pointer_peak"][field] * np.log(peak + FAINT))

    def _hear(self, x: np.ndarray, *, opens_beat: bool, opens_bar: bool) -> np.ndarray:
        x = x + self._condition
        for layer in range(self._network.shape.layers):
            x = self._block(layer, x + self._lstm(layer, x))
        notes, beats, bars = self._memories
        notes.push(x)
        if opens_beat:
            beats.close()
        if opens_bar:
            bars.close()
        beats.grow(x)
        bars.grow(x)
        w = self._network.weights
        state = _normed(x + self._attended(x), w["norm.weight"], w["norm.bias"])
        self._previous = x
        return state

    def _lstm(self, layer: int, x: np.ndarray) -> np.ndarray:
        """Equations 1-6, the four gates in one product."""
        matrix, bias = self._network.lstm[layer]
        size, x_h = self._network.shape.hidden, self._x_h[layer]
        x_h[:size] = x
        gates = matrix @ x_h + bias
        candidate = np.tanh(gates[2 * size : 3 * size])
        opened = _sigmoid(gates)
        cell = opened[size : 2 * size] * self._cell[layer] + opened[:size] * candidate
        hidden = opened[3 * size :] * np.tanh(cell)
        self._cell[layer] = cell
        x_h[size:] = hidden
        return hidden

    def _block(self, layer: int, x: np.ndarray) -> np.ndarray:
        """Equations 7 and 8, the middle convolution over the last three events."""
        w, name = self._network.weights, f"blocks.{layer}."
        scale, shift = self._film[layer]
        y = _normed(x, w[name + "norm.weight"], w[name + "norm.bias"]) * (1 + scale) + shift
        past = self._conv[layer]
        past[:-1] = past[1:]
        past[-1] = _gelu(w[name + "squeeze.weight"] @ y + w[name + "squeeze.bias"])
        y = self._network.kernels[layer] @ past.ravel() + w[name + "conv.bias"]
        return x + w[name + "expand.weight"] @ _gelu(y) + w[name + "expand.bias"]

    def _attended(self, x: np.ndarray) -> np.ndarray:
        """Equations 9-15 for one event."""
        w = self._network.weights
        size = self._network.shape.head_size
        hidden = np.tanh(
            w["attention.now.weight"] @ x
            + w["attention.now.bias"]
            + w["attention.before.weight"] @ self._previous
        )
        gamma = _softmax(w["attention.importance.weight"] @ hidden)
        contexts = []
        for index, memory in enumerate(self._memories):
            name = f"attention.scales.{index}."
            query = w[name + "query.weight"] @ x + w[name + "query.bias"]
            query *= np.float32(size**-0.5)
            keys, values = memory.recent()
            bias, null_key = w[name + "distance_bias"], w[name + "null_key"]
            for head in range(HEADS_PER_SCALE):
                span = slice(head * size, (head + 1) * size)
                score = self._score[: len(keys) + 1]
                score[:-1] = keys[:, span] @ query[span] + bias[head, : len(keys)][::-1]
                score[-1] = null_key[head] @ query[span]
                weight = _softmax(score)
                context = weight[:-1] @ values[:, span]
                context += weight[-1] * w[name + "null_value"][head]
                contexts.append(gamma[index] * context)
        return w["attention.out.weight"] @ np.concatenate(contexts) + w["attention.out.bias"]


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.float32(0.5) * (np.tanh(np.float32(0.5) * x) + np.float32(1.0))


def _gelu(x: np.ndarray) -> np.ndarray:
    return np.float32(0.5) * x * (np.float32(1.0) + erf(x * _ROOT_HALF))


def _softmax(x: np.ndarray) -> np.ndarray:
    weights = np.exp(x - np.maximum.reduce(x))
    weights /= np.add.reduce(weights)
    return weights


def _normed(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    # The ufuncs themselves: ndarray.mean costs as much as the rest of the layer.
    centred = x - np.add.reduce(x) / np.float32(len(x))
    spread = np.sqrt(centred @ centred / np.float32(len(x)) + np.float32(_EPSILON))
    centred *= weight / spread
    centred += bias
    return centred
