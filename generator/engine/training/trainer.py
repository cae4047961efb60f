"""Training of LSTM-ACM: carried streams, seed, resume after a kill, early stop, curves as CSV.

Every run is a folder: ``curves.csv``, ``state.safetensors`` and ``state.json`` to go on from, and
``release/`` with the best network so far. A run limited by steps is repeatable to the bit on one
machine; one limited by minutes depends on how fast the machine was.
"""

import csv
import json
import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from generator.engine.networks.checkpoints import save_checkpoint
from generator.engine.networks.lstm_acm import Carried, LstmAcm
from generator.engine.networks.shape import NetworkShape
from generator.engine.tokens.vocabulary import FIELDS
from generator.engine.training.batches import Batch, Lanes, PreparedPiece, make_batch

logger = logging.getLogger(__name__)

STATE_ARRAYS, STATE_FACTS, CURVES, RELEASE = (
    "state.safetensors",
    "state.json",
    "curves.csv",
    "release",
)


@dataclass(frozen=True)
class TrainingPlan:
    """How long and how fast to learn.

    `learning_rate` is the peak of a cosine with warm-up; Li (2025) has a constant 5e-4 with batch
    64. `minutes` counts over all resumed parts of a run.
    """

    minutes: float = 40.0
    max_steps: int = 1_000_000
    seed: int = 1
    lanes: int = 32
    length: int = 128
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    dropout: float = 0.1
    scale_balance: float = 0.01
    evaluate_every: int = 250
    patience: int = 8
    bf16: bool = False


@dataclass
class Progress:
    """Where a run stands."""

    step: int = 0
    elapsed_s: float = 0.0
    best: float = math.inf
    stale: int = 0


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
    ) -> None:
        self.directory, self.shape, self.plan, self.facts = directory, shape, plan, facts
        self._valid = valid
        torch.manual_seed(plan.seed)
        self.network = LstmAcm(shape, plan.dropout)
        self._optimiser = torch.optim.AdamW(
            self.network.parameters(),
            lr=plan.learning_rate,
            betas=(0.9, 0.98),
            weight_decay=plan.weight_decay,
        )
        rng = np.random.default_rng(plan.seed)
        self._lanes = Lanes(train, weights, plan.lanes, plan.length, rng)
        self._carried = self.network.initial(plan.lanes)
        self.progress = Progress()
        directory.mkdir(parents=True, exist_ok=True)
        if (directory / STATE_FACTS).exists():
            self._restore()

    def go(self, stop: Callable[[], bool] = lambda: False) -> Progress:
        """Train until the plan is fulfilled, held-out loss stops falling, or `stop()` is true."""
        started = time.monotonic() - self.progress.elapsed_s
        while not self._is_finished() and not stop():
            loss, gamma = self._learn(self._lanes.next())
            self.progress.step += 1
            self.progress.elapsed_s = time.monotonic() - started
            if self.progress.step % self.plan.evaluate_every == 0 or self._is_finished():
                self._evaluate(loss, gamma)
                self._save_state()
        if stop():
            self._save_state()
        return self.progress

    def _is_finished(self) -> bool:
        return (
            self.progress.step >= self.plan.max_steps
            or self.progress.elapsed_s >= self.plan.minutes * 60
            or self.progress.stale >= self.plan.patience
        )

    def _learn(self, batch: Batch) -> tuple[float, list[float]]:
        self.network.train()
        for group in self._optimiser.param_groups:
            group["lr"] = self._learning_rate()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.plan.bf16):
            memory = emptied(self._carried, batch.begins)
            state, gamma, carried = self.network(batch.stretch, memory)
            log_p = self.network.log_likelihood(state, batch.outcome)
        counts = batch.counts
        loss = -log_p.sum(dim=2)[counts].mean()
        usage = gamma[counts].mean(dim=0)
        # Without this term one scale takes all the weight (0.93 to the notes in a prototype).
        balance = (usage * (usage * len(usage)).log()).sum()
        self._optimiser.zero_grad(set_to_none=True)
        (loss + self.plan.scale_balance * balance).backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self._optimiser.step()
        self._carried = detached(carried)
        return loss.item(), usage.tolist()

    def _learning_rate(self) -> float:
        done = max(
            self.progress.step / self.plan.max_steps,
            self.progress.elapsed_s / (self.plan.minutes * 60),
        )
        warm_up = min(1.0, (self.progress.step + 1) / 60)
        return (
            self.plan.learning_rate * warm_up * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))
        )

    def _evaluate(self, loss: float, gamma: list[float]) -> None:
        nll = held_out_nll(self.network, self._valid, self.plan.length)
        total = float(nll.sum())
        names = ("step", "elapsed_s", "train", "valid", *FIELDS, "note", "beat", "bar")
        row = (self.progress.step, round(self.progress.elapsed_s), loss, total, *nll, *gamma)
        path = self.directory / CURVES
        is_new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as lines:
            writer = csv.writer(lines)
            if is_new:
                writer.writerow(names)
            writer.writerow([f"{value:.5g}" for value in row])
        logger.info("step %d: train %.3f, held-out %.3f nats a note", row[0], loss, total)
        if total < self.progress.best:
            self.progress.best, self.progress.stale = total, 0
            self._save_release(total)
        else:
            self.progress.stale += 1

    def _save_release(self, nll: float) -> None:
        arrays = {
            name: value.numpy().astype(np.float16)
            for name, value in self.network.state_dict().items()
        }
        config = {
            "composer": "lstm_acm",
            "shape": self.shape.as_dict(),
            "plan": asdict(self.plan),
            "steps": self.progress.step,
            "valid_nll": nll,
            **self.facts,
        }
        save_checkpoint(self.directory / RELEASE, arrays, config)

    def _save_state(self) -> None:
        tensors = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        for index, state in self._optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{key}": value for key, value in state.items()}
        flat = flattened(self._carried)
        tensors |= {f"carried.{index}": value for index, value in enumerate(flat)}
        tensors["rng.torch"] = torch.get_rng_state()
        partial = self.directory / (STATE_ARRAYS + ".partial")
        save_file({k: v.clone().contiguous() for k, v in tensors.items()}, partial)
        facts = {"progress": asdict(self.progress), "lanes": self._lanes.state()}
        text = json.dumps(facts)
        partial.replace(self.directory / STATE_ARRAYS)
        (self.directory / STATE_FACTS).write_text(text, encoding="utf-8")

    def _restore(self) -> None:
        tensors = load_file(self.directory / STATE_ARRAYS)
        facts = json.loads((self.directory / STATE_FACTS).read_text(encoding="utf-8"))
        self.network.load_state_dict(_section(tensors, "network."))
        optimiser = self._optimiser.state_dict()
        for name, value in _section(tensors, "optimiser.").items():
            index, key = name.split(".")
            optimiser["state"].setdefault(int(index), {})[key] = value
        self._optimiser.load_state_dict(optimiser)
        carried = _section(tensors, "carried.")
        flat = [carried[str(index)] for index in range(len(carried))]
        self._carried = rebuilt(self._carried, flat)
        torch.set_rng_state(tensors["rng.torch"])
        self.progress = Progress(**facts["progress"])
        self._lanes.restore(facts["lanes"])


@torch.no_grad()
def held_out_nll(
    network: LstmAcm, pieces: Sequence[PreparedPiece], length: int, lanes: int = 32
) -> np.ndarray:
    """Return the mean negative log-likelihood of each field, nats an event, conditions hidden.

    Every event of every piece counts once; each piece is heard from its start with carried memory.
    """
    return piece_nll(network, pieces, length, lanes)[0].sum(axis=0) / sum(map(len, pieces))


@torch.no_grad()
def piece_nll(
    network: LstmAcm,
    pieces: Sequence[PreparedPiece],
    length: int,
    lanes: int = 32,
    *,
    hidden: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Return (summed negative log-likelihood of each field, number of events) of each piece."""
    network.eval()
    totals = np.zeros((len(pieces), len(FIELDS)))
    order = sorted(range(len(pieces)), key=lambda index: len(pieces[index]))
    for first in range(0, len(order), lanes):
        group = order[first : first + lanes]
        carried = network.initial(len(group))
        for at in range(0, max(len(pieces[index]) for index in group), length):
            rows = [(pieces[i], min(at, len(pieces[i])), hidden) for i in group]
            batch = make_batch(rows, length, [False] * len(group))
            state, _, carried = network(batch.stretch, carried)
            log_p = network.log_likelihood(state, batch.outcome)
            totals[group] -= (log_p * batch.counts.unsqueeze(2)).sum(dim=1).double().numpy()
    return totals, np.array([len(piece) for piece in pieces])


def emptied(carried: Carried, begins: Tensor) -> Carried:
    """Return the memory with the lanes that begin a piece set to nothing."""
    keep = ~begins
    flat = []
    for value in flattened(carried):
        lane_axis = 1 if value.dim() == 3 and value.shape[0] == 1 and len(begins) != 1 else 0
        shape = [1] * value.dim()
        shape[lane_axis] = len(begins)
        flat.append(value * keep.view(shape).to(value.dtype))
    return rebuilt(carried, flat)


def detached(carried: Carried) -> Carried:
    """Return the memory cut off from the graph that made it."""
    return rebuilt(carried, [value.detach().to(_storage(value)) for value in flattened(carried)])


def flattened(carried: Carried) -> list[Tensor]:
    """Return all tensors of the memory in a fixed order."""
    memories = [value for memory in carried.memories for value in memory]
    return [*carried.hidden, *carried.cell, *carried.conv, *memories, carried.previous]


def rebuilt(like: Carried, flat: Sequence[Tensor]) -> Carried:
    """Return a memory of the same form as `like` from its flattened tensors."""
    rest = iter(flat)
    return Carried(
        tuple(next(rest) for _ in like.hidden),
        tuple(next(rest) for _ in like.cell),
        tuple(next(rest) for _ in like.conv),
        tuple(type(memory)(*(next(rest) for _ in memory)) for memory in like.memories),
        next(rest),
    )


def _storage(value: Tensor) -> torch.dtype:
    return torch.float32 if value.is_floating_point() else value.dtype


def _section(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
