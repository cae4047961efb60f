"""The search for sizes and rates: a grid or TPE (optuna), every trial a short training run.

Trials are lines of ``trials.csv``; a search that was stopped goes on with the next one, and what
is proposed follows from the seed and the trials that are done. A trial is scored by its lowest
held-out nats a note; trials of a few steps rank learning rates better than sizes.
"""

import csv
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import numpy as np

from generator.engine.errors import EngineUnavailable, TrainingError
from generator.engine.networks.shape import NetworkShape
from generator.engine.training.corpus import Corpus
from generator.engine.training.lstm_acm import train_lstm_acm
from generator.engine.training.plan import TrainingPlan

try:
    import optuna
except ImportError:  # the extra is not installed
    optuna = None

SPACE: Mapping[str, tuple[float, ...]] = {
    "layers": (2, 3, 4),
    "hidden": (128, 192, 256),
    "head_size": (32, 48, 64),
    "learning_rate": (5e-4, 1e-3, 2e-3, 4e-3),
    "lanes": (16, 32, 64),
}
TRIALS, SENSITIVITY = "trials.csv", "sensitivity.csv"
_ASKED_AT_MOST = 100
_SIZES = ("layers", "hidden", "head_size")


class Way(StrEnum):
    """How the next trial is chosen."""

    GRID = "grid"
    TPE = "tpe"


@dataclass(frozen=True)
class Trial:
    """What was tried, and the lowest held-out nats a note."""

    values: dict[str, float]
    nats: float


def proposed(way: Way, done: Sequence[Trial], seed: int) -> dict[str, float]:
    """Return what is to be tried next.

    Raises
    ------
    EngineUnavailable
        TPE is asked for and optuna is not installed.
    TrainingError
        The grid has been tried to its end.
    """
    return _of_grid(done, seed) if way is Way.GRID else _of_tpe(done, seed)


def _of_grid(done: Sequence[Trial], seed: int) -> dict[str, float]:
    points = list(itertools.product(*SPACE.values()))
    if len(done) >= len(points):
        raise TrainingError(
            f"fewer than {len(points)} trials were expected, the size of the grid, got "
            f"{len(done)} done already. Read {TRIALS}."
        )
    order = np.random.default_rng(seed).permutation(len(points))
    return dict(zip(SPACE, points[order[len(done)]], strict=True))


def _of_tpe(done: Sequence[Trial], seed: int) -> dict[str, float]:
    if optuna is None:
        raise EngineUnavailable(
            "optuna was expected for TPE, got none. Install it with `pip install -r "
            "requirements-search.txt`, or search by grid."
        )
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    kinds = {n: optuna.distributions.CategoricalDistribution(v) for n, v in SPACE.items()}
    # A sampler that began anew with one seed would propose its first point for ever.
    sampler = optuna.samplers.TPESampler(seed=seed + len(done), n_startup_trials=5)
    study = optuna.create_study(direction="minimize", sampler=sampler)
    for trial in done:
        study.add_trial(
            optuna.trial.create_trial(params=trial.values, distributions=kinds, value=trial.nats)
        )
    tried = [trial.values for trial in done]
    for _ in range(_ASKED_AT_MOST):
        values = dict(study.ask(kinds).params)
        # A point that was tried gives the same figure again: ask for another.
        if values not in tried:
            break
    return values


def search(
    corpus: Corpus,
    directory: Path,
    way: Way,
    n_trials: int,
    plan: TrainingPlan,
    *,
    report: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> list[Trial]:
    """Run trials until there are `n_trials`, or `stop()` is true; return all that are done.

    Parameters
    ----------
    corpus : Corpus
    directory : Path
        Runs and tables; what is there is gone on from.
    way : Way
    n_trials : int
    plan : TrainingPlan
        Of every trial, but for what is searched.
    """
    directory.mkdir(parents=True, exist_ok=True)
    done = read_trials(directory / TRIALS)
    while len(done) < n_trials and not stop():
        values = proposed(way, done, plan.seed)
        sizes = {name: int(values[name]) for name in _SIZES}
        shape = replace(NetworkShape(), **sizes)
        changed = replace(plan, learning_rate=values["learning_rate"], lanes=int(values["lanes"]))
        run = directory / f"trial-{len(done):03}"
        progress = train_lstm_acm(corpus, run, changed, shape, stop=stop)
        if progress.step < plan.max_steps and stop():
            break
        done.append(Trial(values, progress.best))
        _add(done[-1], directory / TRIALS)
        report(f"trial {len(done)}: {values} - {progress.best:.3f} nats a note")
    write_sensitivity(done, directory / SENSITIVITY)
    return done


def read_trials(path: Path) -> list[Trial]:
    """Return the trials of a table; none where there is no table."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    return [
        Trial({name: type(SPACE[name][0])(row[name]) for name in SPACE}, float(row["nats"]))
        for row in rows
    ]


def _add(trial: Trial, path: Path) -> None:
    is_new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        if is_new:
            writer.writerow([*SPACE, "nats"])
        writer.writerow([*trial.values.values(), f"{trial.nats:.5f}"])


def write_sensitivity(trials: Sequence[Trial], path: Path) -> None:
    """Write, for every value of every factor, its trials' mean and best nats a note, and n."""
    with path.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        writer.writerow(["factor", "value", "mean", "best", "n"])
        for name, values in SPACE.items():
            for value in values:
                found = [trial.nats for trial in trials if trial.values[name] == value]
                if found:
                    row = (f"{np.mean(found):.4f}", f"{min(found):.4f}", len(found))
                    writer.writerow([name, value, *row])
