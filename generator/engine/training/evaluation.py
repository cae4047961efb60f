"""Held-out likelihood: LSTM-ACM beside Markov chains over the same note events, in nats a note.

All models foretell the same five fields of the same events in the same order, given the fields
already known, and none is told the conditions of the held-out piece. Two chains are compared:

order 1   the paper's MCMG: the event before is all it knows; interpolated back-off keeps new
          transitions from costing infinity
strong    orders 0-8 with metrical position (long-term), mixed with the piece's own past by the same
          copy memory that the network has (short-term), mixing shares set on the valid split
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from generator.engine.metrics.calm import CalmScale
from generator.engine.networks.backoff import (
    BackoffTable,
    absorbed,
    blank_state,
    count_order,
    short_hash,
)
from generator.engine.networks.checkpoints import Checkpoint
from generator.engine.networks.lstm_acm import LstmAcm
from generator.engine.networks.shape import NetworkShape
from generator.engine.tokens.copying import N_MATCH_CLASSES
from generator.engine.tokens.vocabulary import FIELDS, SIZES, position_ids
from generator.engine.training.accuracy import (
    Accuracy,
    memory_accuracy,
    network_accuracy,
)
from generator.engine.training.batches import PreparedPiece, prepare
from generator.engine.training.corpus import SPLITS, Corpus, Piece
from generator.engine.training.likelihood import piece_nll

MAX_ORDER = 8
NETWORK, STRONG, PAPER = "LSTM-ACM", "MCMG strong", "MCMG paper (order 1)"
PAIRS = ((NETWORK, STRONG), (STRONG, PAPER))
_STRETCH = 128
_BOOTSTRAPS = 1000
_SHARES = np.linspace(0.02, 0.98, 49)
# Contexts of three events or more that came only once cannot foretell better than shorter ones.
_MINIMUM = 2
_FIRST_PRUNED = 3


@dataclass(frozen=True)
class HeldOut:
    """Summed negative log-likelihood of each field of each piece, and events of each piece."""

    totals: np.ndarray  # (pieces, fields)
    counts: np.ndarray  # (pieces,)

    @property
    def per_field(self) -> np.ndarray:
        """Nats an event by field."""
        return self.totals.sum(axis=0) / self.counts.sum()

    def interval(self, seed: int = 0) -> tuple[float, float]:
        """Return the 95 % bootstrap interval, by piece, of the nats an event over all fields."""
        rng = np.random.default_rng(seed)
        rows = rng.integers(len(self.counts), size=(_BOOTSTRAPS, len(self.counts)))
        means = self.totals.sum(axis=1)[rows].sum(axis=1) / self.counts[rows].sum(axis=1)
        return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def likelihood_rows(checkpoint: Checkpoint, corpus: Corpus) -> dict[str, HeldOut]:
    """Return the held-out likelihood of a network and of the chains, all on the test split."""
    train, valid, test = (corpus.split(name) for name in SPLITS)
    first = EventChain(train, 1, metrical=False)
    strong = EventChain(train, MAX_ORDER, metrical=True)
    return {
        NETWORK: network_nll(checkpoint, test),
        STRONG: remembering_chain_nll(strong, test, valid),
        "MCMG orders 0-8": chain_nll(strong, test),
        "MCMG order 1 with short-term memory": remembering_chain_nll(first, test, valid),
        PAPER: chain_nll(first, test),
    }


def accuracy_rows(checkpoint: Checkpoint, corpus: Corpus) -> dict[str, Accuracy]:
    """Return how often a network, and the piece's own past alone, foretell the test split."""
    test = corpus.split("test")
    network, prepared = released_network(checkpoint), _prepared(checkpoint, test)
    return {
        NETWORK: network_accuracy(network, prepared, _STRETCH),
        "the piece's own past": memory_accuracy(test),
    }


@dataclass(frozen=True)
class Advantage:
    """How many nats a note one model saves beside another, with its interval, over n pieces."""

    style: str
    n: int
    saved: float
    low: float
    high: float


def advantages(
    model: HeldOut, other: HeldOut, pieces: Sequence[Piece], seed: int = 0
) -> list[Advantage]:
    """Return what `model` saves beside `other`, by style and over all, bootstrapped by piece.

    Both heard the same pieces, so the difference is taken piece by piece.
    """
    saved = (other.totals - model.totals).sum(axis=1)
    styles = np.array([piece.style.value for piece in pieces])
    rows = [("all", np.ones(len(pieces), dtype=bool))]
    rows += [(name, styles == name) for name in sorted(set(styles))]
    rng = np.random.default_rng(seed)
    found = []
    for name, chosen in rows:
        own, counts = saved[chosen], model.counts[chosen]
        drawn = rng.integers(len(own), size=(_BOOTSTRAPS, len(own)))
        means = own[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
        low, high = np.quantile(means, (0.025, 0.975))
        mean = float(own.sum() / counts.sum())
        found.append(Advantage(name, len(own), mean, float(low), float(high)))
    return found


def write_advantages(
    path: Path, rows: Mapping[str, HeldOut], pairs: Sequence[tuple[str, str]], corpus: Corpus
) -> None:
    """Write what the first model of each pair saves beside the second, by style."""
    test = corpus.split("test")
    with path.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        writer.writerow(["model", "beside", "style", "pieces", "nats saved", "low", "high"])
        for first, second in pairs:
            for row in advantages(rows[first], rows[second], test):
                figures = (f"{figure:.3f}" for figure in (row.saved, row.low, row.high))
                writer.writerow([first, second, row.style, row.n, *figures])


def network_nll(checkpoint: Checkpoint, pieces: Sequence[Piece]) -> HeldOut:
    """Return the held-out likelihood of a released network, conditions hidden."""
    network, prepared = released_network(checkpoint), _prepared(checkpoint, pieces)
    return HeldOut(*piece_nll(network, prepared, _STRETCH))


def _prepared(checkpoint: Checkpoint, pieces: Sequence[Piece]) -> list[PreparedPiece]:
    scale = CalmScale(np.array(checkpoint.config["calm_percentiles"]))
    return [prepare(piece, scale, _STRETCH) for piece in pieces]


def released_network(checkpoint: Checkpoint) -> LstmAcm:
    """Return the torch network of a release, in evaluation mode."""
    network = LstmAcm(NetworkShape.of_release(checkpoint.config["shape"]))
    network.load_state_dict(
        {
            name: torch.from_numpy(array.astype(np.float32))
            for name, array in checkpoint.arrays.items()
        }
    )
    return network.eval()


# Which fields of the event itself ("now") and of the one before ("then") a table learns to use, in
# this order; every rank of its back-off knows one more.
_KNOWN = {
    "shift": (("then", 0), ("then", 1), ("then", 3), ("then", 2)),
    "role": (("now", 0), ("then", 1), ("then", 2), ("then", 0)),
    "pitch": (("now", 1), ("then", 2), ("then", 1), ("now", 0)),
    "duration": (("now", 0), ("then", 3), ("now", 1), ("then", 1), ("now", 2)),
    "velocity": (("then", 4), ("now", 1), ("then", 1), ("now", 3)),
}
# Pitch gains nothing from the position in the bar (3.03 nats with it, 2.7 without).
_METRICAL = ("shift", "duration")
_LOOKS_BACK = {
    "shift": (0, 1),
    "role": (1, 2),
    "pitch": (2, 1),
    "duration": (3, 1),
    "velocity": (4,),
}


class EventChain:
    """A Markov chain over note events, one back-off table a field.

    Parameters
    ----------
    pieces : sequence of Piece
        What it learns from.
    order : int
        How many events back it looks at most.
    metrical : bool
        Whether it also knows positions in the bar: for the shift that of the event before, for the
        other fields that of the event itself.
    """

    def __init__(self, pieces: Sequence[Piece], order: int, *, metrical: bool) -> None:
        self._order, self._metrical = order, metrical
        self._tables = []
        owners = np.repeat(np.arange(len(pieces)), [len(piece.events) for piece in pieces])
        for field, size in enumerate(SIZES):
            symbols = np.concatenate([piece.events[:, field] for piece in pieces])
            tables = [
                count_order(key, symbols, owners, _MINIMUM if rank > _FIRST_PRUNED else 1)
                for rank, key in enumerate(self._keys(pieces, field))
            ]
            self._tables.append(BackoffTable(size, tuple(tables)))

    def probabilities(self, pieces: Sequence[Piece]) -> np.ndarray:
        """Return p of each field of each event of all pieces, shape (n, 5)."""
        columns = []
        for field, table in enumerate(self._tables):
            symbols = np.concatenate([piece.events[:, field] for piece in pieces])
            columns.append(table.probabilities(list(self._keys(pieces, field)), symbols))
        return np.column_stack(columns)

    def _keys(self, pieces: Sequence[Piece], field: int) -> Iterator[np.ndarray]:
        """Yield hashed contexts of growing knowledge, from nothing at all."""
        lagged = [_lagged_events(pieces, lag) for lag in range(self._order + 1)]
        state = blank_state(len(lagged[0]))
        yield short_hash(state)
        if self._metrical and FIELDS[field] in _METRICAL:
            state = absorbed(state, _positions(pieces, before=field == 0))
            yield short_hash(state)
        for when, column in _KNOWN[FIELDS[field]]:
            state = absorbed(state, lagged[0 if when == "now" else 1][:, column])
            yield short_hash(state)
        for lag in range(2, self._order + 1):
            for column in _LOOKS_BACK[FIELDS[field]]:
                state = absorbed(state, lagged[lag][:, column])
            yield short_hash(state)


def chain_nll(chain: EventChain, pieces: Sequence[Piece]) -> HeldOut:
    """Return the held-out likelihood of a chain alone."""
    return _by_piece(-np.log(chain.probabilities(pieces)), pieces)


def remembering_chain_nll(
    chain: EventChain, pieces: Sequence[Piece], tuning: Sequence[Piece]
) -> HeldOut:
    """Return the likelihood of a chain mixed with the copy memory, shares tuned on other pieces."""
    shares = _copy_shares(chain, tuning)
    p, hit, agrees, match = _with_memory(chain, pieces)
    share = np.where(agrees, shares[match], 0.0)
    return _by_piece(-np.log((1 - share) * p + share * hit), pieces)


def write_table(path: Path, rows: Mapping[str, HeldOut]) -> None:
    """Write one line a model: nats a note by field and in all, interval, pieces, events."""
    with path.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        writer.writerow(["model", *FIELDS, "total", "low", "high", "pieces", "events"])
        for name, held_out in rows.items():
            figures = [*held_out.per_field, held_out.per_field.sum(), *held_out.interval()]
            sizes = [len(held_out.counts), int(held_out.counts.sum())]
            writer.writerow([name, *(f"{figure:.3f}" for figure in figures), *sizes])


def write_accuracies(path: Path, rows: Mapping[str, Accuracy]) -> None:
    """Write one line a model and column: share of right answers, interval, notes asked for."""
    with path.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        writer.writerow(["model", "foretold", "share", "low", "high", "notes"])
        for name, accuracy in rows.items():
            for at, (column, share) in enumerate(accuracy.shares().items()):
                figures = (share, *accuracy.interval(column))
                asked = int(accuracy.asked[:, at].sum())
                writer.writerow([name, column, *(f"{figure:.4f}" for figure in figures), asked])


def _copy_shares(chain: EventChain, pieces: Sequence[Piece]) -> np.ndarray:
    """Return the share of the copy memory by match class and field that fits `pieces` best."""
    p, hit, agrees, match = _with_memory(chain, pieces)
    shares = np.zeros((N_MATCH_CLASSES, len(SIZES)))
    for kind in range(1, N_MATCH_CLASSES):
        for field in range(len(SIZES)):
            rows = (match == kind) & agrees[:, field]
            losses = [
                -np.log((1 - share) * p[rows, field] + share * hit[rows, field]).sum()
                for share in _SHARES
            ]
            shares[kind, field] = _SHARES[int(np.argmin(losses))]
    return shares


def _with_memory(
    chain: EventChain, pieces: Sequence[Piece]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return p of the chain, whether the copy is right, whether it still applies, match class."""
    hit = np.concatenate([piece.predicted == piece.events for piece in pieces])
    match = np.concatenate([piece.match for piece in pieces])
    earlier = np.hstack([np.ones((len(hit), 1), dtype=bool), hit[:, :-1]])
    agrees = np.logical_and.accumulate(earlier, axis=1) & (match > 0)[:, None]
    return chain.probabilities(pieces), hit.astype(float), agrees, match


def _by_piece(losses: np.ndarray, pieces: Sequence[Piece]) -> HeldOut:
    counts = np.array([len(piece.events) for piece in pieces])
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    return HeldOut(np.add.reduceat(losses, starts, axis=0), counts)


def _lagged_events(pieces: Sequence[Piece], lag: int) -> np.ndarray:
    """Return the event `lag` places before each event, -1 where the piece had not begun."""
    return np.concatenate([_lagged(piece.events.astype(np.int64), lag) for piece in pieces])


def _positions(pieces: Sequence[Piece], *, before: bool) -> np.ndarray:
    columns = [position_ids(piece.onsets, piece.metre)[:, None] for piece in pieces]
    return np.concatenate([_lagged(column, int(before)) for column in columns])[:, 0]


def _lagged(rows: np.ndarray, lag: int) -> np.ndarray:
    lag = min(lag, len(rows))
    return np.concatenate([np.full((lag, rows.shape[1]), -1), rows[: len(rows) - lag]])
