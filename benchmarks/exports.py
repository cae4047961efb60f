"""Time the export of a study, and the memory it takes; its .sav and .dta beside two peers.

    .venv/bin/python benchmarks/exports.py [--quick] [--json FILE]

Studies of the four-arm template with two instruments at three visits, every item answered, in a
SQLite database of their own under a temporary directory. CPU seconds; each part runs in a process
of its own, whose peak memory is given, Django included, beside what it was before: "streams in
bounded memory" means that ten times the people need little more. The peers write the same long
table from one that lies in memory: pyreadstat (.sav, by the C library ReadStat) and pandas (.dta,
release 118).
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[1]
# Django must be set up before the parts are imported.
START = (
    "import sys, django; django.setup(); "
    "from benchmarks.export_parts import main; main(*sys.argv[1:])"
)
SIZES = (100, 1_000, 10_000)
QUICK_SIZES = (100, 1_000)
WRITERS = ("sav", "pyreadstat", "dta", "pandas")


def main() -> None:
    """Print the table of figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="leave out 10,000 participants")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    sizes = QUICK_SIZES if options.quick else SIZES
    rows = []
    for size in sizes:
        with TemporaryDirectory() as folder:
            _in_a_process("fill", size, folder)
            rows.append(_in_a_process("export", size, folder))
    for writer in WRITERS:
        with TemporaryDirectory() as folder:
            rows.append(_in_a_process(writer, sizes[-1], folder))
    sys.stdout.write(_table(rows))
    if options.json:
        facts = {"python": platform.python_version(), "machine": platform.machine(), "rows": rows}
        options.json.write_text(json.dumps(facts, indent=1) + "\n", "utf-8")


def _in_a_process(part: str, size: int, folder: str) -> dict[str, Any]:
    environment = os.environ | {
        "NOCTURNE_VAR": str(Path(folder) / "var"), "NOCTURNE_MODE": "demo", "LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "therapy_site.settings", "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    command = [sys.executable, "-c", START, part, str(size), folder]
    done = subprocess.run(  # noqa: S603 -- our own program
        command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout)


def _table(rows: list[dict[str, Any]]) -> str:
    lines = [f"{'what':42}{'s':>9}{'peak MB':>9}{'before':>8}{'MB written':>12}"]
    lines += [
        f"{row['what']:42}{row['seconds']:9.2f}{row['memory_mb']:9.0f}{row['before_mb']:8.0f}"
        f"{row['written_mb']:12.1f}"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
