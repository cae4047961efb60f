"""Composers x measures: one table, beside human held-out pieces and two rows of chance.

Every composer writes the same number of pieces of the same length, styles and modes in turn, from
seeds 0, 1, 2, ... Night pieces are measured as written (`form.BREADTH`). The human row is the
melodies of the test split; `null` rows are the same with the onsets of each bar, or the pitches,
shuffled. All rows, the human one too, are held against the valid split, so that what separates two
bodies of human music is seen.
"""

import csv
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from generator.engine.brief import Brief, ComposerName, Mode, Style
from generator.engine.composers.composer import Composer
from generator.engine.composers.form import BREADTH
from generator.engine.metrics.cardinality import known_excerpts
from generator.engine.metrics.grade import human_scale
from generator.engine.metrics.line import Line, melody_of
from generator.engine.metrics.style import style_space
from generator.engine.training.corpus import Corpus
from generator.engine.training.lines import (
    lines_of,
    long_lines,
    with_shuffled_onsets,
    with_shuffled_pitches,
)
from generator.engine.training.measures import (
    Measured,
    Reference,
    mean_of,
    measure,
    places_of,
    style_points,
    training_runs,
)

HUMAN = "human held-out"


@dataclass(frozen=True)
class Task:
    """How much each composer writes: pieces of `minutes`, from seed 0 on."""

    n_pieces: int = 200
    minutes: float = 5.0


@dataclass(frozen=True)
class Row:
    """One body of music: its measures by name."""

    name: str
    measures: Mapping[str, Measured]


def reference_of(corpus: Corpus) -> Reference:
    """Return what all rows are held against, from the train and the valid split."""
    held_out = held_out_lines(corpus, "valid")
    train = lines_of(corpus.split("train"))
    points = style_points(train)
    space = style_space(points)
    return Reference(
        places_of(held_out),
        np.concatenate([line.pitches for line in held_out]),
        training_runs(train),
        known_excerpts(train),
        space,
        space.project(style_points(held_out)),
        space.project(points),
        human_scale(held_out),
    )


def held_out_lines(corpus: Corpus, split: str) -> list[Line]:
    """Return the melodies of a split that are eight bars long or longer."""
    return long_lines(corpus.split(split))


def compare(
    composers: Mapping[str, Composer],
    corpus: Corpus,
    task: Task,
    report: Callable[[str], None] = lambda _: None,
) -> list[Row]:
    """Return the human row, the rows of chance, and a row for each composer."""
    human = held_out_lines(corpus, "test")
    reference = reference_of(corpus)
    rng = np.random.default_rng(0)
    bodies: dict[str, list[Line]] = {
        HUMAN: human,
        "null: shuffled onsets": [with_shuffled_onsets(line, rng) for line in human],
        "null: shuffled pitches": [with_shuffled_pitches(line, rng) for line in human],
    }
    rows = []
    for name, lines in bodies.items():
        report(f"Measuring {name} ({len(lines)} pieces) ...")
        rows.append(Row(name, measure(lines, reference)))
    for name, composer in composers.items():
        report(f"Composing {task.n_pieces} pieces by {name} ...")
        lines, seconds = _composed(composer, task)
        measures = measure(lines, reference)
        measures["CPU-s a minute"] = mean_of(seconds / task.minutes)
        rows.append(Row(name, measures))
    return rows


def briefs(task: Task) -> Iterator[Brief]:
    """Yield what is asked of every composer: styles and modes in turn, seeds 0, 1, 2, ..."""
    styles, modes = list(Style), list(Mode)
    for seed in range(task.n_pieces):
        yield Brief(
            ComposerName.LSTM_ACM,
            task.minutes,
            {styles[seed % len(styles)]: 1.0},
            seed,
            mode=modes[seed // len(styles) % len(modes)],
        )


def write_rows(rows: Sequence[Row], path: Path) -> None:
    """Write one line for each row and measure: mean, interval, n, gap to the human row."""
    human = next(row for row in rows if row.name == HUMAN)
    with path.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        writer.writerow(["row", "measure", "mean", "low", "high", "n", "gap"])
        for row in rows:
            for name, value in row.measures.items():
                there = human.measures.get(name)
                gap = value.gap(there) if there is not None and there.spread > 0 else float("nan")
                figures = (f"{x:.4g}" for x in (value.mean, value.low, value.high))
                writer.writerow([row.name, name, *figures, value.n, f"{gap:.3g}"])


def markdown_table(rows: Sequence[Row]) -> str:
    """Return measures down, rows across: mean and interval."""
    names = list(dict.fromkeys(name for row in rows for name in row.measures))
    head = ["measure", *(row.name for row in rows)]
    table = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for name in names:
        cells = [_cell(row.measures.get(name)) for row in rows]
        table.append("| " + " | ".join([name, *cells]) + " |")
    return "\n".join(table) + "\n"


def _cell(value: Measured | None) -> str:
    if value is None or not np.isfinite(value.mean):
        return "-"
    return f"{value.mean:.3g} ({value.low:.3g} to {value.high:.3g})"


def _composed(composer: Composer, task: Task) -> tuple[list[Line], np.ndarray]:
    lines, seconds = [], []
    for brief in briefs(task):
        began = time.process_time()
        score = composer.compose(brief, np.random.default_rng(brief.seed))
        seconds.append(time.process_time() - began)
        line = melody_of(score, BREADTH)
        lines.append(
            Line(
                line.onsets,
                line.pitches - score.tonic + (12 if score.tonic > 5 else 0),
                line.durations,
                line.steps_per_bar,
                0,
                line.mode,
            )
        )
    return lines, np.array(seconds)
