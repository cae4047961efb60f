"""Does a blend lean to a style as its weight says? `python -m benchmarks.fusion --corpus DIR`.

A classifier of two styles (linear discriminant of the 89 features of eight bars, in the space of
FD-32) learns from people's melodies of the train split; its balanced accuracy on those of the test
split says how much the two can be told apart at all. Then pieces are composed at weights from 0 to
1 by each way of fusing, from the same seeds, and the classifier says how likely each is of the
first style: the mean over its excerpts. Night pieces share plan, accompaniment and guards, which
say nothing of style; `free` are streams of the network on its own, asked for the blend.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from generator.engine.brief import Brief, ComposerName, Style
from generator.engine.composers.form import BREADTH
from generator.engine.composers.foundation import WEIGHTS
from generator.engine.composers.lstm_acm import Fusion, Settings, load_lstm_acm
from generator.engine.composers.stream import StreamSettings, sample_stream
from generator.engine.metrics.line import Line, make_line, melody_of
from generator.engine.metrics.style import style_space
from generator.engine.networks.checkpoints import load_checkpoint
from generator.engine.networks.incremental import Network
from generator.engine.score.notes import Role
from generator.engine.tokens.conditions import condition_vector
from generator.engine.tokens.vocabulary import DURATION_STEPS, METRES, PITCH_LOWEST, ROLES
from generator.engine.training.corpus import Corpus
from generator.engine.training.importing import read_corpus
from generator.engine.training.lines import lines_of
from generator.engine.training.measures import mean_of, style_points

WEIGHTS_OF_FIRST = (0.0, 0.25, 0.5, 0.75, 1.0)
FREE = "free"
_RIDGE = 0.1
_EVENTS = 400
_TEMPO_BPM, _CALMNESS, _DENSITY = 90.0, 0.5, 2.0


class StyleClassifier:
    """Tells two styles apart by eight bars of melody."""

    def __init__(self, corpus: Corpus, styles: Sequence[Style]) -> None:
        self._styles = styles
        clouds = [self._points_of(corpus, style, "train") for style in styles]
        self._space = style_space(np.concatenate(clouds))
        first, second = (self._space.project(cloud) for cloud in clouds)
        within = (np.cov(first.T) + np.cov(second.T)) / 2
        within += _RIDGE * np.eye(len(within))
        self._axis = np.linalg.solve(within, first.mean(axis=0) - second.mean(axis=0))
        self._middle = (first.mean(axis=0) + second.mean(axis=0)) / 2

    @staticmethod
    def _points_of(corpus: Corpus, style: Style, split: str) -> np.ndarray:
        pieces = [piece for piece in corpus.split(split) if piece.style is style]
        return style_points(lines_of(pieces))

    def posterior(self, points: np.ndarray) -> np.ndarray:
        """Return p(first style) of each excerpt, both styles as likely beforehand."""
        return 1.0 / (1.0 + np.exp(-(self._space.project(points) - self._middle) @ self._axis))

    def accuracy(self, corpus: Corpus) -> float:
        """Return the share of held-out excerpts that are told right, the mean of both styles."""
        first, second = (
            self.posterior(self._points_of(corpus, style, "test")) for style in self._styles
        )
        return float((np.mean(first > 0.5) + np.mean(second < 0.5)) / 2)


def composed(
    fusion: Fusion, styles: Sequence[Style], minutes: float, weight: float, seed: int
) -> Line:
    """Return the melody of one blended piece, as written, its tonic at C."""
    shares = {styles[0]: weight, styles[1]: 1.0 - weight}
    brief = Brief(ComposerName.FUSION, minutes, shares, seed)
    composer = load_lstm_acm(WEIGHTS, Settings(fusion=fusion), ComposerName.FUSION)
    score = composer.compose(brief, np.random.default_rng(seed))
    line = melody_of(score, BREADTH)
    pitches = line.pitches - score.tonic + (12 if score.tonic > 5 else 0)
    return make_line(line.onsets, pitches, line.durations, line.steps_per_bar, 0, line.mode)


def streamed(network: Network, styles: Sequence[Style], weight: float, seed: int) -> Line:
    """Return the melody of one free stream that is asked for a blend."""
    shares = {styles[0]: weight, styles[1]: 1.0 - weight}
    asked = condition_vector(shares, "major", _TEMPO_BPM, _CALMNESS, _DENSITY)
    settings = StreamSettings(guards_loops=True, copy_distance=24)
    events = sample_stream(network, asked, _EVENTS, np.random.default_rng(seed), settings)
    sung = events[:, 1] == ROLES.index(Role.MELODY)
    onsets = np.cumsum(events[:, 0], dtype=np.int64)[sung]
    pitches = events[sung, 2].astype(np.int64) + PITCH_LOWEST
    durations = DURATION_STEPS[events[sung, 3]]
    return make_line(onsets, pitches, durations, METRES[0].steps, 0, "major")


def report(
    name: str,
    classifier: StyleClassifier,
    play: Callable[[float, int], Line],
    n_pieces: int,
) -> None:
    """Print the posterior at each weight, and how it goes with the weight."""
    weights, posteriors = [], []
    for weight in WEIGHTS_OF_FIRST:
        points = [style_points([play(weight, seed)]) for seed in range(n_pieces)]
        found = np.array([classifier.posterior(some).mean() for some in points if len(some)])
        mean = mean_of(found)
        say(f"{name:10} weight {weight:.2f}: {mean.mean:.3f} ({mean.low:.3f}-{mean.high:.3f})")
        weights += [weight] * len(found)
        posteriors += found.tolist()
    rank = spearmanr(weights, posteriors).statistic
    say(f"{name:10} rank correlation of weight and posterior {rank:.2f}, n = {len(weights)}")


def main(arguments: list[str]) -> None:
    """Measure and say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, required=True, help="Imported, or a collection.")
    parser.add_argument("--styles", nargs=2, type=Style, default=[Style.CLASSICAL, Style.SONG])
    parser.add_argument("--pieces", type=int, default=24, help="Of each weight and way of fusing.")
    ways = [FREE, *(fusion.value for fusion in Fusion)]
    parser.add_argument("--ways", nargs="+", choices=ways, default=ways)
    parser.add_argument("--minutes", type=float, default=5.0)
    options = parser.parse_args(arguments)
    styles = options.styles
    corpus = read_corpus(options.corpus)
    classifier = StyleClassifier(corpus, styles)
    say(f"p({styles[0]}) against {styles[1]}; people told right {classifier.accuracy(corpus):.3f}")
    network = Network(load_checkpoint(WEIGHTS / "lstm_acm"))
    for way in options.ways:
        if way == FREE:
            play = partial(streamed, network, styles)
        else:
            play = partial(composed, Fusion(way), styles, options.minutes)
        report(way, classifier, play, options.pieces)


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
