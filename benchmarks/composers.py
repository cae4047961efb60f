"""How fast the composers are: `python -m benchmarks.composers` from the repository's root.

Times are process CPU time, which a busy machine inflates less than the clock on the wall; the
paper's figure is 0.6 ms a note. One thread: set OMP_NUM_THREADS=1. The int8 engine and its peer
need requirements-fast.txt; without it they are left out, saying so.

event        one note event of the network's own choice, five fields sampled, copy head included,
             percentiles after 100 warm-up events; `best` is the quickest in twenty
late / early the median at event 10,000 against that at event 100 (what a whole night costs)
batch        64 pieces side by side
peer         a transformer of the same size on the same engine (`benchmarks.transformer`), measured
             in turns with LSTM-ACM, so that both meet the same load
             (its caches of 64 pieces take 4 GB)
night        45 minutes of music by each composer: CPU seconds, the same a minute of music, and
             processor occupancy, CPU time / (time by the clock x cores that the process may use);
             a thread that never waits takes 1 / cores, so occupancy says nothing of speed, and on
             a busy machine it falls
"""

import argparse
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.transformer import TransformerGraph, WithoutCopies, transformer_streams
from generator.engine.brief import Brief, ComposerName, Style
from generator.engine.composers.composer import Composer
from generator.engine.composers.engines import Engine
from generator.engine.composers.lstm_acm import Settings, load_lstm_acm
from generator.engine.composers.registry import composer_for
from generator.engine.composers.releases import WEIGHTS
from generator.engine.composers.stream import stream_events
from generator.engine.composers.streams import stream_batches
from generator.engine.errors import EngineUnavailable
from generator.engine.networks.batched import FastNetwork, fast_network
from generator.engine.networks.checkpoints import load_checkpoint
from generator.engine.networks.incremental import Network

WARM_UP, EARLY, LATE, WINDOW = 100, 100, 10_000, 400
BATCH = 64
CONTEXTS = {1: (64, 512, 2048), BATCH: (64, 512, 2048)}
ROUNDS, EVENTS_A_ROUND = 5, {1: 100, BATCH: 12}
NIGHT_MINUTES = 45.0
# Two styles, as most listeners have: fusion lets a network a style hear the piece.
NIGHT_STYLES, NIGHTS = {Style.CLASSICAL: 0.7, Style.FOLK: 0.3}, 5


def say(line: str) -> None:
    """Print one line."""
    sys.stdout.write(line + "\n")


def times_ms(events: Iterator, count: int) -> np.ndarray:
    """Return the CPU time of each of the next `count` events, ms."""
    times = np.empty(count)
    for index in range(count):
        began = time.process_time_ns()
        next(events)
        times[index] = (time.process_time_ns() - began) / 1e6
    return times


def numpy_stream(network: Network) -> Iterator:
    """Return a stream of the numpy engine that nothing is asked of."""
    conditions = np.zeros(network.shape.conditions, dtype=np.float32)
    return stream_events(network, conditions, np.random.default_rng(1))


def int8_streams(fast: FastNetwork, pieces: int) -> Iterator:
    """Return streams of the int8 engine that nothing is asked of."""
    conditions = np.zeros((pieces, fast.network.shape.conditions), dtype=np.float32)
    return stream_batches(fast, conditions, range(pieces))


def report_events(name: str, events: Iterator, n_events: int) -> None:
    """Print latency, its percentiles, and how it grows along a night."""
    times = times_ms(events, n_events)
    best, p50, p95, p99 = np.percentile(times[WARM_UP:], (5, 50, 95, 99))
    say(f"event, {name:5}   best {best:.3f} p50 {p50:.3f}, p95 {p95:.3f}, p99 {p99:.3f} ms")
    if n_events >= LATE + WINDOW:
        early, late = (times[at : at + WINDOW] for at in (EARLY, LATE))
        # The copy head looks back on 512 events: it is full from event 512 on.
        full = times[1000 : 1000 + WINDOW]
        medians = [np.median(part) for part in (early, full, late)]
        bests = [np.percentile(part, 5) for part in (early, full, late)]
        say(f"  late / early  p50 {medians[2] / medians[0]:.2f}, best {bests[2] / bests[0]:.2f}")
        say(f"  late / full   p50 {medians[2] / medians[1]:.2f}, best {bests[2] / bests[1]:.2f}")


def report_beside_peer(fast: FastNetwork, pieces: int) -> None:
    """Print a step of LSTM-ACM and of the peer at several contexts, measured in turns."""
    makers: dict[str, Callable[[], Iterator]] = {"LSTM-ACM": lambda: int8_streams(fast, pieces)}
    bare = FastNetwork(fast.network, choosing=WithoutCopies(fast.network, chooses=True))
    makers["LSTM-ACM without copy head"] = lambda: int8_streams(bare, pieces)
    for context in CONTEXTS[pieces]:
        for in_place, kind in ((True, "in place"), (False, "passed on")):
            graph = TransformerGraph(fast.network, context, in_place=in_place)
            makers[f"transformer, {context} events, cache {kind}"] = _peer(
                graph, pieces, context, in_place=in_place
            )
    streams = {name: make() for name, make in makers.items()}
    times: dict[str, list[np.ndarray]] = {name: [] for name in streams}
    count = EVENTS_A_ROUND[pieces]
    for _ in range(ROUNDS):
        for name, stream in streams.items():
            # The first events of a turn find the caches cold.
            times[name].append(times_ms(stream, count)[count // 5 :])
    own = np.concatenate(times["LSTM-ACM"])
    for name, parts in times.items():
        step = np.concatenate(parts)
        p50, best = np.median(step), np.percentile(step, 5)
        ratios = f"{p50 / np.median(own):.2f} (p50), {best / np.percentile(own, 5):.2f} (best)"
        say(
            f"batch {pieces:2}: {name:41} best {best:7.3f} p50 {p50:7.3f} ms, "
            f"{1000 * pieces / p50:6.0f} events a CPU-s, x {ratios}"
        )


def _peer(
    graph: TransformerGraph, pieces: int, context: int, *, in_place: bool
) -> Callable[[], Iterator]:
    return lambda: transformer_streams(graph, pieces, context, in_place=in_place)


def report_night(name: str, composer: Composer, composer_name: ComposerName) -> None:
    """Print what 45 minutes of music cost, and how much of the processor they took."""
    spent, notes = [], []
    began = time.perf_counter()
    for seed in range(1, NIGHTS + 1):
        brief = Brief(composer_name, NIGHT_MINUTES, NIGHT_STYLES, seed)
        began_cpu = time.process_time()
        notes.append(composer.compose(brief, np.random.default_rng(seed)).n_notes)
        spent.append(time.process_time() - began_cpu)
    cores = usable_cores()
    occupancy = sum(spent) / ((time.perf_counter() - began) * cores)
    mean = sum(spent) / NIGHTS
    say(
        f"night          {name}: {mean:.2f} CPU-s ({min(spent):.2f} to {max(spent):.2f}, {NIGHTS} "
        f"nights), {mean / NIGHT_MINUTES:.3f} a minute of music, occupancy {occupancy:.1%} of "
        f"{cores} cores, {sum(notes) // NIGHTS} notes"
    )


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def report_int8(network: Network, weights: Path, n_events: int) -> None:
    """Print what the int8 engine does, alone, in a batch, beside its peer, and for a night."""
    try:
        fast = fast_network(network, chooses=True)
    except EngineUnavailable as error:
        say(f"int8           left out: {error}")
        return
    report_events("int8", int8_streams(fast, 1), n_events)
    for pieces in CONTEXTS:
        report_beside_peer(fast, pieces)
    composer = load_lstm_acm(weights, Settings(engine=Engine.INT8))
    report_night("lstm_acm, int8", composer, ComposerName.LSTM_ACM)


def main(arguments: list[str]) -> None:
    """Measure and say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="Folder of releases.")
    parser.add_argument("--events", type=int, default=LATE + WINDOW)
    options = parser.parse_args(arguments)
    checkpoint = load_checkpoint(options.weights / "lstm_acm")
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    load = os.getloadavg()[0]
    say(f"{checkpoint.release} on {platform.processor() or platform.machine()}, load {load:.1f}")
    say(f"numpy {np.__version__}, OMP_NUM_THREADS {threads}")
    network = Network(checkpoint)
    report_events("numpy", numpy_stream(network), options.events)
    report_int8(network, options.weights, options.events)
    for name in ComposerName:
        report_night(name, composer_for(name, options.weights), name)
    used = resource.getrusage(resource.RUSAGE_SELF)
    say(f"peak memory    {used.ru_maxrss / 1024:.0f} MB, load now {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main(sys.argv[1:])
