"""One event of LSTM-ACM as an ONNX graph: hear the event before, foretell and choose the next.

The same equations as `incremental`, for B pieces side by side. Memories that grow (segments of the
attention, moments of the pointer) are inputs that the caller keeps up to date in place; the graph
gives back only what is to be added to them. The heads' first layers are multiplied with the chained
embeddings beforehand: choosing a field costs the next one a look into a table.

Axes
----
B piece, D hidden, L layer, H head of the attention (6), S head size, M segments, W moments
"""

from dataclasses import dataclass

import numpy as np

from generator.engine.networks.incremental import LEAST_MASS, Network
from generator.engine.networks.onnx_graph import Graph
from generator.engine.networks.remembering import FAINT, PREFIXES
from generator.engine.networks.shape import HEADS_PER_SCALE, SCALE_NAMES, NetworkShape
from generator.engine.tokens.vocabulary import BARS_PER_PHRASE, N_POSITIONS, SIZES

N_HEADS = HEADS_PER_SCALE * len(SCALE_NAMES)
N_CHOICES = sum(SIZES)
# Rows of the table of what can be heard: the fields' values, places, bars, the start, nothing.
FIELD_ROWS = np.cumsum([0, *SIZES])[:-1]
POSITION_ROW = N_CHOICES
PHRASE_ROW = POSITION_ROW + N_POSITIONS
START_ROW = PHRASE_ROW + BARS_PER_PHRASE
NOTHING_ROW = START_ROW + 1
N_HEARD = len(SIZES) + 2
NEVER = -1e9
_TINY = 1e-30
_LAST = len(SIZES) - 1


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
        fixed |= {"guess": ((len(SIZES),), np.int64), "match": ((), np.int64)}
        fixed |= {"heard_guess": ((1,), np.float32), "familiarity": ((1,), np.float32)}
        fixed |= {"place": ((3,), np.int64)}
        if shape.pointer_memory:
            fixed |= {
                "moment_keys": ((shape.pointer_size, shape.pointer_memory), np.float32),
                "moment_reach": ((shape.pointer_memory,), np.float32),
                "moment_events": ((len(SIZES), shape.pointer_memory), np.int64),
                "has_moments": ((1,), np.float32),
            }
            given["moment_key"] = ((shape.pointer_size,), np.float32)
    if scores:
        fixed["truth"] = ((len(SIZES),), np.int64)
        given["log_p"] = ((len(SIZES),), np.float32)
    elif chooses:
        fixed |= {"noise": ((N_CHOICES,), np.float32), "allowed": ((N_CHOICES,), np.float32)}
        fixed |= {"top_p": ((1,), np.float32)}
        given["chosen"] = ((len(SIZES),), np.int64)
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
            self._choose(state, scores=scores)
        for name, (shape, dtype) in {**self.shapes.given, **self.shapes.carried}.items():
            self._graph.output(self._out[name], f"{name}_out", shape, dtype)
        self.session = self._graph.session()

    def _shapes(self, *, chooses: bool, scores: bool) -> StepShapes:
        return step_shapes(self._shape, chooses=chooses, scores=scores)

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

    def _choose(self, state: str, *, scores: bool) -> None:
        g = self._graph
        base = g.split(self._linear(state, *self._first_layers()), *self._widths(0))
        gates = self._gates(state)
        chosen, scored = [], []
        heard = self._in["heard_guess"]
        guesses = g.split(self._in["guess"], *[1] * len(SIZES))
        for field in range(len(SIZES)):
            p = self._distribution(field, base[0], gates, guesses[field], heard, chosen)
            if scores:
                value = g.op("Slice", self._in["truth"], *self._slice(field))
                scored.append(self._log(g.op("GatherElements", p, value, axis=1), _TINY))
            else:
                value = self._drawn(field, p)
            chosen.append(value)
            agrees = g.op("Cast", g.op("Equal", value, guesses[field]), to=1)
            heard = g.op("Mul", heard, agrees)
            if field < _LAST:
                base = self._chained(field, base[1:], value)
        if scores:
            self._out["log_p"] = g.joined(*scored)
        else:
            self._out["chosen"] = g.joined(*chosen)

    def _widths(self, field: int) -> list[int]:
        return [self._shape.field_hidden] * (len(SIZES) - field)

    def _first_layers(self) -> tuple[np.ndarray, np.ndarray]:
        w, fields = self._w, range(len(SIZES))
        return (
            np.concatenate([w[f"head_in.{f}.weight"] for f in fields]),
            np.concatenate([w[f"head_in.{f}.bias"] for f in fields]),
        )

    def _table(self, rows: np.ndarray, field: int) -> str:
        """Return what an embedding adds to the first layers of all fields after one."""
        later = [rows @ self._w[f"head_in.{f}.weight"].T for f in range(field + 1, len(SIZES))]
        return self._graph.constant(np.concatenate(later, axis=1))

    def _chained(self, field: int, base: list[str], value: str) -> list[str]:
        g, w = self._graph, self._w
        added = self._looked_up(self._table(w[f"chain.{field}.weight"], field), value)
        if field == 0:
            place, steps, first = g.split(self._in["place"], 1, 1, 1)
            landing = g.op("Mod", g.op("Add", place, value), steps)
            landing = g.op("Add", landing, first)
            added = g.op(
                "Add", added, self._looked_up(self._table(w["landing.weight"], 0), landing)
            )
        parts = g.split(added, *self._widths(field + 1))
        return [g.op("Add", own, part) for own, part in zip(base, parts, strict=True)]

    def _looked_up(self, table: str, value: str) -> str:
        g = self._graph
        return g.op("Gather", table, g.op("Squeeze", value, g.whole(1)))

    def _gates(self, state: str) -> dict[str, str]:
        """Return the gates of both parts of the copy head, and the weights of the pointer."""
        g, w, shape = self._graph, self._w, self._shape
        names, sizes = ["copy_gate"], [len(SIZES)]
        if shape.pointer_memory:
            names += ["pointer_gate", "pointer.query", "pointer.key"]
            sizes += [len(SIZES), shape.pointer_size, shape.pointer_size]
        matrix = np.concatenate([w[f"{name}.weight"] for name in names])
        bias = np.concatenate([w[f"{name}.bias"] for name in names])
        parts = g.split(g.linear(state, matrix, bias), *sizes)
        matched = g.op("Gather", g.constant(w["copy_match.weight"]), self._in["match"])
        suffix = g.op("Add", g.op("Add", parts[0], matched), self._in["familiarity"])
        found = {"suffix": suffix}
        if shape.pointer_memory:
            found["pointer"] = g.op("Add", parts[1], self._in["familiarity"])
            self._out["moment_key"] = parts[3]
            found |= self._pointed(parts[2])
        return found

    def _pointed(self, query: str) -> dict[str, str]:
        g, size, memory = self._graph, self._shape.pointer_size, self._shape.pointer_memory
        query = g.op("Mul", query, g.number(size**-0.5))
        score = g.op("MatMul", g.reshaped(query, 0, 1, size), self._in["moment_keys"])
        score = g.op("Add", g.reshaped(score, 0, memory), self._in["moment_reach"])
        weight = g.op("Mul", g.op("Softmax", score, axis=-1), self._in["has_moments"])
        peak = g.op("ReduceMax", weight, g.whole(-1), keepdims=1)
        return {"weight": weight, "log_peak": self._log(peak, FAINT)}

    def _log(self, value: str, least: float) -> str:
        g = self._graph
        return g.op("Log", g.op("Add", value, g.number(least)))

    def _distribution(
        self,
        field: int,
        inside: str,
        gates: dict[str, str],
        guess: str,
        heard: str,
        chosen: list[str],
    ) -> str:
        """Return p of each value of a field, copy head included."""
        g, w = self._graph, self._w
        logits = g.linear(
            g.gelu(inside), w[f"head_out.{field}.weight"], w[f"head_out.{field}.bias"]
        )
        own = g.op("Softmax", logits, axis=-1)
        told = g.op(
            "OneHot",
            g.op("Squeeze", guess, g.whole(1)),
            g.whole(SIZES[field]),
            g.constant(np.array([0.0, 1.0], dtype=np.float32)),
        )
        silent = g.op("Mul", g.op("Sub", heard, g.number(1.0)), g.number(-NEVER))
        suffix = g.op("Add", g.op("Slice", gates["suffix"], *self._slice(field)), silent)
        shares, sources = [g.op("Mul", suffix, g.number(0.0)), suffix], [own, told]
        if self._shape.pointer_memory:
            said, share = self._pointer_says(field, gates, chosen, own)
            sources.append(said)
            shares.append(share)
        share = g.split(g.op("Softmax", g.joined(*shares), axis=-1), *[1] * len(shares))
        mixed = g.op("Mul", share[0], sources[0])
        for part, source in zip(share[1:], sources[1:], strict=True):
            mixed = g.op("Add", mixed, g.op("Mul", part, source))
        return mixed

    def _slice(self, field: int) -> tuple[str, str, str]:
        g = self._graph
        return g.whole(field), g.whole(field + 1), g.whole(1)

    def _pointer_says(
        self, field: int, gates: dict[str, str], chosen: list[str], like: str
    ) -> tuple[str, str]:
        """Return the pointer's distribution of a field and the logit of its share."""
        g, w = self._graph, self._w
        weight = gates["weight"]
        for known in PREFIXES[field]:
            weight = g.op("Mul", weight, self._agreement(known, chosen[known], gates))
        mass = g.summed(weight, -1, keep=True)
        nothing = g.op("Mul", like, g.number(0.0))
        told = g.op(
            "ScatterElements", nothing, self._moments(field), weight, axis=1, reduction="add"
        )
        said = g.op("Div", told, g.op("Add", mass, g.number(FAINT)))
        share = g.op("Slice", gates["pointer"], *self._slice(field))
        log_mass = g.op("Mul", self._log(mass, FAINT), g.number(w["pointer_mass"][field]))
        log_peak = g.op("Mul", gates["log_peak"], g.number(w["pointer_peak"][field]))
        share = g.op("Add", g.op("Add", share, log_mass), log_peak)
        is_heard = g.op("GreaterOrEqual", mass, g.number(LEAST_MASS))
        return said, g.op("Where", is_heard, share, g.number(NEVER))

    def _agreement(self, known: int, value: str, gates: dict[str, str]) -> str:
        """Return which moments say what was chosen; asked for once a field."""
        g, name = self._graph, f"agrees_{known}"
        if name not in gates:
            gates[name] = g.op("Cast", g.op("Equal", self._moments(known), value), to=1)
        return gates[name]

    def _moments(self, field: int) -> str:
        g = self._graph
        return g.op("Gather", self._in["moment_events"], g.constant(np.int64(field)), axis=1)

    def _drawn(self, field: int, p: str) -> str:
        """Return a value drawn from the nucleus: the likeliest ones with noise of Gumbel added."""
        g = self._graph
        first = int(FIELD_ROWS[field])
        span = (g.whole(first), g.whole(first + SIZES[field]), g.whole(1))
        p = g.op("Mul", p, g.op("Slice", self._in["allowed"], *span))
        ranked, order = g.ops("TopK", 2, p, g.whole(SIZES[field]))
        above = g.op("CumSum", ranked, g.constant(np.int64(1)), exclusive=1)
        enough = g.op("Mul", g.summed(p, -1, keep=True), self._in["top_p"])
        noise = g.op("Slice", self._in["noise"], *span)
        score = g.op("Add", self._log(ranked, _TINY), noise)
        score = g.op("Where", g.op("Less", above, enough), score, g.number(NEVER))
        best = g.op("ArgMax", score, axis=1, keepdims=1)
        return g.op("GatherElements", order, best, axis=1)
