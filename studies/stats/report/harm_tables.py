"""The tables of harms: participants and events of each kind by arm, and the differences."""

from collections.abc import Iterator, Sequence

import numpy as np

from studies.stats.analysis.harms import (
    ASKED,
    BEFORE,
    COMPARED,
    CRITERIA,
    DIFFERENCE,
    EVENTS,
    PARTICIPANTS,
    RELATIONS,
    SEVERITIES,
)
from studies.stats.analysis.records import Record
from studies.stats.analysis.running import Results
from studies.stats.estimate import Estimate
from studies.stats.report.blocks import Cells, Table
from studies.stats.report.lookup import interval, number
from studies.stats.report.wording import Words

# A kind below its heading is a part of it.
PARTS = (*SEVERITIES, *(f"relation_{kind}" for kind in RELATIONS), *CRITERIA)
ORDER = (
    "any", *SEVERITIES, *(f"relation_{kind}" for kind in RELATIONS), "serious", *CRITERIA,
    "reaction", "serious_reaction", "unexpected_serious_reaction",
)  # fmt: skip
# Said also where nobody had it.
ALWAYS = ("death",)


def harms_table(results: Results, harms: Sequence[Record], words: Words) -> Table:
    """Return participants with at least one event of each kind, and the events, by arm."""
    levels = results.table.levels
    found = {(r.place.outcome, r.place.method, r.place.arm): r.estimate for r in harms}
    rows = []
    for kind in (ASKED, *ORDER, BEFORE):
        if _is_told(kind, found, levels):
            name = words(f"harms.{kind}")
            cells = (_counted(kind, arm, found, words) for arm in levels)
            rows.append((f"  {name}" if kind in PARTS else name, *cells))
    n = np.bincount(results.table.arms, minlength=len(levels))
    header = (words("harms.kind"), *(
        f"{words.arm(arm)} (n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{count})"
        for arm, count in zip(levels, n, strict=True)
    ))  # fmt: skip
    return Table(words("tables.harms"), header, tuple(rows))


def harms_compared_table(results: Results, harms: Sequence[Record], words: Words) -> Table:
    """Return the risk differences from the reference, in percentage points; no p value."""
    level = words("interval", level=f"{100 * results.plan.level:g}")
    caption = words("tables.harms_compared", reference=words.arm(results.table.levels[0]))
    header = (words("harms.kind"), words("contrast"), words("tables.harms_difference"), level)
    return Table(caption, header, tuple(_compared(harms, words)), 2)


def _compared(harms: Sequence[Record], words: Words) -> Iterator[Cells]:
    for kind in COMPARED:
        for record in harms:
            if (record.place.outcome, record.place.method) == (kind, DIFFERENCE):
                yield (words(f"harms.{kind}"), words.contrast(record.place.contrast),
                       *_points(record.estimate, words))  # fmt: skip


def _points(found: Estimate, words: Words) -> Cells:
    if found.value is None:
        return (words("not_estimable"), words("none"))
    return (number(100 * found.value, words, 1), interval(found, words, 1, times=100))


def _is_told(
    kind: str, found: dict[tuple[str, str, str], Estimate], levels: tuple[str, ...]
) -> bool:
    """Say of a criterion of seriousness, and of what began before, only where there was one."""
    is_rare = kind == BEFORE or (kind in CRITERIA and kind not in ALWAYS)
    return not is_rare or any(found[kind, EVENTS, arm].value for arm in levels)


def _counted(kind: str, arm: str, found: dict[tuple[str, str, str], Estimate], words: Words) -> str:
    share, events = found[kind, PARTICIPANTS, arm], found[kind, EVENTS, arm]
    if share.value is None:
        return words("none")
    people = round(share.value * share.n)
    return f"{people} ({100 * share.value:.0f} %); {events.value:.0f}"
