"""Time the scoring of 100,000 answer sets: by columns, and row by row in the same run.

    .venv/bin/python benchmarks/scoring.py [--rows N] [--json FILE]

The peer is the plain loop over the row scorer, which is the reference for every rule. Both score
the same synthetic answers, and the run fails if any total differs. "Columns from rows" is what it
costs to bring dictionaries of answers into columns; tables read from files are columns already.
"""

import argparse
import json
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from questionnaires.instruments import instrument_named, score_answers
from questionnaires.instruments.clock import time_of_day
from questionnaires.instruments.columns import columns_of, score_columns
from questionnaires.instruments.instrument import Answers, Instrument, Item, Kind, Value

SEED = 20260301
REPEATS = 3
RULES = (("psqi", "pitt2005"), ("psqi", "buysse1989"), ("cpss", "cpss14_yang2003"))


def main() -> None:
    """Print one line for each rule and way of scoring."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000, help="answer sets to score")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    results = [timed(key, rule_id, options.rows) for key, rule_id in RULES]
    sys.stdout.write(_table(options.rows, results))
    if options.json:
        facts = {"rows": options.rows, "seed": SEED, "python": platform.python_version()}
        facts |= {"numpy": np.__version__, "machine": platform.machine(), "results": results}
        options.json.write_text(json.dumps(facts, indent=1) + "\n", "utf-8")


def timed(key: str, rule_id: str, n_rows: int) -> dict[str, str | float]:
    """Return the seconds that each way takes for one rule, the best of three runs."""
    instrument = instrument_named(key)
    rows = synthetic_rows(instrument, n_rows)
    columns = columns_of(instrument, rows)
    by_row = [score_answers(instrument, row, rule_id).values["total"] for row in rows]
    by_column = score_columns(instrument, columns, rule_id).values["total"]
    if not np.array_equal(np.array(by_row, dtype=float), by_column, equal_nan=True):
        raise SystemExit(f"{rule_id}: the two ways of scoring differ. Do not use either.")
    return {
        "rule": rule_id,
        "columns_s": _best(lambda: score_columns(instrument, columns, rule_id)),
        "columns_from_rows_s": _best(lambda: columns_of(instrument, rows)),
        "rows_s": _best(lambda: [score_answers(instrument, row, rule_id) for row in rows]),
    }


def synthetic_rows(instrument: Instrument, n_rows: int) -> list[Answers]:
    """Return seeded answers spread over every item's range, one in fifty missing."""
    rng = np.random.default_rng(SEED)
    by_item = {item.key: _answers_to(item, n_rows, rng) for item in instrument.items}
    return [dict(zip(by_item, row, strict=True)) for row in zip(*by_item.values(), strict=True)]


def _answers_to(item: Item, n_rows: int, rng: np.random.Generator) -> list[Value]:
    if item.kind is Kind.CHOICE:
        values = rng.choice(item.choices, n_rows).tolist()
    elif item.kind is Kind.TIME:
        values = [time_of_day(minute) for minute in rng.integers(0, 1440, n_rows).tolist()]
    elif item.kind is Kind.TEXT:
        values = rng.choice(["", "noise"], n_rows).tolist()
    else:
        values = (rng.integers(0, int(item.high) * 4, n_rows) / 4).tolist()
    missing = rng.random(n_rows) < 1 / 50
    return [None if absent else value for value, absent in zip(values, missing, strict=True)]


def _best(score: Callable[[], object]) -> float:
    def once() -> float:
        began = perf_counter()
        score()
        return perf_counter() - began

    return min(once() for _ in range(REPEATS))


def _table(n_rows: int, results: list[dict[str, str | float]]) -> str:
    head = f"{n_rows:,} answer sets; seconds, best of {REPEATS}\n"
    head += f"{'rule':<18}{'columns':>10}{'columns from rows':>20}{'row by row':>13}{'faster':>9}\n"
    return head + "".join(
        f"{r['rule']:<18}{r['columns_s']:>10.3f}{r['columns_from_rows_s']:>20.3f}"
        f"{r['rows_s']:>13.3f}{r['rows_s'] / r['columns_s']:>8.0f}x\n"
        for r in results
    )


if __name__ == "__main__":
    main()
