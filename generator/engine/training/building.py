"""Build each release from a directory of MIDI: the one door for `manage.py train_composer`."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from generator.engine.brief import ComposerName
from generator.engine.errors import TrainingError
from generator.engine.networks.checkpoints import load_checkpoint
from generator.engine.networks.shape import NetworkShape
from generator.engine.training.corpus import Corpus
from generator.engine.training.genetic import train_genetic
from generator.engine.training.genres import train_genres
from generator.engine.training.importing import read_corpus
from generator.engine.training.lstm_acm import train_lstm_acm
from generator.engine.training.markov import train_foundation, train_markov
from generator.engine.training.plan import TrainingPlan
from generator.engine.training.trainer import RELEASE


@dataclass(frozen=True)
class Built:
    """What came of a build: the release folder, how much was read, what was left out and why.

    `release` is None where a run was stopped before it had a network to release.
    """

    release: Path | None
    n_pieces: int
    n_files: int
    dropped: dict[str, int]


def build_release(
    name: ComposerName,
    corpus_directory: Path,
    out: Path,
    plan: TrainingPlan,
    *,
    shape: NetworkShape | None = None,
    workers: int = 1,
    report: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Built:
    """Read the corpus, train or estimate one composer, and write ``out/<composer>``.

    The tables that all composers share are written beside it, to ``out/foundation``. A training run
    that was stopped goes on from ``out/run``, those of genres from ``out/genres``. `fusion` goes on
    learning from ``out/lstm_acm``, which must be there.

    Parameters
    ----------
    name : ComposerName
    corpus_directory, out : Path
    plan : TrainingPlan
        Used by `lstm_acm` alone, as is `shape`, the sizes of another network than Li's.
    workers : int
        Processes that read MIDI.
    report : callable
        Told, in one line, what begins.
    stop : callable
        Asked between training steps; true ends a run after its state is safe.

    Raises
    ------
    TrainingError
        The corpus has no piece to learn from.
    CheckpointError
        `fusion` is asked for and `lstm_acm` is not there.
    """
    report(f"Reading {corpus_directory} ...")
    corpus = read_corpus(corpus_directory, workers=workers)
    if not corpus.split("train"):
        raise TrainingError(
            f"pieces to learn from were expected in {corpus_directory}, got none: "
            f"{_left_out(corpus)}. Give a folder with more music; `import_corpus` "
            "says why each file was left out."
        )
    report(f"{len(corpus.pieces)} pieces from {corpus.n_files} files. Building {name} ...")
    train_foundation(corpus, out / "foundation")
    release = out / name.value
    is_written = _BUILDERS[name](corpus, release, plan, shape, stop)
    written = release if is_written else None
    return Built(written, len(corpus.pieces), corpus.n_files, dict(corpus.dropped))


def _left_out(corpus: Corpus) -> str:
    reasons = [f"{count} {reason}" for reason, count in sorted(corpus.dropped.items())]
    return "; ".join(reasons) or "all pieces are kept for testing"


def _build_lstm_acm(
    corpus: Corpus,
    release: Path,
    plan: TrainingPlan,
    shape: NetworkShape | None,
    stop: Callable[[], bool],
) -> bool:
    run = release.parent / "run"
    train_lstm_acm(corpus, run, plan, shape, stop=stop)
    if not (run / RELEASE).exists():
        return False
    shutil.copytree(run / RELEASE, release, dirs_exist_ok=True)
    return True


def _build_fusion(
    corpus: Corpus,
    release: Path,
    plan: TrainingPlan,
    _shape: NetworkShape | None,
    stop: Callable[[], bool],
) -> bool:
    base = load_checkpoint(release.parent / ComposerName.LSTM_ACM.value)
    return train_genres(base, corpus, release.parent / "genres", release, plan, stop=stop)


def _build_markov(corpus: Corpus, release: Path, *_: object) -> bool:
    train_markov(corpus, release)
    return True


def _build_genetic(corpus: Corpus, release: Path, *_: object) -> bool:
    train_genetic(corpus, release)
    return True


_BUILDERS: dict[ComposerName, Callable[..., bool]] = {
    ComposerName.LSTM_ACM: _build_lstm_acm,
    ComposerName.MARKOV: _build_markov,
    ComposerName.GENETIC: _build_genetic,
    ComposerName.FUSION: _build_fusion,
}
