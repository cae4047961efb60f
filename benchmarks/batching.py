"""What one network call for several pieces would save: `python -m benchmarks.batching`.

share        processor time of composing, and of hearing events within it, for one piece; the rest
             of composing (guards, forms, draws) is each piece's own and cannot be shared
bound        what a night would save if hearing cost nothing at all, given what the whole night
             takes (`--night-x`, times real time, by benchmarks/sound.py)
products     the products of one event with all LSTM layers: a piece after the other as workers do
             it, and as one product for all; microseconds a piece, the quickest of many
identity     whether the one product gives each piece the bits that it gets alone

Set OMP_NUM_THREADS=1. Times are process CPU time.
"""

import argparse
import sys
import time
from collections.abc import Callable

import numpy as np

from generator.engine.brief import Brief, ComposerName, Style
from generator.engine.composers.registry import composer_for
from generator.engine.composers.releases import WEIGHTS
from generator.engine.networks.checkpoints import load_checkpoint
from generator.engine.networks.incremental import Listener, Network

SEED = 3
REPEATS = 300


def main() -> None:
    """Print one line for each question."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--night-x", type=float, default=33.0)
    parser.add_argument("--pieces", type=int, nargs="+", default=[2, 4, 8, 16])
    options = parser.parse_args()
    whole_s, heard_s = _composing(options.minutes)
    night_s = 60 * options.minutes / options.night_x
    _say(f"share: {options.minutes:g} minutes composed in {whole_s:.2f} s, {heard_s:.2f} s hearing")
    _say(f"bound: {100 * heard_s / night_s:.1f} % of a night of {night_s:.0f} s")
    network = Network(load_checkpoint(WEIGHTS / "lstm_acm"))
    for pieces in options.pieces:
        _say(_products(network, pieces))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _composing(minutes: float) -> tuple[float, float]:
    """Return the seconds of composing one piece, and those spent hearing events."""
    composer = composer_for(ComposerName.LSTM_ACM)
    brief = Brief(ComposerName.LSTM_ACM, minutes, {Style.CLASSICAL: 1.0}, SEED)
    heard, hear = [], Listener.hear

    def timed(listener: Listener, *event: object, **opens: bool) -> None:
        began = time.process_time()
        hear(listener, *event, **opens)
        heard.append(time.process_time() - began)

    composer.compose(brief, np.random.default_rng([SEED, 0]))
    began = time.process_time()
    composer.compose(brief, np.random.default_rng([SEED, 0]))
    whole_s = time.process_time() - began
    Listener.hear = timed
    try:
        composer.compose(brief, np.random.default_rng([SEED, 0]))
    finally:
        Listener.hear = hear
    return whole_s, sum(heard)


def _products(network: Network, pieces: int) -> str:
    states = np.random.default_rng(SEED).standard_normal((pieces, network.lstm[0][0].shape[1]))
    states = states.astype(np.float32)

    def one_by_one() -> list[np.ndarray]:
        return [np.stack([matrix @ state for state in states]) for matrix, _ in network.lstm]

    def together() -> list[np.ndarray]:
        return [states @ matrix.T for matrix, _ in network.lstm]

    pairs = list(zip(one_by_one(), together(), strict=True))
    is_same = all(np.array_equal(alone, batched) for alone, batched in pairs)
    apart = max(float(np.abs(alone - batched).max()) for alone, batched in pairs)
    alone_us, batched_us = (_quickest_us(work) / pieces for work in (one_by_one, together))
    return (
        f"{pieces} pieces: {alone_us:.0f} us alone, {batched_us:.0f} us together; "
        f"{'the same bits' if is_same else f'other bits, up to {apart:.1e} apart'}"
    )


def _quickest_us(work: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return 1e6 * min(times)


if __name__ == "__main__":
    main()
