"""How long and how fast a network learns, and where its run stands."""

import math
from dataclasses import dataclass, replace

MIN_LEARNING_RATE_SHARE = 0.01
_WARM_UP_STEPS = 100


@dataclass(frozen=True)
class TrainingPlan:
    """What a run does; a stopped run may be gone on with under a longer or shorter plan.

    The learning rate warms up, stays, and falls by a half-cosine over the last `cooldown` share of
    `max_steps`, so that a run whose length is not yet known loses nothing. `average` is the decay
    of the running mean of the weights, which is what is measured and released. `minutes` counts
    over all parts of a run. `checkpoint_minutes` is how much a kill may cost.

    `windows` trains on the paper's windows instead of contiguous streams.
    """

    minutes: float = 40.0
    max_steps: int = 12_000
    seed: int = 1
    lanes: int = 32
    length: int = 128
    learning_rate: float = 2e-3
    cooldown: float = 0.3
    average: float = 0.999
    weight_decay: float = 0.01
    dropout: float = 0.2
    weight_drop: float = 0.1
    field_drop: float = 0.0
    scale_balance: float = 0.01
    evaluate_every: int = 250
    checkpoint_minutes: float = 5.0
    patience: int = 20
    originality_pieces: int = 4
    originality_events: int = 512
    windows: bool = False
    bf16: bool = False

    def learning_rate_at(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        warm = min(1.0, (step + 1) / _WARM_UP_STEPS)
        cooling = self.max_steps * self.cooldown
        if not cooling:
            return self.learning_rate * warm
        way = min(max((step - (self.max_steps - cooling)) / cooling, 0.0), 1.0)
        fall = 0.5 * (1.0 + math.cos(math.pi * way))
        share = MIN_LEARNING_RATE_SHARE + (1.0 - MIN_LEARNING_RATE_SHARE) * fall
        return self.learning_rate * warm * share

    def decay_at(self, step: int) -> float:
        """Return the decay of the mean of the weights; young runs forget their start faster."""
        return min(self.average, (1.0 + step) / (10.0 + step))


def parity_plan(**changes: object) -> TrainingPlan:
    """Return Li's configuration (2025, section 4.1), with changes: 5e-4, batch 64, 128 steps.

    What the paper leaves open is set to the plainest choice: a constant rate, no mean of the
    weights, no thinned weights.
    """
    plain = TrainingPlan(
        lanes=64,
        length=256,
        learning_rate=5e-4,
        cooldown=0.0,
        average=0.0,
        dropout=0.0,
        weight_drop=0.0,
        weight_decay=0.0,
        windows=True,
    )
    return replace(plain, **changes)


@dataclass
class Progress:
    """Where a run stands."""

    step: int = 0
    elapsed_s: float = 0.0
    best: float = math.inf
    stale: int = 0
