"""Scores of whole tables at once: numpy columns in, numpy columns out.

The same rules as the row scorers in ``psqi`` and ``cpss``, which stay the reference: a property
test compares the two over the whole answer space. A column has one row for each answer set, a
missing answer is NaN, a time of day is its minute after midnight (0 to 1439). A column that is
not there is missing throughout.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from questionnaires.instruments.clock import MINUTES_IN_DAY, minute_of_day
from questionnaires.instruments.cpss import CPSS, CPSS14_YANG2003, DIRECT, ITEM_12, REVERSED
from questionnaires.instruments.cpss import TOP_CODE as CPSS_TOP_CODE
from questionnaires.instruments.errors import UnknownRule
from questionnaires.instruments.instrument import Answers, Instrument, Kind
from questionnaires.instruments.psqi import (
    BUYSSE1989,
    CODED,
    COMPONENTS,
    DISTURBANCE_UPPER_BOUNDS,
    DISTURBANCES,
    DURATION_LOWER_BOUNDS,
    EFFICIENCY_LOWER_BOUNDS_PCT,
    LATENCY_UPPER_BOUNDS_MIN,
    LONGEST_LIKELY_TIB_H,
    MICROMINUTES,
    MICROMINUTES_IN_HOUR,
    MINUTES_IN_HOUR,
    PAIR_UPPER_BOUNDS,
    PITT2005,
    PSQI,
    SHORTEST_LIKELY_TIB_H,
)

Column = npt.NDArray[np.float64]
Claims = npt.NDArray[np.bool_]
Columns = Mapping[str, npt.NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class ColumnScores:
    """What a scoring rule made of a table of answers.

    ``values`` has a column for every score field of the instrument, NaN where it is not derivable;
    ``n_missing`` counts required items without an answer; ``flags`` says for each flag which rows
    have it, in the order in which the row scorers list them.
    """

    rule_id: str
    values: Mapping[str, Column]
    n_missing: npt.NDArray[np.int64]
    flags: Mapping[str, Claims]

    def flags_by_row(self) -> list[tuple[str, ...]]:
        """Return the flags of each row."""
        rows: list[tuple[str, ...]] = [()] * len(self.n_missing)
        for name, claims in self.flags.items():
            for row in np.flatnonzero(claims):
                rows[row] += (name,)
        return rows


def columns_of(instrument: Instrument, rows: Iterable[Answers]) -> dict[str, npt.NDArray]:
    """Return answer sets as columns.

    Parameters
    ----------
    instrument : Instrument
        Whose items make the columns.
    rows : iterable of mapping of str to value
        Values as ``read_answer`` gives them. An item that no row has gives no column.

    Returns
    -------
    dict of str to ndarray, shape (n_rows,)
        Times in minutes after midnight, codes and numbers as they are, NaN where missing. A text
        gives a boolean column: whether there is one.
    """
    rows = list(rows)
    asked = {key for row in rows for key in row}
    return {
        item.key: CELLS.get(item.kind, _number_cells)([row.get(item.key) for row in rows])
        for item in instrument.items
        if item.key in asked
    }


def score_columns(instrument: Instrument, columns: Columns, rule_id: str = "") -> ColumnScores:
    """Return the scores of a table by one rule of an instrument.

    Parameters
    ----------
    instrument : Instrument
        One that ``COLUMN_RULES`` scores: the PSQI or the CPSS.
    columns : mapping of str to ndarray, shape (n_rows,)
        As ``columns_of`` gives them; at least one.
    rule_id : str
        A rule of the instrument; empty for its default.

    Raises
    ------
    UnknownRule
        If the instrument is not scored by this rule.
    """
    rule_id = rule_id or instrument.default_rule
    if rule_id not in instrument.rule_ids:
        raise UnknownRule(instrument.key, rule_id, instrument.rule_ids)
    return COLUMN_RULES[rule_id](columns)


def score_pitt2005_columns(columns: Columns) -> ColumnScores:
    """Return PSQI scores by the Pittsburgh instructions; see ``score_psqi_columns``."""
    return score_psqi_columns(columns, rule_id=PITT2005)


def score_buysse1989_columns(columns: Columns) -> ColumnScores:
    """Return PSQI scores by the boundaries printed in 1989; see ``score_psqi_columns``."""
    return score_psqi_columns(columns, rule_id=BUYSSE1989)


def score_psqi_columns(columns: Columns, *, rule_id: str) -> ColumnScores:
    """Return the components, the total, hours in bed and efficiency of a table of PSQI answers.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n_rows,)
        ``bed`` and ``rise`` in minutes after midnight, ``latency_min`` in minutes, ``sleep_h`` in
        hours, codes 0-3, NaN where missing. ``d_j_reason`` is boolean; without that column no
        reason was asked for and every ``d_j`` counts.
    rule_id : {"pitt2005", "buysse1989"}
        Which boundaries apply.

    Returns
    -------
    ColumnScores
        Fields and flags as ``score_psqi`` gives them.
    """
    answers = _Table(columns)
    bed, rise = answers["bed"], answers["rise"]
    tib_min = np.where(bed == rise, np.nan, np.mod(rise - bed, MINUTES_IN_DAY))
    asleep = np.rint(answers["sleep_h"] * MICROMINUTES_IN_HOUR)
    se_pct = asleep / (tib_min * MICROMINUTES / 100)
    counted = ~np.isnan(answers["d_j"]) & answers.claims("d_j_reason", absent=True)
    is_open = rule_id == BUYSSE1989
    components = {
        "quality": answers["quality"],
        "latency": _pair(_band(answers["latency_min"], LATENCY_UPPER_BOUNDS_MIN), answers["d_a"]),
        "duration": _points_below(asleep, DURATION_LOWER_BOUNDS, is_open=is_open),
        "efficiency": _points_below(se_pct, EFFICIENCY_LOWER_BOUNDS_PCT, is_open=is_open),
        "disturbance": _band(
            answers.sum(DISTURBANCES) + np.where(counted, answers["d_j"], 0),
            DISTURBANCE_UPPER_BOUNDS,
        ),
        "medication": answers["meds"],
        "dysfunction": _pair(answers["awake"], answers["enthusiasm"]),
    }
    return ColumnScores(
        rule_id=rule_id,
        values={
            **{f"component_{name}": components[name] for name in COMPONENTS},
            "total": np.sum([components[name] for name in COMPONENTS], axis=0),
            "tib_h": tib_min / MINUTES_IN_HOUR,
            "se_pct": se_pct,
        },
        n_missing=answers.n_missing(PSQI),
        flags={
            "other_reason_missing": (answers["d_j"] > 0) & ~counted,
            "tib_not_derivable": bed == rise,
            "straight_line": answers.is_constant(CODED) & (answers[CODED[0]] > 0),
            "tib_under_3_h": tib_min < SHORTEST_LIKELY_TIB_H * MINUTES_IN_HOUR,
            "tib_over_14_h": tib_min > LONGEST_LIKELY_TIB_H * MINUTES_IN_HOUR,
            "sleep_exceeds_tib": asleep > tib_min * MICROMINUTES,
            "latency_exceeds_tib": answers["latency_min"] > tib_min,
        },
    )


def score_cpss14_columns(columns: Columns) -> ColumnScores:
    """Return the two factors and the totals of a table of CPSS-14 answers.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n_rows,)
        ``item_1`` to ``item_14``, coded 0-4 as answered, NaN where missing.

    Returns
    -------
    ColumnScores
        Fields and flags as ``score_cpss14_yang2003`` gives them.
    """
    answers = _Table(columns)
    direct = {f"item_{number}": answers[f"item_{number}"] for number in DIRECT}
    reversed_ = {f"item_{number}": CPSS_TOP_CODE - answers[f"item_{number}"] for number in REVERSED}
    n_missing = answers.n_missing(CPSS)
    tension, control = _sum(direct.values()), _sum(reversed_.values())
    imputed = _person_mean_sum(direct.values()) + _person_mean_sum(reversed_.values())
    points = direct | reversed_
    return ColumnScores(
        rule_id=CPSS14_YANG2003,
        values={
            "tension": tension,
            "control": control,
            "total": tension + control,
            "total_one_imputed": np.where(n_missing == 1, imputed, tension + control),
            "total_without_item_12": _sum(
                column for key, column in points.items() if key != ITEM_12
            ),
        },
        n_missing=n_missing,
        flags={
            "straight_line": answers.is_constant(tuple(points)),
            "one_item_missing": n_missing == 1,
        },
    )


class _Table:
    """Columns of one length, NaN throughout where one is absent."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._n_rows = len(next(iter(columns.values())))

    def __getitem__(self, key: str) -> Column:
        if key not in self._columns:
            return np.full(self._n_rows, np.nan)
        return np.asarray(self._columns[key], dtype=np.float64)

    def claims(self, key: str, *, absent: bool) -> Claims:
        if key not in self._columns:
            return np.full(self._n_rows, absent)
        return np.asarray(self._columns[key], dtype=np.bool_)

    def sum(self, keys: tuple[str, ...]) -> Column:
        return _sum(self[key] for key in keys)

    def is_constant(self, keys: tuple[str, ...]) -> Claims:
        """Return where all these answers are one and the same; a missing one equals none."""
        first = self[keys[0]]
        return np.logical_and.reduce([self[key] == first for key in keys])

    def n_missing(self, instrument: Instrument) -> npt.NDArray[np.int64]:
        required = (item.key for item in instrument.items if item.required)
        return np.sum([np.isnan(self[key]) for key in required], axis=0)


def _sum(columns: Iterable[Column]) -> Column:
    return np.sum(list(columns), axis=0)


def _person_mean_sum(columns: Iterable[Column]) -> Column:
    """Return the sum that the mean of the known answers gives for all of them."""
    stacked = np.array(list(columns))
    n_known = np.sum(~np.isnan(stacked), axis=0)
    return np.nansum(stacked, axis=0) / np.maximum(n_known, 1) * len(stacked)


def _band(values: Column, upper_bounds: tuple[int, ...]) -> Column:
    """Return how many of the rising bounds lie below the value."""
    bands = np.searchsorted(upper_bounds, values, side="left")
    return np.where(np.isnan(values), np.nan, bands)


def _pair(first: Column, second: Column) -> Column:
    return _band(first + second, PAIR_UPPER_BOUNDS)


def _points_below(values: Column, lower_bounds: tuple[int, ...], *, is_open: bool) -> Column:
    """Return how many of the falling bounds lie above the value; see ``psqi``."""
    points = np.sum([values < bound for bound in lower_bounds], axis=0)
    if is_open:
        points = np.where(values == lower_bounds[0], 1, points)
    return np.where(np.isnan(values), np.nan, points)


def _number_cells(cells: list[float | None]) -> Column:
    return np.array([np.nan if cell is None else cell for cell in cells], dtype=np.float64)


def _time_cells(cells: list[str | None]) -> Column:
    return _number_cells([None if cell is None else minute_of_day(cell) for cell in cells])


def _text_cells(cells: list[str | None]) -> Claims:
    return np.array([bool(str(cell or "").strip()) for cell in cells], dtype=np.bool_)


CELLS: dict[Kind, Callable[[list], npt.NDArray]] = {
    Kind.TIME: _time_cells,
    Kind.TEXT: _text_cells,
}

COLUMN_RULES: dict[str, Callable[[Columns], ColumnScores]] = {
    PITT2005: score_pitt2005_columns,
    BUYSSE1989: score_buysse1989_columns,
    CPSS14_YANG2003: score_cpss14_columns,
}
