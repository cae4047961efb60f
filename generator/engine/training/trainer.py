"""Training of LSTM-ACM: carried streams, seed, resume after a kill, early stop, curves as CSV.

Every run is a folder: ``curves.csv``, ``state.safetensors`` to go on from, and ``release/`` with
the best network so far. A run limited by steps is repeatable to the bit on one machine; one limited
by minutes depends on how fast the machine was.

The best network is the one with the lowest held-out loss among those that do not copy the training
pieces more than people do (`originality`, after Yin et al. 2021): a network may go on to fit better
while it begins to recite.

References
----------
Yin, Z., Reuben, F., Stepney, S. and Collins, T. (2021). "A good algorithm does not steal - it
imitates": the originality report as a means of measuring when a music generation algorithm copies
too much. EvoMUSART.
"""

import csv
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from generator.engine.errors import CheckpointError, TrainingError
from generator.engine.networks.checkpoints import save_checkpoint
from generator.engine.networks.lstm_acm import Carried, LstmAcm
from generator.engine.networks.shape import NetworkShape
from generator.engine.tokens.vocabulary import FIELDS
from generator.engine.training.batches import Batch, Lanes, PreparedPiece
from generator.engine.training.likelihood import held_out_nll
from generator.engine.training.memory import detached, emptied, flattened, rebuilt
from generator.engine.training.originality import OriginalityWatch
from generator.engine.training.plan import Progress, TrainingPlan
from generator.engine.training.windows import Windows

logger = logging.getLogger(__name__)

STATE, CURVES, RELEASE = "state.safetensors", "curves.csv", "release"
OWN = "carried"
_FACTS = "facts"
_GRADIENT_NORM = 1.0


class Run:
    """One training run in one folder; calling `go` after a kill continues it.

    Parameters
    ----------
    directory : Path
    shape : NetworkShape
    plan : TrainingPlan
    train, valid : sequence of PreparedPiece
    weights : ndarray
        How often each training piece is played.
    facts : dict
        What the release's config.json shall say beside the sizes (data, licences, calm scale).
    watch : OriginalityWatch, optional
        Says how much of what the network composes stands in the training pieces.
    start : mapping of str to ndarray, optional
        Weights that a new run begins with, else chance.
    """

    def __init__(
        self,
        directory: Path,
        shape: NetworkShape,
        plan: TrainingPlan,
        train: Sequence[PreparedPiece],
        valid: Sequence[PreparedPiece],
        weights: np.ndarray,
        facts: dict,
        watch: OriginalityWatch | None = None,
        start: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        self.directory, self.shape, self.plan, self.facts = directory, shape, plan, facts
        self._valid, self._watch = valid, watch
        torch.manual_seed(plan.seed)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        network = LstmAcm(shape, plan.dropout, plan.weight_drop, plan.field_drop)
        if start is not None:
            floats = {name: torch.from_numpy(a.astype(np.float32)) for name, a in start.items()}
            network.load_state_dict(floats)
        self.network = network.to(self._device)
        self.average = deepcopy(self.network).requires_grad_(requires_grad=False)
        self._optimiser = torch.optim.AdamW(
            self.network.parameters(),
            lr=plan.learning_rate,
            betas=(0.9, 0.98),
            weight_decay=plan.weight_decay,
        )
        rng = np.random.default_rng(plan.seed)
        if plan.windows:
            self._lanes = Windows(train, plan.lanes, plan.length, rng)
        else:
            self._lanes = Lanes(train, weights, plan.lanes, plan.length, rng)
        self._carried = self._initial()
        self.progress = Progress()
        directory.mkdir(parents=True, exist_ok=True)
        if (directory / STATE).exists():
            self._restore()

    def go(self, stop: Callable[[], bool] = lambda: False) -> Progress:
        """Train until the plan is fulfilled, held-out loss stops falling, or `stop()` is true.

        Raises
        ------
        TrainingError
            The device has too little memory for so many lanes.
        """
        try:
            return self._go(stop)
        except torch.OutOfMemoryError as error:
            raise TrainingError(
                f"memory for {self.plan.lanes} lanes of {self.plan.length} events was expected on "
                f"{self._device}, got none ({error}). Train with fewer lanes; the run goes on from "
                "its last checkpoint."
            ) from error

    def _go(self, stop: Callable[[], bool]) -> Progress:
        started = time.monotonic() - self.progress.elapsed_s
        saved = time.monotonic()
        while not self._is_finished() and not stop():
            loss, gamma = self._learn(self._lanes.next().to(self._device))
            self.progress.step += 1
            self.progress.elapsed_s = time.monotonic() - started
            is_due = self.progress.step % self.plan.evaluate_every == 0 or self._is_finished()
            if is_due:
                self._evaluate(loss, gamma)
            if is_due or time.monotonic() - saved > self.plan.checkpoint_minutes * 60:
                self._save_state()
                saved = time.monotonic()
        if stop():
            self._save_state()
        return self.progress

    def _is_finished(self) -> bool:
        return (
            self.progress.step >= self.plan.max_steps
            or self.progress.elapsed_s >= self.plan.minutes * 60
            or self.progress.stale >= self.plan.patience
        )

    def _initial(self) -> dict[str, Carried]:
        """Return all that is carried from stretch to stretch, by the name it is stored under."""
        return {OWN: self.network.initial(self.plan.lanes)}

    def _learn(self, batch: Batch) -> tuple[float, list[float]]:
        self.network.train()
        for group in self._optimiser.param_groups:
            group["lr"] = self.plan.learning_rate_at(self.progress.step)
        kind = self._device.type
        with torch.autocast(kind, torch.bfloat16, enabled=self.plan.bf16 or kind == "cuda"):
            heard = {name: emptied(own, batch.begins) for name, own in self._carried.items()}
            loss, gamma, carried = self._loss(batch, heard)
        usage = gamma[batch.counts].mean(dim=0)
        # Without this term one scale takes all the weight (0.93 to the notes in a prototype).
        balance = (usage * (usage * len(usage)).log()).sum()
        self._optimiser.zero_grad(set_to_none=True)
        (loss + self.plan.scale_balance * balance).backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), _GRADIENT_NORM)
        self._optimiser.step()
        self._carried = {name: detached(own) for name, own in carried.items()}
        self._follow()
        return loss.item(), usage.tolist()

    def _loss(
        self, batch: Batch, heard: Mapping[str, Carried]
    ) -> tuple[Tensor, Tensor, dict[str, Carried]]:
        """Return nats a note, the scale weights (B, T, 3), and all that is carried on."""
        log_p, gamma, own = self.network.foretell(batch.stretch, batch.outcome, heard[OWN])
        return -log_p.sum(dim=2)[batch.counts].mean(), gamma, {OWN: own}

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the mean of the weights a little towards the weights."""
        share = 1.0 - self.plan.decay_at(self.progress.step)
        pairs = zip(self.average.parameters(), self.network.parameters(), strict=True)
        for mean, now in pairs:
            mean.lerp_(now, share)

    def _evaluate(self, loss: float, gamma: list[float]) -> None:
        nll = held_out_nll(self.average, self._valid, self.plan.length)
        total = float(nll.sum())
        copied, is_original = float("nan"), True
        if self._watch is not None:
            copied = self._watch.copied_share(self.average, self.progress.step)
            is_original = self._watch.is_original(copied)
        names = ("step", "elapsed_s", "train", "valid", *FIELDS, "note", "beat", "bar", "copied")
        step, seconds = self.progress.step, round(self.progress.elapsed_s)
        self._log_curves(names, (step, seconds, loss, total, *nll, *gamma, copied))
        logger.info(
            "step %d: train %.3f, held-out %.3f nats a note, %.4f copied", step, loss, total, copied
        )
        if total < self.progress.best and is_original:
            self.progress.best, self.progress.stale = total, 0
            self._save_release(total, copied)
        else:
            self.progress.stale += 1

    def _log_curves(self, names: Sequence[str], row: Sequence[float]) -> None:
        path = self.directory / CURVES
        is_new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as lines:
            writer = csv.writer(lines)
            if is_new:
                writer.writerow(names)
            writer.writerow([f"{value:.5g}" for value in row])

    def _save_release(self, nll: float, copied: float) -> None:
        arrays = {
            name: value.cpu().numpy().astype(np.float16)
            for name, value in self.average.state_dict().items()
        }
        config = {
            "composer": "lstm_acm",
            "shape": self.shape.as_dict(),
            "plan": asdict(self.plan),
            "steps": self.progress.step,
            "valid_nll": nll,
            "copied_share": None if np.isnan(copied) else copied,
            **self.facts,
        }
        save_checkpoint(self.directory / RELEASE, arrays, config)

    def _save_state(self) -> None:
        tensors = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in self.average.state_dict().items()}
        for index, state in self._optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{key}": value for key, value in state.items()}
        for name, own in self._carried.items():
            tensors |= {f"{name}.{index}": value for index, value in enumerate(flattened(own))}
        tensors["rng.torch"] = torch.get_rng_state()
        facts = {"progress": asdict(self.progress), "lanes": self._lanes.state()}
        partial = self.directory / (STATE + ".partial")
        contiguous = {k: v.clone().contiguous() for k, v in tensors.items()}
        # Numbers and arrays in one file: a kill leaves the old pair or the new one, never a mix.
        save_file(contiguous, partial, metadata={_FACTS: json.dumps(facts)})
        partial.replace(self.directory / STATE)

    def _restore(self) -> None:
        tensors, facts = _read_state(self.directory / STATE)
        self.network.load_state_dict(_section(tensors, "network."))
        self.average.load_state_dict(_section(tensors, "average."))
        optimiser = self._optimiser.state_dict()
        for name, value in _section(tensors, "optimiser.").items():
            index, key = name.split(".")
            optimiser["state"].setdefault(int(index), {})[key] = value
        self._optimiser.load_state_dict(optimiser)
        for name, like in self._carried.items():
            stored = _section(tensors, f"{name}.")
            flat = [stored[str(index)].to(self._device) for index in range(len(stored))]
            self._carried[name] = rebuilt(like, flat)
        torch.set_rng_state(tensors["rng.torch"])
        self.progress = Progress(**facts["progress"])
        self._lanes.restore(facts["lanes"])


def _read_state(path: Path) -> tuple[dict[str, Tensor], dict]:
    try:
        with safe_open(path, framework="pt") as stored:
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - not a mapping
            return tensors, json.loads(stored.metadata()[_FACTS])
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"the state of a training run was expected in {path.name}, got {error!r}. Delete the "
            "file to begin again."
        ) from error


def _section(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
