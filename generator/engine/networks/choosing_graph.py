"""The choice of an event as a part of an ONNX graph: its fields one after another, copies included.

A field is drawn from ``own + odds_s told + odds_p said``: the network's own distribution, the one
value that the suffix memory tells, and the pointer's distribution, each with its odds beside the
network's own. That is the softmax over shares of `incremental` without its denominator: who draws
does not need it, and who scores divides by the sum.

The weights of the pointer are added up by value once for (shift, role), once for the pitch, and
once for (duration, velocity): the sums of the single fields follow from these. The heads' first
layers are multiplied with the chained embeddings beforehand: choosing a field costs the next one a
look into a table.

Axes
----
B piece, W moments of the pointer
"""

from collections.abc import Callable

import numpy as np

from generator.engine.networks.incremental import LEAST_MASS, Network, Weights
from generator.engine.networks.onnx_graph import Graph
from generator.engine.networks.remembering import FAINT
from generator.engine.networks.shape import NetworkShape
from generator.engine.tokens.vocabulary import N_POSITIONS, SIZES

N_FIELDS = len(SIZES)
# Where each field begins among the values of all fields side by side.
FIELD_ROWS = np.cumsum([0, *SIZES])[:-1]
N_CHOICES = sum(SIZES)
SHIFT, ROLE, PITCH, DURATION, VELOCITY = range(N_FIELDS)
# What a remembered event says, as one number for each of these groups of fields.
MOMENT_SIZES = (SIZES[SHIFT] * SIZES[ROLE], SIZES[PITCH], SIZES[DURATION] * SIZES[VELOCITY])
_SAYS = np.array([[SIZES[ROLE], 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, SIZES[VELOCITY]], [0, 0, 1]])
_TINY = 1e-30
# Odds of e^60 to one are certainty; beyond e^88 float32 ends.
_LARGEST_LOG_ODDS = 60.0

Linear = Callable[[str, np.ndarray, np.ndarray], str]
Kinds = dict[str, tuple[tuple[int, ...], type]]


def moments_said(events: np.ndarray) -> np.ndarray:
    """Return what events say as the numbers of `MOMENT_SIZES`, shape (B, 3).

    Parameters
    ----------
    events : ndarray of int, shape (B, 5)
    """
    return events @ _SAYS


def choosing_inputs(shape: NetworkShape, *, scores: bool) -> tuple[Kinds, Kinds]:
    """Return what a choice reads, and what it gives, by name: (shape, dtype)."""
    reads: Kinds = {
        "told": ((N_CHOICES,), np.float32),
        "match": ((), np.int64),
        "familiarity": ((1,), np.float32),
        "landing": ((SIZES[SHIFT],), np.int64),
    }
    gives: Kinds = {}
    if shape.pointer_memory:
        reads |= {
            "moment_keys": ((shape.pointer_memory, shape.pointer_size), np.float32),
            "moment_reach": ((shape.pointer_memory,), np.float32),
            "has_moments": ((1,), np.float32),
            "no_weight": ((sum(MOMENT_SIZES),), np.float32),
        }
        reads |= {f"moments_{i}": ((shape.pointer_memory,), np.int64) for i in range(3)}
        gives["moment_key"] = ((shape.pointer_size,), np.float32)
    if scores:
        reads["truth"] = ((N_FIELDS,), np.int64)
        gives["log_p"] = ((N_FIELDS,), np.float32)
    else:
        reads |= {"noise": ((N_CHOICES,), np.float32), "allowed": ((N_CHOICES,), np.float32)}
        reads["top_p"] = ((N_FIELDS,), np.float32)
        gives["chosen"] = ((N_FIELDS,), np.int64)
    return reads, gives


class Choosing:
    """Adds to a graph the choice of an event from the state before it.

    Parameters
    ----------
    graph : Graph
        With the inputs that `choosing_inputs` names.
    network : Network
    linear : callable
        Adds the linear map of the heads' first layers.
    copies : bool
        Whether there is a copy head.
    """

    def __init__(
        self, graph: Graph, network: Network, linear: Linear, *, copies: bool = True
    ) -> None:
        self._graph, self._w, self._shape = graph, network.weights, network.shape
        self._linear, self._copies = linear, copies

    def drawn(self, state: str) -> dict[str, str]:
        """Add the drawing of an event; return what is given, by name.

        A value is drawn by the largest of p times noise, the inverse of an exponential draw.
        """
        g = self._graph
        self._allowed = g.split("allowed", *SIZES)
        self._noise = g.split("noise", *SIZES)
        self._top_p = g.split("top_p", *[1] * N_FIELDS)
        chosen, given = self._fields(state, self._draw)
        return {"chosen": g.joined(*chosen), **given}

    def scored(self, state: str) -> dict[str, str]:
        """Add the score of the event that came; return what is given, by name."""
        g = self._graph
        self._truth = g.split("truth", *[1] * N_FIELDS)
        self._scores: list[str] = []
        _, given = self._fields(state, self._score)
        return {"log_p": g.joined(*self._scores), **given}

    def _fields(
        self, state: str, choose: Callable[[int, str], str]
    ) -> tuple[list[str], dict[str, str]]:
        g, w = self._graph, self._w
        base = self._linear(state, *self._first_layers())
        copying = _Copying(g, w, self._shape, state) if self._copies else None
        chosen: list[str] = []
        for field in range(N_FIELDS):
            later = (N_FIELDS - 1 - field) * self._shape.field_hidden
            inside = base
            if later:
                inside, base = g.split(base, self._shape.field_hidden, later)
            logits = g.linear(
                g.gelu(inside), w[f"head_out.{field}.weight"], w[f"head_out.{field}.bias"]
            )
            p = g.op("Softmax", logits, axis=-1)
            if copying is not None:
                p = copying.mixed(field, p, chosen)
            chosen.append(choose(field, p))
            if later:
                base = g.op("Add", base, self._chained(field, chosen[-1]))
        return chosen, {} if copying is None else copying.given

    def _first_layers(self) -> tuple[np.ndarray, np.ndarray]:
        w, fields = self._w, range(N_FIELDS)
        return (
            np.concatenate([w[f"head_in.{f}.weight"] for f in fields]),
            np.concatenate([w[f"head_in.{f}.bias"] for f in fields]),
        )

    def _chained(self, field: int, value: str) -> str:
        """Return what a chosen value adds to the first layers of all fields after it."""
        g, rows = self._graph, self._w[f"chain.{field}.weight"]
        if field != SHIFT:
            table = g.constant(self._table(rows, field))
            return g.op("Gather", table, g.op("Squeeze", value, g.whole(1)))
        # A shift also says at which place in the bar the event lands.
        rows = np.concatenate([self._w["landing.weight"], rows])
        landing = g.op("GatherElements", "landing", value, axis=1)
        both = g.joined(landing, g.op("Add", value, g.whole(N_POSITIONS)))
        return g.summed(g.op("Gather", g.constant(self._table(rows, field)), both), 1)

    def _table(self, rows: np.ndarray, field: int) -> np.ndarray:
        later = [rows @ self._w[f"head_in.{f}.weight"].T for f in range(field + 1, N_FIELDS)]
        return np.concatenate(later, axis=1)

    def _draw(self, field: int, p: str) -> str:
        """Return a value drawn from the nucleus, the likeliest values that reach a share."""
        g = self._graph
        p = g.op("Mul", p, self._allowed[field])
        ranked, order = g.ops("TopK", 2, p, g.whole(SIZES[field]))
        above = g.op("CumSum", ranked, g.constant(np.int64(1)), exclusive=1)
        enough = g.op("Mul", g.summed(p, -1, keep=True), self._top_p[field])
        score = g.op("Mul", ranked, self._noise[field])
        score = g.op("Where", g.op("Less", above, enough), score, g.number(0.0))
        best = g.op("ArgMax", score, axis=1, keepdims=1)
        return g.op("GatherElements", order, best, axis=1)

    def _score(self, field: int, p: str) -> str:
        g, value = self._graph, self._truth[field]
        share = g.op("GatherElements", p, value, axis=1)
        share = g.op("Div", share, g.summed(p, -1, keep=True))
        self._scores.append(g.op("Log", g.op("Add", share, g.number(_TINY))))
        return value


class _Copying:
    """Both parts of the copy head: what the suffix memory tells, and what the pointer says."""

    def __init__(self, graph: Graph, weights: Weights, shape: NetworkShape, state: str) -> None:
        self._graph, self._w, self._shape = graph, weights, shape
        self.given: dict[str, str] = {}
        g, pointed = graph, bool(shape.pointer_memory)
        names, scales = ["copy_gate"], [1.0]
        if pointed:
            names += ["pointer_gate", "pointer.query", "pointer.key"]
            scales += [1.0, shape.pointer_size**-0.5, 1.0]
        factors = list(zip(names, np.float32(scales), strict=True))
        matrix = np.concatenate([weights[f"{name}.weight"] * factor for name, factor in factors])
        bias = np.concatenate([weights[f"{name}.bias"] * factor for name, factor in factors])
        gates = g.linear(state, matrix, bias)
        matched = weights["copy_match.weight"]
        if pointed:
            gates, query, key = g.split(gates, 2 * N_FIELDS, *[shape.pointer_size] * 2)
            self.given["moment_key"] = key
            matched = np.concatenate([matched, np.zeros_like(matched)], axis=1)
        gates = g.op("Add", gates, g.op("Gather", g.constant(matched), "match"))
        gates = g.op("Add", gates, "familiarity")
        if pointed:
            self._weight = self._weights_of(query)
            peak = g.op("ReduceMax", self._weight, g.whole(-1), keepdims=1)
            peak = g.op("Log", g.op("Add", peak, g.number(FAINT)))
            lean = np.concatenate([np.zeros(N_FIELDS), weights["pointer_peak"]])
            gates = g.op("Add", gates, g.op("Mul", peak, g.constant(np.float32(lean[None]))))
        odds = g.op("Exp", g.op("Min", gates, g.number(_LARGEST_LOG_ODDS)))
        if pointed:
            odds, pointer = g.split(odds, N_FIELDS, N_FIELDS)
            # Before the first moment there is nothing to point at.
            pointer = g.op("Mul", pointer, "has_moments")
            # Pitch and duration wait for the same fields, so they share what agrees.
            self._pointer_odds = g.split(pointer, 1, 1, 2, 1)
            self._no_weight = g.split("no_weight", *MOMENT_SIZES)
        self._suffix_odds = g.split(odds, *[1] * N_FIELDS)
        self._told = g.split("told", *SIZES)

    def mixed(self, field: int, own: str, chosen: list[str]) -> str:
        """Return the distribution of a field, its parts weighed by their odds, not normalised."""
        g = self._graph
        odds = self._suffix_odds[field]
        if field:
            # The suffix goes on telling as long as it is followed.
            followed = g.op("GatherElements", self._told[field - 1], chosen[-1], axis=1)
            if field > 1:
                followed = g.op("Mul", self._followed, followed)
            self._followed = followed
            odds = g.op("Mul", odds, followed)
        mixed = g.op("Add", own, g.op("Mul", self._told[field], odds))
        if self._shape.pointer_memory:
            mixed = g.op("Add", mixed, self._said(field, chosen))
        return mixed

    def _weights_of(self, query: str) -> str:
        """Return how much the pointer looks at each moment, shape (B, W)."""
        g, size, memory = self._graph, self._shape.pointer_size, self._shape.pointer_memory
        score = g.across(g.reshaped(query, 0, 1, size), "moment_keys")
        score = g.op("Add", g.reshaped(score, 0, memory), "moment_reach")
        return g.op("Softmax", score, axis=-1)

    def _said(self, field: int, chosen: list[str]) -> str:
        """Return the pointer's distribution of a field, weighed by its odds."""
        g = self._graph
        if field == SHIFT:
            said = self._added_up(0, self._weight)
            self._by_shift = g.reshaped(said, 0, SIZES[SHIFT], SIZES[ROLE])
            return g.op("Mul", g.summed(self._by_shift, -1), self._pointer_odds[0])
        if field in (ROLE, VELOCITY):
            rows = self._by_shift if field == ROLE else self._by_duration
            said = g.op("GatherND", rows, chosen[-1], batch_dims=1)
            if field == ROLE:
                self._by_role = said
            odds = self._odds(g.summed(said, -1, keep=True), field, field + 1)
            return g.op("Mul", said, odds)
        if field == PITCH:
            mass = g.op("GatherElements", self._by_role, chosen[ROLE], axis=1)
            self._pitch_odds, self._duration_odds = g.split(
                self._odds(mass, PITCH, DURATION + 1), 1, 1
            )
            self._agreeing = self._agreement(chosen)
            return g.op("Mul", self._added_up(1, self._agreeing), self._pitch_odds)
        said = self._added_up(2, self._agreeing)
        self._by_duration = g.reshaped(said, 0, SIZES[DURATION], SIZES[VELOCITY])
        return g.op("Mul", g.summed(self._by_duration, -1), self._duration_odds)

    def _added_up(self, group: int, weight: str) -> str:
        """Return the weights added up by what their moments say."""
        return self._graph.op(
            "ScatterElements",
            self._no_weight[group],
            f"moments_{group}",
            weight,
            axis=1,
            reduction="add",
        )

    def _agreement(self, chosen: list[str]) -> str:
        """Return the weights of the moments that share the chosen shift and role."""
        g = self._graph
        said = g.op("Mul", chosen[SHIFT], g.whole(SIZES[ROLE]))
        said = g.op("Equal", "moments_0", g.op("Add", said, chosen[ROLE]))
        return g.op("Where", said, self._weight, g.number(0.0))

    def _odds(self, mass: str, first: int, end: int) -> str:
        """Return the odds of some fields over the weight that agrees: said / mass is what counts.

        The share's logit holds c log(mass), so odds / mass = e^gate mass^(c - 1).
        """
        g = self._graph
        power = np.float32(self._w["pointer_mass"][first:end] - 1.0)[None]
        odds = g.op("Pow", g.op("Add", mass, g.number(FAINT)), g.constant(power))
        heard = g.op("GreaterOrEqual", mass, g.number(LEAST_MASS))
        odds = g.op("Where", heard, odds, g.number(0.0))
        return g.op("Mul", odds, self._pointer_odds[(0, 1, 2, 2, 3)[first]])
