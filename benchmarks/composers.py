"""How fast the composers are: `python -m benchmarks.composers` from the repository's root.

Times are process CPU time, which a busy machine inflates less than the clock on the wall; the
paper's figure is 0.6 ms a note. One thread: set OMP_NUM_THREADS=1.

event        one note event of the network's own choice, five fields sampled, copy head included,
             percentiles after 100 warm-up events
late / early the median at event 10,000 against that at event 100 (what a whole night costs)
night        45 minutes of music by each composer
"""

import argparse
import os
import platform
import resource
import sys
import time
from pathlib import Path

import numpy as np

from generator.engine.brief import Brief, ComposerName, Style
from generator.engine.composers.foundation import WEIGHTS
from generator.engine.composers.registry import composer_for
from generator.engine.composers.stream import stream_events
from generator.engine.networks.checkpoints import load_checkpoint
from generator.engine.networks.incremental import Network

WARM_UP, EARLY, LATE, WINDOW = 100, 100, 10_000, 400
NIGHT_MINUTES = 45.0


def say(line: str) -> None:
    """Print one line."""
    sys.stdout.write(line + "\n")


def event_times_ms(network: Network, n_events: int) -> np.ndarray:
    """Return the CPU time of each of `n_events` events after another, ms."""
    conditions = np.zeros(network.shape.conditions, dtype=np.float32)
    events = stream_events(network, conditions, np.random.default_rng(1))
    times = np.empty(n_events)
    for index in range(n_events):
        began = time.process_time_ns()
        next(events)
        times[index] = (time.process_time_ns() - began) / 1e6
    return times


def report_events(network: Network, n_events: int) -> None:
    """Print latency, its percentiles, and how it grows along a night."""
    times = event_times_ms(network, n_events)
    p50, p95, p99 = np.percentile(times[WARM_UP:], (50, 95, 99))
    say(f"event          p50 {p50:.3f} ms, p95 {p95:.3f} ms, p99 {p99:.3f} ms")
    say(f"events a CPU-s {1000 * len(times[WARM_UP:]) / times[WARM_UP:].sum():.0f}")
    if n_events >= LATE + WINDOW:
        early, late = (np.median(times[at : at + WINDOW]) for at in (EARLY, LATE))
        # The copy head looks back on 512 events: it is full from event 512 on.
        full = np.median(times[1000 : 1000 + WINDOW])
        say(f"late / early   {late / early:.2f} (event 10,000 / event 100)")
        say(f"late / full    {late / full:.2f} (event 10,000 / event 1,000)")


def report_nights(weights: Path) -> None:
    """Print what 45 minutes of music cost, by composer."""
    for name in ComposerName:
        brief = Brief(name, NIGHT_MINUTES, {Style.CLASSICAL: 1.0}, 1)
        composer = composer_for(name, weights)
        began = time.process_time()
        score = composer.compose(brief, np.random.default_rng(1))
        seconds = time.process_time() - began
        say(f"night          {name}: {seconds:.2f} CPU-s, {score.n_notes} notes")


def main(arguments: list[str]) -> None:
    """Measure and say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="Folder of releases.")
    parser.add_argument("--events", type=int, default=LATE + WINDOW)
    options = parser.parse_args(arguments)
    checkpoint = load_checkpoint(options.weights / "lstm_acm")
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    say(f"{checkpoint.release} on {platform.processor() or platform.machine()}")
    say(f"numpy {np.__version__}, OMP_NUM_THREADS {threads}")
    report_events(Network(checkpoint), options.events)
    report_nights(options.weights)
    used = resource.getrusage(resource.RUSAGE_SELF)
    say(f"peak memory    {used.ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main(sys.argv[1:])
