"""The method on one collection: trained and measured on the spot, against the targets of design.

What may not ship may still be measured: a network is trained on the melodies of a collection's
train split and asked what it foretells of its test split, and what it composes on its own. A
release is asked the same of the pieces it learnt from, with all their parts. Free
streams stand for the composer here: no plan, no guard but that against loops, a key mask where
that is said. The gate of night pieces is theirs too: what it turns down is drawn again.

The conditions that streams are asked for are those of the stretches of pieces of the valid split,
in order, so that what is asked for together goes together: a piece that is asked from its first
note on for the familiarity of a last chorus goes round in circles.
"""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from generator.engine.brief import Mode, Style
from generator.engine.composers.stream import PITCH, StreamSettings, sample_stream
from generator.engine.composers.streams import sample_streams
from generator.engine.errors import EngineUnavailable
from generator.engine.metrics.calm import CalmScale, stretch_features
from generator.engine.metrics.grade import TURNED_DOWN_BELOW, HumanScale
from generator.engine.metrics.line import Line, make_line
from generator.engine.networks.batched import fast_network
from generator.engine.networks.checkpoints import Checkpoint
from generator.engine.networks.incremental import Network
from generator.engine.networks.shape import NetworkShape
from generator.engine.score.notes import Role
from generator.engine.score.scales import scale_mask
from generator.engine.tokens.conditions import asked_calmness
from generator.engine.tokens.vocabulary import (
    DURATION_STEPS,
    FIELDS,
    N_PITCHES,
    PITCH_LOWEST,
    ROLES,
    SIZES,
)
from generator.engine.training.accuracy import Accuracy
from generator.engine.training.batches import PreparedPiece, prepare
from generator.engine.training.comparison import HUMAN, Row, held_out_lines, reference_of
from generator.engine.training.corpus import Corpus
from generator.engine.training.evaluation import (
    NETWORK,
    HeldOut,
    accuracy_rows,
    network_nll,
)
from generator.engine.training.lines import FEWEST_NOTES
from generator.engine.training.lstm_acm import train_lstm_acm
from generator.engine.training.measures import Measured, measure
from generator.engine.training.plan import Progress, TrainingPlan

DIALS = (-2.0, -1.5, -1.0, -0.5, 0.0)
_STRETCH = 128
_ROLE, _MELODY = FIELDS.index("role"), ROLES.index(Role.MELODY)
_MODE_AT, _CALM_AT = len(Style), len(Style) + 4
_LANES = 64
_BOOTSTRAPS = 1000


@dataclass(frozen=True)
class Target:
    """A figure reached beside the one wanted; `met` is None where nothing is wanted."""

    name: str
    reached: Measured
    wanted: str
    met: bool | None


def method_plan(**changes: object) -> TrainingPlan:
    """Return the plan for a few hundred melodies: more is thinned, or they are learnt by heart."""
    plan = {
        "dropout": 0.3,
        "weight_drop": 0.2,
        "field_drop": 0.1,
        "weight_decay": 0.05,
        "evaluate_every": 100,
        "originality_pieces": 2,
        "max_steps": 2500,
    }
    return TrainingPlan(**{**plan, **changes})


def train_method(
    melodies: Corpus,
    directory: Path,
    plan: TrainingPlan,
    shape: NetworkShape | None = None,
    *,
    stop: Callable[[], bool] = lambda: False,
) -> Progress:
    """Train, or go on training, on melodies alone; the best network is `directory/release`."""
    return train_lstm_acm(melodies, directory, plan, shape, stop=stop)


@dataclass(frozen=True)
class Drawing:
    """How much is composed, `pieces` streams of `notes` at each dial, and how they are drawn.

    `copy_distance` is how many notes back a passage must end before its suffix may be copied. A
    stream that the gate turns down is drawn again, until there were `draws`; the first that is not
    turned down is taken, else the most typical one. `top_p` is the nucleus of each field: when and
    where a note comes is drawn from a wider one.
    """

    pieces: int = 800
    notes: int = 256
    top_p: float | tuple[float, ...] = (0.92, 0.9, 0.92, 0.9, 0.9)
    guards_loops: bool = True
    copy_distance: int = 24
    draws: int = 3

    def at(self, familiarity: float) -> StreamSettings:
        """Return the settings of a stream at a dial of familiarity."""
        return StreamSettings(
            self.top_p,
            familiarity,
            guards_loops=self.guards_loops,
            copy_distance=self.copy_distance,
            stretch=_STRETCH,
        )


def foretelling(checkpoint: Checkpoint, melodies: Corpus) -> list[Target]:
    """Return what the network foretells of the test split, beside the targets."""
    accuracy = accuracy_rows(checkpoint, melodies)
    nll = network_nll(checkpoint, melodies.split("test"))
    pitch = HeldOut(nll.totals[:, [PITCH]], nll.counts)
    top = _share(accuracy[NETWORK], "melody pitch")
    targets = [
        Target("next pitch, top-1", top, ">= 0.76", top.mean >= 0.76),
        _nats("pitch, nats a note", pitch, 0.80),
        _nats("all fields, nats a note", nll, None),
    ]
    for column in ("pitch, of five", "shift", "duration"):
        targets.append(Target(f"next {column}", _share(accuracy[NETWORK], column), "", None))
    own_past = _share(accuracy["the piece's own past"], "melody pitch")
    return [*targets, Target("the piece's own past alone, pitch top-1", own_past, "", None)]


def _share(accuracy: Accuracy, column: str) -> Measured:
    low, high = accuracy.interval(column)
    return Measured(accuracy.shares()[column], low, high, len(accuracy.right))


def _nats(name: str, held_out: HeldOut, wanted: float | None) -> Target:
    mean = float(held_out.per_field.sum())
    reached = Measured(mean, *held_out.interval(), len(held_out.counts))
    if wanted is None:
        return Target(name, reached, "", None)
    return Target(name, reached, f"<= {wanted:.2f}", mean <= wanted)


def composing(
    checkpoint: Checkpoint,
    melodies: Corpus,
    drawing: Drawing,
    report: Callable[[str], None] = lambda _: None,
) -> tuple[list[Target], list[Row]]:
    """Return what the network composes on its own, beside the targets and as rows of measures."""
    network, scale = Network(checkpoint), CalmScale(np.array(checkpoint.config["calm_percentiles"]))
    valid = [prepare(piece, scale, _STRETCH) for piece in melodies.split("valid")]
    reference = reference_of(melodies)
    human = measure(held_out_lines(melodies, "test"), reference)
    rows = [Row(HUMAN, human)]
    asked = asked_conditions(valid, drawing.pieces, drawing.notes)
    gate = reference.scale
    for dial in DIALS:
        report(f"Composing {drawing.pieces} streams at familiarity {dial:+g} ...")
        lines = free_lines(network, asked, drawing, dial, gate)
        rows.append(Row(f"familiarity {dial:+g}", measure(lines, reference)))
    nearest = min(rows[1:], key=lambda row: _distance(row, human, "repetition 8"))
    report("Composing streams in the asked key, and from restless to calm ...")
    dial = DIALS[rows.index(nearest) - 1]
    masked = measure(free_lines(network, asked, drawing, dial, gate, masked=True), reference)
    ungated = measure(free_lines(network, asked, replace(drawing, draws=1), dial, gate), reference)
    calm = calmness_agreement(network, valid, scale, drawing, dial)
    rows += [Row("key mask", masked), Row("no gate", ungated)]
    return _composing_targets(nearest, human, masked, calm), rows


def _distance(row: Row, human: dict[str, Measured], name: str) -> float:
    return abs(row.measures[name].mean - human[name].mean)


def _composing_targets(
    row: Row, human: dict[str, Measured], masked: dict[str, Measured], calm: Measured
) -> list[Target]:
    found, people = row.measures, human
    # Beside all of the train split, as the target was set: the valid split alone is so small that
    # people themselves lie beyond the target.
    repeated, distance = found["repetition 8"], found["FD-32, train"]
    copied, limit = found["in train 8"], people["in train 8"].high
    return [
        Target(
            f"dial that repeats most as people do: {row.name}; 8-grams repeated",
            repeated,
            f"{people['repetition 8'].mean:.3f} +- 0.10 (people)",
            _distance(row, people, "repetition 8") <= 0.10,
        ),
        Target("FD-32 at n = 200", distance, "<= 7", distance.mean <= 7.0),
        Target("FD-32 of held-out people", people["FD-32, train"], "", None),
        Target("FD-32 beside the valid split", found["FD-32"], "", None),
        Target("FD-32 of held-out people beside the valid split", people["FD-32"], "", None),
        Target(
            "8-grams of the training melodies",
            copied,
            f"<= {limit:.4f} (people, upper bound)",
            copied.mean <= limit,
        ),
        Target(
            "longest copied run",
            found["longest copied run"],
            f"{people['longest copied run'].mean:.1f} (people)",
            None,
        ),
        Target("loops", found["loops"], "0", found["loops"].mean == 0.0),
        Target(
            "in the asked key, no mask",
            found["in asked key"],
            ">= 0.97",
            found["in asked key"].mean >= 0.97,
        ),
        Target(
            "in the asked key, masked",
            masked["in asked key"],
            ">= 0.97",
            masked["in asked key"].mean >= 0.97,
        ),
        Target("calmness, rank correlation", calm, ">= 0.9", calm.mean >= 0.9),
    ]


def asked_conditions(
    pieces: Sequence[PreparedPiece], count: int, notes: int, seed: int = 0
) -> np.ndarray:
    """Return the conditions of the first stretches of pieces drawn by chance, shape (count, S, C).

    S stretches hold `notes`; a shorter piece is asked for its last stretch again. Modes in turn.
    """
    stretches = np.arange(-(-notes // _STRETCH))
    drawn_pieces = np.random.default_rng(seed).integers(len(pieces), size=count)
    known = [pieces[index].conditions for index in drawn_pieces]
    asked = np.stack([rows[np.minimum(stretches, len(rows) - 1)] for rows in known])
    in_minor = (np.arange(count) % 2).astype(asked.dtype)[:, None]
    asked[..., _MODE_AT], asked[..., _MODE_AT + 1] = 1.0 - in_minor, in_minor
    return asked


def calmness_agreement(
    network: Network,
    pieces: Sequence[PreparedPiece],
    scale: CalmScale,
    drawing: Drawing,
    familiarity: float = 0.0,
) -> Measured:
    """Return Spearman's rank correlation of wanted and heard calmness, its interval by piece."""
    known = np.concatenate([piece.conditions for piece in pieces])
    wanted = np.linspace(0.02, 0.98, drawing.pieces)
    calm = (known[:, _CALM_AT] + 1.0) / 2.0
    rows = known[np.abs(calm[None] - wanted[:, None]).argmin(axis=1)].copy()
    asked = (rows[:, _CALM_AT] + 1.0) / 2.0
    rows[:, _CALM_AT] = 2.0 * asked_calmness(asked) - 1.0
    streams = drawn(network, rows, drawing.notes, drawing.at(familiarity))
    heard = np.array([_heard_calmness(events, scale) for events in streams])
    rng = np.random.default_rng(0)
    drawn_rows = rng.integers(len(asked), size=(_BOOTSTRAPS, len(asked)))
    found = [spearmanr(asked[row], heard[row]).statistic for row in drawn_rows]
    low, high = np.nanquantile(found, (0.025, 0.975))
    return Measured(float(spearmanr(asked, heard).statistic), float(low), float(high), len(asked))


def _heard_calmness(events: np.ndarray, scale: CalmScale) -> float:
    onsets = np.cumsum(events[:, 0], dtype=np.int64)
    ranks = [
        scale.rank(stretch_features(onsets[at : at + _STRETCH], events[at : at + _STRETCH]))
        for at in range(0, len(events) - _STRETCH + 1, _STRETCH)
    ]
    return float(np.mean(ranks))


def drawn(
    network: Network,
    conditions: np.ndarray,
    notes: int,
    settings: StreamSettings,
    allowed: np.ndarray | None = None,
    seeds: Sequence[int] | None = None,
) -> np.ndarray:
    """Return free streams, uint8, shape (B, notes, 5), on the fast engine where there is one.

    Without it there is no mask: `allowed` needs the fast engine. Seeds are 0, 1, 2, ... unless
    given.

    Raises
    ------
    EngineUnavailable
        A mask is asked for and the fast engine is not installed.
    """
    seeds = range(len(conditions)) if seeds is None else seeds
    try:
        fast = fast_network(network, chooses=True)
    except EngineUnavailable:
        if allowed is not None:
            raise
        streams = (
            sample_stream(network, row, notes, np.random.default_rng(seed), settings)
            for seed, row in zip(seeds, conditions, strict=True)
        )
        return np.stack(list(streams))
    parts = []
    for at in range(0, len(conditions), _LANES):
        mask = None if allowed is None else allowed[at : at + _LANES]
        group = conditions[at : at + _LANES]
        parts.append(sample_streams(fast, group, notes, seeds[at : at + _LANES], settings, mask))
    return np.concatenate(parts)


def key_masks(conditions: np.ndarray) -> np.ndarray:
    """Return which values of all fields a piece in its asked mode may have, shape (B, 157).

    Parameters
    ----------
    conditions : ndarray, shape (B, C)
    """
    pitches = (np.arange(N_PITCHES) + PITCH_LOWEST) % 12
    allowed = np.ones((len(conditions), sum(SIZES)), dtype=np.float32)
    at = sum(SIZES[:PITCH])
    for row, condition in zip(allowed, conditions, strict=True):
        row[at : at + N_PITCHES] = scale_mask(0, _mode_of(condition))[pitches]
    return allowed


def _mode_of(condition: np.ndarray) -> str:
    return (Mode.MINOR if condition[_MODE_AT + 1] > 0 else Mode.MAJOR).value


def free_lines(
    network: Network,
    conditions: np.ndarray,
    drawing: Drawing,
    familiarity: float,
    gate: HumanScale,
    *,
    masked: bool = False,
) -> list[Line]:
    """Return the melody for each piece's conditions, drawn again where the gate turns it down.

    A piece whose draws all have fewer melody notes than can be measured has none.
    """
    count, settings = len(conditions), drawing.at(familiarity)
    first = conditions[:, 0]
    masks = key_masks(first) if masked else None
    kept: list[Line | None] = [None] * count
    lowest = np.full(count, -1.0)
    for draw in range(drawing.draws):
        waiting = np.flatnonzero(lowest < TURNED_DOWN_BELOW)
        if not len(waiting):
            break
        allowed = None if masks is None else masks[waiting]
        seeds = (waiting + draw * count).tolist()
        streams = drawn(network, conditions[waiting], drawing.notes, settings, allowed, seeds)
        for index, events in zip(waiting.tolist(), streams, strict=True):
            line = melody_of_stream(events, _mode_of(first[index]))
            if len(line) < FEWEST_NOTES:
                continue
            typicality = min(gate.typicality(line).values())
            if typicality > lowest[index]:
                kept[index], lowest[index] = line, typicality
    return [line for line in kept if line is not None]


def melody_of_stream(events: np.ndarray, mode: str) -> Line:
    """Return the melody of a free stream, its tonic at C.

    Parameters
    ----------
    events : ndarray, uint8, shape (n, 5)
    mode : str
    """
    is_melody = events[:, _ROLE] == _MELODY
    onsets, sung = np.cumsum(events[:, 0], dtype=np.int64)[is_melody], events[is_melody]
    pitches = sung[:, PITCH].astype(np.int64) + PITCH_LOWEST
    return make_line(onsets, pitches, DURATION_STEPS[sung[:, 3]], mode=mode)


def write_targets(targets: Sequence[Target], path: Path) -> None:
    """Write one line a target: reached, interval, n, wanted, met."""
    with path.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        writer.writerow(["measure", "reached", "low", "high", "n", "wanted", "met"])
        for target in targets:
            value = target.reached
            figures = (f"{x:.4g}" for x in (value.mean, value.low, value.high))
            met = "" if target.met is None else "yes" if target.met else "no"
            writer.writerow([target.name, *figures, value.n, target.wanted, met])


def in_words(target: Target) -> str:
    """Return a target as one line."""
    value, wanted = target.reached, f", wanted {target.wanted}" if target.wanted else ""
    met = {None: "", True: " - met", False: " - missed"}[target.met]
    interval = f"({value.low:.3f} to {value.high:.3f}, n = {value.n})"
    return f"{target.name}: {value.mean:.3f} {interval}{wanted}{met}"
