"""Render nights by every composer in many tastes, and say which draw passed its quality control.

    OMP_NUM_THREADS=1 python -m benchmarks.nights [--nights 16] [--minutes 15] [--seed 501]

Composers take turns; styles, modes, instruments and beds turn beside them, so that each composer
plays in each mode. What is printed at the end is the lowest and the highest of what was measured.
"""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

import torch

from generator.engine.audio.refusals import UnfitMusic
from generator.engine.brief import Bed, Brief, ComposerName, Instrument, Mode, Rendering, Style
from generator.engine.pipeline import render

_BEDS = (Bed.NONE, Bed.NONE, Bed.RAIN, Bed.NONE, Bed.WAVES, Bed.NONE, Bed.NONE)
_ITEMS = (
    "local_jump_lu",
    "decline_lu",
    "tilt_db_per_octave",
    "repetition_4",
    "pitch_class_entropy_bit",
    "held_rub_share",
)


def main() -> None:
    """Print a line a night, and the ranges."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nights", type=int, default=16)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--seed", type=int, default=501, help="of the first night")
    options = parser.parse_args()
    torch.set_num_threads(1)
    passed = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.nights):
            brief = _brief(number, options.minutes, options.seed)
            try:
                passed.append(render(brief, directory=Path(folder), stem="night"))
            except UnfitMusic as failure:
                _say(f"{_name(brief)}: no draw passed ({failure})")
            else:
                _say(f"{_name(brief)}: {_told(passed[-1])}")
    _summary(passed, options.nights)


def _brief(number: int, minutes: float, first_seed: int) -> Brief:
    """Return the brief of a night; every four nights, the composers' modes change over."""
    styles, composers = list(Style), list(ComposerName)
    liked = {styles[number % len(styles)]: 0.7, styles[(number + 2) % len(styles)]: 0.3}
    return Brief(
        composer=composers[number % len(composers)],
        minutes=minutes,
        styles=liked,
        seed=first_seed + number,
        mode=list(Mode)[(number + number // len(composers)) % len(Mode)],
        instrument=list(Instrument)[number // len(composers) % len(Instrument)],
        bed=_BEDS[number % len(_BEDS)],
    )


def _name(brief: Brief) -> str:
    styles = " and ".join(brief.styles)
    return f"{brief.seed} {brief.composer}, {styles}, {brief.mode}, {brief.instrument}, {brief.bed}"


def _told(rendering: Rendering) -> str:
    quality = rendering.quality
    failed = [row["item"] for draw in quality["draws"] for row in draw["failed"]]
    before = f" after {len(quality['draws'])} others ({', '.join(failed)})" if failed else ""
    return f"draw {len(quality['draws']) + 1} passed{before}, {quality['typicality']['grade']}"


def _summary(passed: list[Rendering], n_nights: int) -> None:
    first = sum(not rendering.quality["draws"] for rendering in passed)
    grades = Counter(rendering.quality["typicality"]["grade"] for rendering in passed)
    _say(f"{len(passed)} of {n_nights} nights passed, {first} at their first draw; {dict(grades)}")
    measured = [{row["item"]: row["value"] for row in r.quality["rows"]} for r in passed]
    for item in _ITEMS:
        values = [rows[item] for rows in measured if item in rows]
        if values:
            _say(f"{item}: {min(values):.3g} to {max(values):.3g}")
    peaks = [rendering.true_peak_dbtp for rendering in passed]
    if peaks:
        _say(f"true peak: {min(peaks):.1f} to {max(peaks):.1f} dBTP")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
