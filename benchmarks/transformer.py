"""The peer of `benchmarks.composers`: a transformer of the same size on the same engine.

Same note events, same embeddings, same chained heads, same sampling and the same int8 matrices as
LSTM-ACM; the trunk differs: pre-norm blocks of attention (four heads of 64) over the last
`context` events, with a cache of keys and values, and feed-forward layers of 1,024. Three of them
have 2.4 million weights, LSTM-ACM's trunk 2.6. Its weights are random: it is timed, not listened
to. It has no copy head and is not told where in the bar it is, which spares it work;
`WithoutCopies` is LSTM-ACM without copy head, for a comparison of the trunks.

Two caches are timed. `in place`: the caller writes the newest key and value into the cache, as
LSTM-ACM's memories are kept; this is the best that could be done for it. `passed on`: the cache
goes in and comes out of every call, which is how transformers are usually exported.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from generator.engine.composers.streams import inverse_exponentials
from generator.engine.networks.choosing_graph import Choosing
from generator.engine.networks.incremental import Network
from generator.engine.networks.onnx_graph import Bound
from generator.engine.networks.step_graph import StepGraph, StepShapes, step_shapes

LAYERS, HEADS, HEAD_SIZE, INNER = 3, 4, 64, 1024
_NOT_ITS_OWN = ("keys", "values", "reach", "gain", "offset")


class WithoutCopies(StepGraph):
    """LSTM-ACM without its copy head, so that it does no more than its peer."""

    def _shapes(self, *, chooses: bool, scores: bool) -> StepShapes:
        bare = replace(self._shape, pointer_memory=0)
        return step_shapes(bare, chooses=chooses, scores=scores)

    def _choosing(self) -> Choosing:
        return Choosing(self._graph, self._network, self._linear, copies=False)


class TransformerGraph(WithoutCopies):
    """Chooses the next event as `StepGraph` does, from a transformer's state, without copy head."""

    def __init__(self, network: Network, context: int, *, in_place: bool) -> None:
        self._context, self._in_place = context, in_place
        self._rng = np.random.default_rng(0)
        super().__init__(network, chooses=True)

    def _shapes(self, *, chooses: bool, scores: bool) -> StepShapes:
        shapes = super()._shapes(chooses=chooses, scores=scores)
        fixed = {name: kind for name, kind in shapes.fixed.items() if name not in _NOT_ITS_OWN}
        caches, given = {}, {"chosen": shapes.given["chosen"]}
        for layer in range(LAYERS):
            caches[f"keys_{layer}"] = ((HEADS, self._context, HEAD_SIZE), np.float32)
            caches[f"values_{layer}"] = ((HEADS, self._context, HEAD_SIZE), np.float32)
            if self._in_place:
                given[f"key_{layer}"] = ((HEADS, 1, HEAD_SIZE), np.float32)
                given[f"value_{layer}"] = ((HEADS, 1, HEAD_SIZE), np.float32)
        if self._in_place:
            return StepShapes({**fixed, **caches}, {}, given)
        return StepShapes(fixed, caches, given)

    def _hear(self) -> str:
        g, size = self._graph, self._shape.hidden
        x = self._heard()
        for layer in range(LAYERS):
            x = g.op("Add", x, self._dense(self._attention(layer, self._plain_norm(x)), size))
            inner = g.gelu(self._dense(self._plain_norm(x), INNER, size))
            x = g.op("Add", x, self._dense(inner, size, INNER))
        return self._plain_norm(x)

    def _plain_norm(self, x: str) -> str:
        size = self._shape.hidden
        return self._graph.normed(x, np.ones(size, np.float32), np.zeros(size, np.float32))

    def _dense(self, x: str, n_out: int, n_in: int = HEADS * HEAD_SIZE) -> str:
        matrix = self._rng.normal(0, n_in**-0.5, (n_out, n_in)).astype(np.float32)
        return self._linear(x, matrix, np.zeros(n_out, np.float32))

    def _attention(self, layer: int, x: str) -> str:
        g, width = self._graph, HEADS * HEAD_SIZE
        parts = g.split(self._dense(x, 3 * width), *[width] * 3)
        query, key, value = (g.reshaped(part, 0, HEADS, 1, HEAD_SIZE) for part in parts)
        query = g.op("Mul", query, g.number(HEAD_SIZE**-0.5))
        past_keys, past_values = self._in[f"keys_{layer}"], self._in[f"values_{layer}"]
        if self._in_place:
            self._out[f"key_{layer}"], self._out[f"value_{layer}"] = key, value
            score = g.across(query, past_keys)
            itself = g.summed(g.op("Mul", query, key), -1, keep=True)
            weight = g.op("Softmax", g.joined(score, itself), axis=-1)
            past, own = g.split(weight, self._context, 1)
            context = g.op("MatMul", past, past_values)
            context = g.op("Add", context, g.op("Mul", own, value))
        else:
            keys, values = self._moved_on(past_keys, key), self._moved_on(past_values, value)
            self._out[f"keys_{layer}"], self._out[f"values_{layer}"] = keys, values
            weight = g.op("Softmax", g.across(query, keys), axis=-1)
            context = g.op("MatMul", weight, values)
        return g.reshaped(context, 0, width)

    def _moved_on(self, cache: str, newest: str) -> str:
        """Return the cache without its oldest event and with its newest."""
        g = self._graph
        kept = g.op("Slice", cache, g.whole(1), g.whole(self._context), g.whole(2))
        return g.op("Concat", kept, newest, axis=2)


def transformer_streams(
    graph: TransformerGraph, pieces: int, context: int, *, in_place: bool
) -> Iterator[np.ndarray]:
    """Yield the next event of every piece without end; the cache is full from the start."""
    shapes, rng = graph.shapes, np.random.default_rng(0)

    def filled(kinds: dict) -> dict[str, np.ndarray]:
        made = {n: np.zeros((pieces, *shape), dtype) for n, (shape, dtype) in kinds.items()}
        for array in made.values():
            if array.ndim == 4:
                array[:] = rng.normal(size=array.shape)
        return made

    inputs, given = filled(shapes.fixed), filled(shapes.given)
    even, odd = filled(shapes.carried), filled(shapes.carried)
    inputs["top_p"][:], inputs["allowed"][:] = 0.95, 1.0
    out = {f"{name}_out": array for name, array in given.items()}
    bound = [
        Bound(graph.session, {**inputs, **now}, {**out, **_outputs(then)})
        for now, then in ((even, odd), (odd, even))
    ]
    chance, count = inverse_exponentials(range(pieces)), 0
    while True:
        inputs["noise"][:] = next(chance)
        bound[count % 2].run()
        if in_place:
            for layer in range(LAYERS):
                slot = count % context
                inputs[f"keys_{layer}"][:, :, slot] = given[f"key_{layer}"][:, :, 0]
                inputs[f"values_{layer}"][:, :, slot] = given[f"value_{layer}"][:, :, 0]
        inputs["heard"][:, :5] = given["chosen"]
        count += 1
        yield given["chosen"]


def _outputs(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{name}_out": array for name, array in arrays.items()}
