"""Does a blend lean to a style as its weight says? `python -m benchmarks.fusion --corpus DIR`.

A classifier of two styles (`training/style_classifier.py`) learns from people's pieces of the train
split; how it tells those of the valid and test splits says how much the two can be told apart at
all. Then pieces are composed at weights from 0 to 1 by each way of fusing, from the same seeds,
and the classifier says how likely each is of the first style: the mean over its stretches. `free`
are streams of the network on its own, without plan, accompaniment or guards.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from generator.engine.brief import Brief, ComposerName, Style
from generator.engine.composers.ensemble import Fusion
from generator.engine.composers.lstm_acm import Settings, load_lstm_acm
from generator.engine.composers.registry import composer_for
from generator.engine.composers.releases import WEIGHTS
from generator.engine.composers.stream import StreamSettings, sample_stream
from generator.engine.metrics.texture import stretches
from generator.engine.networks.checkpoints import load_checkpoint
from generator.engine.networks.incremental import Network
from generator.engine.tokens.conditions import condition_vector
from generator.engine.tokens.vocabulary import PITCH_LOWEST
from generator.engine.training.importing import read_corpus
from generator.engine.training.measures import mean_of
from generator.engine.training.style_classifier import StyleClassifier, night

WEIGHTS_OF_FIRST = (0.0, 0.25, 0.5, 0.75, 1.0)
PAIRS = ("classical,song", "jazz,classical", "jazz,song", "guitar,song", "folk,classical")
FREE = "free"
_EVENTS = 600
_TEMPO_BPM, _CALMNESS, _DENSITY = 90.0, 0.5, 2.0


def composed(
    way: str, weights: Path, styles: Sequence[Style], minutes: float, weight: float, seed: int
) -> np.ndarray:
    """Return the features of one blended night piece, shape (n, 100).

    `way` is a way of fusing, played by `fusion`, or the name of another composer.
    """
    shares = {styles[0]: weight, styles[1]: 1.0 - weight}
    if way in list(Fusion):
        name = ComposerName.FUSION
        composer = load_lstm_acm(weights, Settings(fusion=Fusion(way)), name)
    else:
        name = ComposerName(way)
        composer = composer_for(name, weights)
    brief = Brief(name, minutes, shares, seed)
    return night(composer.compose(brief, np.random.default_rng(seed)))


def streamed(network: Network, styles: Sequence[Style], weight: float, seed: int) -> np.ndarray:
    """Return the features of one free stream that is asked for a blend, shape (n, 100)."""
    shares = {styles[0]: weight, styles[1]: 1.0 - weight}
    asked = condition_vector(shares, "major", _TEMPO_BPM, _CALMNESS, _DENSITY)
    settings = StreamSettings(guards_loops=True, copy_distance=24)
    events = sample_stream(network, asked, _EVENTS, np.random.default_rng(seed), settings)
    onsets = np.cumsum(events[:, 0], dtype=np.int64)
    pitches = events[:, 2].astype(np.int64) + PITCH_LOWEST
    return np.array(list(stretches(onsets, pitches, events[:, 1].astype(np.int64))))


def report(
    name: str,
    classifier: StyleClassifier,
    play: Callable[[float, int], np.ndarray],
    n_pieces: int,
) -> None:
    """Print the posterior at each weight, and how it goes with the weight."""
    weights, posteriors, line = [], [], []
    for weight in WEIGHTS_OF_FIRST:
        features = [play(weight, seed) for seed in range(n_pieces)]
        found = np.array([classifier.posterior(some).mean() for some in features if len(some)])
        mean = mean_of(found)
        line.append(f"{mean.mean:.2f} ({mean.low:.2f}-{mean.high:.2f})")
        weights += [weight] * len(found)
        posteriors += found.tolist()
    rank = spearmanr(weights, posteriors).statistic
    say(f"  {name:10} {' | '.join(line)} | rank correlation {rank:.2f}, n = {len(weights)}")


def main(arguments: list[str]) -> None:
    """Measure and say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, required=True, help="Imported, or a collection.")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="Folder of releases.")
    parser.add_argument("--pairs", nargs="+", default=PAIRS, help="Like jazz,song.")
    parser.add_argument("--pieces", type=int, default=24, help="Of each weight and way of fusing.")
    ways = [FREE, *Fusion, *(name for name in ComposerName if name is not ComposerName.FUSION)]
    parser.add_argument("--ways", nargs="+", choices=ways, default=list(Fusion))
    parser.add_argument("--minutes", type=float, default=5.0)
    options = parser.parse_args(arguments)
    corpus = read_corpus(options.corpus)
    network = Network(load_checkpoint(options.weights / ComposerName.LSTM_ACM))
    say(f"posterior of the first style at its weights {WEIGHTS_OF_FIRST}, 95 % by piece")
    for pair in options.pairs:
        styles = [Style(name) for name in pair.split(",")]
        classifier = StyleClassifier(corpus, styles)
        accuracy, first, second = classifier.held_out(corpus)
        say(f"{pair}: people told right {accuracy:.3f}; second {second:.2f}, first {first:.2f}")
        for way in options.ways:
            if way == FREE:
                play = partial(streamed, network, styles)
            else:
                play = partial(composed, way, options.weights, styles, options.minutes)
            report(way, classifier, play, options.pieces)


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
