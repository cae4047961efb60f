"""R's results on shared data sets, where they lie beside the checkout."""

import csv
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

FOLDER = Path(__file__).parents[4] / "shared" / "references" / "stats"
needs_references = pytest.mark.skipif(
    not FOLDER.exists(), reason=f"the reference results are not there: {FOLDER.name}"
)
TOLERANCE = 1e-9


@cache
def results(name: str) -> dict:
    """Return R's results on a data set."""
    return json.loads((FOLDER / f"{name}.json").read_text())


def columns(name: str, *wanted: str, arm: str) -> tuple[NDArray[np.float64], ...]:
    """Return columns of one arm of a data set; an empty field is NaN."""
    with (FOLDER / f"{name}.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["arm"] == arm]
    return tuple(np.array([float(row[key] or "nan") for row in rows]) for key in wanted)
