"""How light a network can be made: int8 and pruning; what each costs in likelihood, size and time.

All variants are scored by the engine that would run them, on the same held-out pieces, so what a
variant costs is known piece by piece. Pruning sets the smallest weights of each large matrix to
zero, without training afterwards: dense kernels do not get faster by it, only the file smaller.
"""

import csv
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from generator.engine.composers.streams import stream_batches
from generator.engine.networks.batched import FastNetwork, fast_network
from generator.engine.networks.checkpoints import Checkpoint
from generator.engine.networks.incremental import Network
from generator.engine.training.batches import PreparedPiece
from generator.engine.training.evaluation import HeldOut
from generator.engine.training.fast_likelihood import fast_nll

SHARES_PRUNED = (0.3, 0.5, 0.7)
FULL = "float32"
_LEVELS = 127.0
_BATCH = 64
_BOOTSTRAPS = 1000
_WARM_UP, _TIMED = 20, {1: 200, _BATCH: 30}


@dataclass(frozen=True)
class Lightened:
    """One variant: nats a note, what it costs beside float32 with its interval, size and time.

    `megabytes` is what its weights need, packed without loss; `event_ms` the CPU time of an event
    of one piece, `events_s` events a CPU-second with 64 pieces side by side, medians both.
    """

    name: str
    nll: float
    cost: float
    low: float
    high: float
    pieces: int
    megabytes: float
    event_ms: float
    events_s: float


def lightened_rows(
    checkpoint: Checkpoint,
    pieces: Sequence[PreparedPiece],
    report: Callable[[str], None] = lambda _: None,
) -> Iterator[Lightened]:
    """Yield every variant, float32 first.

    Raises
    ------
    EngineUnavailable
        The fast engine is not installed.
    """
    full: HeldOut | None = None
    for name, exact, share in _variants():
        report(f"Measuring {name} ...")
        arrays = pruned(checkpoint.arrays, share)
        network = Network(Checkpoint(arrays, checkpoint.config, checkpoint.release))
        fast = fast_network(network, exact=exact, chooses=True, scores=True)
        found = fast_nll(fast, pieces)
        full = full or found
        cost, low, high = _cost(found, full)
        one, many = (_step_ms(fast, count) for count in (1, _BATCH))
        yield Lightened(
            name,
            float(found.per_field.sum()),
            cost,
            low,
            high,
            len(pieces),
            packed_bytes(arrays, int8=not exact) / 1e6,
            one,
            1000.0 * _BATCH / many,
        )


def _variants() -> Iterator[tuple[str, bool, float]]:
    yield FULL, True, 0.0
    yield "int8", False, 0.0
    for share in SHARES_PRUNED:
        yield f"int8, {share:.0%} pruned", False, share


def pruned(arrays: Mapping[str, np.ndarray], share: float) -> dict[str, np.ndarray]:
    """Return the arrays with the smallest `share` of each large matrix set to zero."""
    found = dict(arrays)
    for name, array in arrays.items():
        if share and is_large(array):
            least = np.quantile(np.abs(array.astype(np.float32)), share)
            found[name] = np.where(np.abs(array) < least, 0, array).astype(array.dtype)
    return found


def is_large(array: np.ndarray) -> bool:
    """Return whether an array is one of the matrices that weigh something."""
    return array.ndim == 2 and array.size >= 1 << 14


def packed_bytes(arrays: Mapping[str, np.ndarray], *, int8: bool) -> int:
    """Return the bytes of all weights after packing; large matrices in int8 where that is asked."""
    size = 0
    for array in arrays.values():
        stored = array.astype(np.float32)
        if int8 and is_large(stored):
            scale = np.maximum(np.abs(stored).max(axis=1, keepdims=True), 1e-8) / _LEVELS
            stored = np.round(stored / scale).astype(np.int8)
        size += len(zlib.compress(np.ascontiguousarray(stored).tobytes(), 6))
    return size


def _cost(found: HeldOut, full: HeldOut) -> tuple[float, float, float]:
    """Return the nats a note beside float32 and the interval, bootstrapped by piece."""
    own = (found.totals - full.totals).sum(axis=1)
    rng = np.random.default_rng(0)
    rows = rng.integers(len(own), size=(_BOOTSTRAPS, len(own)))
    means = own[rows].sum(axis=1) / full.counts[rows].sum(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(own.sum() / full.counts.sum()), float(low), float(high)


def _step_ms(fast: FastNetwork, pieces: int) -> float:
    nothing = np.zeros((pieces, fast.network.shape.conditions), dtype=np.float32)
    events = stream_batches(fast, nothing, range(pieces))
    times = []
    for _ in range(_WARM_UP + _TIMED[pieces]):
        began = time.process_time_ns()
        next(events)
        times.append((time.process_time_ns() - began) / 1e6)
    return float(np.median(times[_WARM_UP:]))


def write_lightened(rows: Sequence[Lightened], path: Path) -> None:
    """Write one line a variant."""
    with path.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        writer.writerow(
            ["variant", "nats", "cost", "low", "high", "pieces", "MB", "event ms", "events a s"]
        )
        for row in rows:
            figures = (row.nll, row.cost, row.low, row.high)
            sizes = (f"{row.megabytes:.2f}", f"{row.event_ms:.3f}", f"{row.events_s:.0f}")
            writer.writerow([row.name, *(f"{x:.4f}" for x in figures), row.pieces, *sizes])
