"""One event of LSTM-ACM as an ONNX graph: hear the event before, foretell and choose the next.

The same equations as `incremental`, for B pieces side by side. Memories that grow (segments of the
attention, moments of the pointer) are inputs that the caller keeps up to date in place; the graph
gives back only what is to be added to them. How an event is chosen is `choosing_graph`'s.

Axes
----
B piece, D hidden, L layer, H head of the attention (6), S head size, M segments
"""

from dataclasses import dataclass

import numpy as np

from generator.engine.networks.choosing_graph import (
    N_CHOICES,
    Choosing,
    choosing_inputs,
)
from generator.engine.networks.incremental import Network
from generator.engine.networks.onnx_graph import Graph
from generator.engine.networks.shape import HEADS_PER_SCALE, SCALE_NAMES, NetworkShape
from generator.engine.tokens.vocabulary import BARS_PER_PHRASE, N_POSITIONS, SIZES

N_HEADS = HEADS_PER_SCALE * len(SCALE_NAMES)
# Rows of the table of what can be heard: the fields' values, places, bars, the start, nothing.
POSITION_ROW = N_CHOICES
PHRASE_ROW = POSITION_ROW + N_POSITIONS
START_ROW = PHRASE_ROW + BARS_PER_PHRASE
NOTHING_ROW = START_ROW + 1
N_HEARD = len(SIZES) + 2
NEVER = -1e9


@dataclass(frozen=True)
class StepShapes:
    """The buffers of a step, by name, without the batch axis: (shape, dtype)."""

    fixed: dict[str, tuple[tuple[int, ...], type]]
    carried: dict[str, tuple[tuple[int, ...], type]]
    given: dict[str, tuple[tuple[int, ...], type]]


def step_shapes(shape: NetworkShape, *, chooses: bool, scores: bool) -> StepShapes:
    """Return what a step reads (`fixed`), passes on to itself (`carried`) and gives (`given`)."""
    hidden, heads = shape.hidden, (N_HEADS, shape.head_size)
    fixed = {
        "heard": ((N_HEARD,), np.int64),
        "asked": ((hidden,), np.float32),
        "gain": ((shape.layers * hidden,), np.float32),
        "offset": ((shape.layers * hidden,), np.float32),
        "keys": ((N_HEADS, shape.head_size, shape.memory), np.float32),
        "values": ((N_HEADS, shape.memory, shape.head_size), np.float32),
        "reach": ((N_HEADS, shape.memory), np.float32),
    }
    carried = {"before": ((shape.bottleneck,), np.float32)}
    for layer in range(shape.layers):
        carried[f"hidden_{layer}"] = carried[f"cell_{layer}"] = ((hidden,), np.float32)
        carried[f"conv_{layer}"] = ((2 * shape.bottleneck,), np.float32)
    given = {
        "state": ((hidden,), np.float32),
        "key": (heads, np.float32),
        "value": (heads, np.float32),
    }
    if chooses or scores:
        reads, gives = choosing_inputs(shape, scores=scores)
        fixed |= reads
        given |= gives
    return StepShapes(fixed, carried, given)


class StepGraph:
    """Builds the graph of a network.

    Parameters
    ----------
    network : Network
    exact : bool
        Float32 throughout; else the large matrices are int8.
    chooses, scores : bool
        Whether the next event is drawn, or a given one is scored; neither: it only hears.
    """

    def __init__(
        self, network: Network, *, exact: bool = False, chooses: bool = False, scores: bool = False
    ) -> None:
        self._w, self._shape, self._exact = network.weights, network.shape, exact
        self._network = network
        self._graph = Graph()
        self.shapes = self._shapes(chooses=chooses, scores=scores)
        inputs = {**self.shapes.fixed, **self.shapes.carried}
        self._in = {name: self._graph.input(name, *kind) for name, kind in inputs.items()}
        self._out: dict[str, str] = {}
        state = self._hear()
        if chooses or scores:
            choosing = self._choosing()
            self._out |= choosing.scored(state) if scores else choosing.drawn(state)
        for name, (shape, dtype) in {**self.shapes.given, **self.shapes.carried}.items():
            self._graph.output(self._out[name], f"{name}_out", shape, dtype)
        self.session = self._graph.session()

    def _shapes(self, *, chooses: bool, scores: bool) -> StepShapes:
        return step_shapes(self._shape, chooses=chooses, scores=scores)

    def _choosing(self) -> Choosing:
        return Choosing(self._graph, self._network, self._linear)

    def _linear(self, value: str, matrix: np.ndarray, bias: np.ndarray) -> str:
        if self._exact:
            return self._graph.linear(value, matrix, bias)
        g = self._graph
        levels, largest = g.quantised(value)
        product = g.op("Mul", g.integer_product(levels, matrix), largest)
        return g.op("Add", product, g.constant(bias))

    def _hear(self) -> str:
        g, w = self._graph, self._w
        hidden, layers = self._shape.hidden, self._shape.layers
        x = self._heard()
        gains = g.split(self._in["gain"], *[hidden] * layers)
        offsets = g.split(self._in["offset"], *[hidden] * layers)
        for layer in range(layers):
            x = g.op("Add", x, self._lstm(layer, x))
            x = self._block(layer, x, gains[layer], offsets[layer])
        state = g.normed(g.op("Add", x, self._attended(x)), w["norm.weight"], w["norm.bias"])
        self._out["state"] = state
        return state

    def _heard(self) -> str:
        """Return the sum of all that is known of the event before, and of what is asked."""
        g, w = self._graph, self._w
        rows = [w[f"fields.{index}.weight"] for index in range(len(SIZES))]
        rows += [w["position.weight"], w["phrase.weight"], w["start"][None]]
        rows.append(np.zeros((1, self._shape.hidden), dtype=np.float32))
        x = g.summed(g.op("Gather", g.constant(np.concatenate(rows)), self._in["heard"]), 1)
        return g.op("Add", x, self._in["asked"])

    def _lstm(self, layer: int, x: str) -> str:
        """Equations 1-6; the candidate's rows moved behind the three gates'."""
        g, size = self._graph, self._shape.hidden
        matrix, bias = self._network.lstm[layer]
        order = np.r_[0 : 2 * size, 3 * size : 4 * size, 2 * size : 3 * size]
        matrix, bias = matrix[order], bias[order]
        past = self._in[f"hidden_{layer}"]
        if self._exact:
            gates = g.linear(g.joined(x, past), matrix, bias)
        else:
            levels, largest = g.quantised(x)
            gates = g.op("Mul", g.integer_product(levels, matrix[:, :size]), largest)
            from_past = g.integer_product(g.quantised_unit(past), matrix[:, size:])
            gates = g.op("Add", g.op("Add", gates, from_past), g.constant(bias))
        opened, candidate = g.split(gates, 3 * size, size)
        into, forget, out = g.split(g.op("Sigmoid", opened), size, size, size)
        kept = g.op("Mul", forget, self._in[f"cell_{layer}"])
        cell = g.op("Add", kept, g.op("Mul", into, g.op("Tanh", candidate)))
        hidden = g.op("Mul", out, g.op("Tanh", cell))
        self._out[f"cell_{layer}"], self._out[f"hidden_{layer}"] = cell, hidden
        return hidden

    def _block(self, layer: int, x: str, gain: str, offset: str) -> str:
        """Equations 7 and 8, the middle convolution over the last three events."""
        g, w, name = self._graph, self._w, f"blocks.{layer}."
        y = g.normed(x, w[name + "norm.weight"], w[name + "norm.bias"])
        y = g.op("Add", g.op("Mul", y, gain), offset)
        y = g.gelu(g.linear(y, w[name + "squeeze.weight"], w[name + "squeeze.bias"]))
        three = g.joined(self._in[f"conv_{layer}"], y)
        size = self._shape.bottleneck
        self._out[f"conv_{layer}"] = g.split(three, size, 2 * size)[1]
        y = g.gelu(g.linear(three, self._network.kernels[layer], w[name + "conv.bias"]))
        y = g.linear(y, w[name + "expand.weight"], w[name + "expand.bias"])
        return g.op("Add", x, y)

    def _attended(self, x: str) -> str:
        """Equations 9-15, all six heads at once; an event sees itself, closed segments, nothing."""
        g, w, shape = self._graph, self._w, self._shape
        inner, size, memory = N_HEADS * shape.head_size, shape.head_size, shape.memory
        query, key, value, now, then = g.split(
            self._linear(x, *self._projections()),
            *[inner] * 3,
            *[shape.bottleneck] * 2,
        )
        self._out["before"] = then
        blend = g.op("Tanh", g.op("Add", now, self._in["before"]))
        importance = w["attention.importance.weight"]
        gamma = g.linear(blend, importance, np.zeros(len(importance), dtype=np.float32))
        gamma = g.op("Softmax", gamma, axis=-1)

        query, key, value = (g.reshaped(v, 0, N_HEADS, size) for v in (query, key, value))
        self._out["key"], self._out["value"] = key, value
        null_key, null_value, here = (g.constant(a) for a in self._nothing_and_here())
        score = g.op("MatMul", g.reshaped(query, 0, N_HEADS, 1, size), self._in["keys"])
        score = g.op("Add", g.reshaped(score, 0, N_HEADS, memory), self._in["reach"])
        itself = g.op("Add", g.summed(g.op("Mul", query, key), -1, keep=True), here)
        nothing = g.summed(g.op("Mul", query, null_key), -1, keep=True)
        weight = g.op("Softmax", g.joined(score, itself, nothing), axis=-1)
        past, itself, nothing = g.split(weight, memory, 1, 1)
        context = g.op("MatMul", g.reshaped(past, 0, N_HEADS, 1, memory), self._in["values"])
        context = g.reshaped(context, 0, N_HEADS, size)
        context = g.op("Add", context, g.op("Mul", itself, value))
        context = g.op("Add", context, g.op("Mul", nothing, null_value))
        scales = len(SCALE_NAMES)
        context = g.op(
            "Mul",
            g.reshaped(context, 0, scales, inner // scales),
            g.reshaped(gamma, 0, scales, 1),
        )
        return self._linear(
            g.reshaped(context, 0, inner), w["attention.out.weight"], w["attention.out.bias"]
        )

    def _projections(self) -> tuple[np.ndarray, np.ndarray]:
        """Return queries, keys, values of all scales and the two halves of equation 11."""
        w, root = self._w, np.float32(self._shape.head_size**-0.5)
        matrices, biases = [], []
        for kind, factor in (("query", root), ("key", 1), ("value", 1)):
            for index in range(len(SCALE_NAMES)):
                name = f"attention.scales.{index}.{kind}."
                matrices.append(w[name + "weight"] * factor)
                biases.append(w[name + "bias"] * factor)
        matrices += [w["attention.now.weight"], w["attention.before.weight"]]
        biases += [w["attention.now.bias"], np.zeros(self._shape.bottleneck, dtype=np.float32)]
        return np.concatenate(matrices), np.concatenate(biases)

    def _nothing_and_here(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the null keys and values, and how an event of its own scale sees itself."""
        w, names = self._w, [f"attention.scales.{i}." for i in range(len(SCALE_NAMES))]
        here = np.full((N_HEADS, 1), NEVER, dtype=np.float32)
        here[:HEADS_PER_SCALE, 0] = w[names[0] + "distance_bias"][:, 0]
        keys = np.concatenate([w[name + "null_key"] for name in names])
        return keys, np.concatenate([w[name + "null_value"] for name in names]), here
