"""Dots with intervals as SVG: one small picture a measure, rows down, no plotting library."""

from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from generator.engine.training.comparison import Row

_WIDTH, _LEFT, _RIGHT = 640, 190, 90
_TOP, _ROW = 44, 26


def write_figures(rows: Sequence[Row], directory: Path) -> list[Path]:
    """Write one SVG for each measure that at least two rows have; return their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for name in dict.fromkeys(name for row in rows for name in row.measures):
        shown = [row for row in rows if np.isfinite(_mean(row, name))]
        if len(shown) < 2:
            continue
        path = directory / f"{name.lower().replace(' ', '-')}.svg"
        path.write_text(interval_chart(name, shown), encoding="utf-8")
        written.append(path)
    return written


def interval_chart(name: str, rows: Sequence[Row]) -> str:
    """Return the picture of one measure: a dot at each mean, a line over its interval."""
    values = [row.measures[name] for row in rows]
    low, high = min(v.low for v in values), max(v.high for v in values)
    span = high - low or 1.0
    height = _TOP + _ROW * len(rows) + 16

    def x(value: float) -> float:
        return _LEFT + (value - low) / span * (_WIDTH - _LEFT - _RIGHT)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'font-family="sans-serif" font-size="13"><title>{escape(name)}</title>',
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="12" y="24" font-weight="bold">{escape(name)}</text>',
    ]
    for index, (row, value) in enumerate(zip(rows, values, strict=True)):
        y = _TOP + _ROW * index + 12
        parts += [
            f'<text x="12" y="{y + 4}">{escape(row.name)}</text>',
            f'<line x1="{x(value.low):.1f}" x2="{x(value.high):.1f}" y1="{y}" y2="{y}" '
            'stroke="#345" stroke-width="2"/>',
            f'<circle cx="{x(value.mean):.1f}" cy="{y}" r="4" fill="#345"/>',
            f'<text x="{_WIDTH - _RIGHT + 14}" y="{y + 4}">{value.mean:.3g}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])


def _mean(row: Row, name: str) -> float:
    return row.measures[name].mean if name in row.measures else float("nan")
