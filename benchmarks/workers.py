"""Count the nights that the workers of a whole installation make, by the clock.

    .venv/bin/python benchmarks/workers.py [--nights 12] [--minutes 45] [--workers 2] [--json FILE]

Database, broker, web server, scheduler and workers run under the supervisor, as `up` starts them.
So many nights are asked for at once, the three composers of the music arms in turn; the clock runs
from the first that is taken up to the last that is published. Nothing is reckoned but the hour: a
run of twelve nights says what an hour would give at that pace. Say with the figure what else the
machine did; the load at the end is printed.
"""

import argparse
import json
import os
import platform
import sqlite3
import sys
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.servers import Installation

REQUEST = """
from generator.engine.brief import Brief, ComposerName, Style
from generator.services.requesting import request_playlist
composers = [ComposerName.LSTM_ACM, ComposerName.MARKOV, ComposerName.GENETIC]
for number in range({nights}):
    composer = composers[number % len(composers)]
    brief = Brief(composer, {minutes}, {{Style.CLASSICAL: 0.7, Style.FOLK: 0.3}}, seed=number)
    request_playlist(brief=brief, key=f"night {{number}}")
"""
LOOK = "SELECT state, attempt, started_at, finished_at FROM generator_playlist"
EVERY_S = 2.0


def main() -> None:
    """Print the pace by the clock, and how the nights ended."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nights", type=int, default=12)
    parser.add_argument("--minutes", type=float, default=45.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    # Short on purpose: a server's socket lies below, and the kernel allows it 108 bytes.
    with TemporaryDirectory(prefix="nb-") as folder:
        place = Installation(Path(folder), NOCTURNE_WORKERS=str(options.workers))
        try:
            place.start()
            rows = _made(place, options.nights, options.minutes)
        finally:
            place.stop()
    results = _figures(rows) | {"minutes": options.minutes, "workers": options.workers}
    sys.stdout.write(_line(results))
    if options.json:
        facts = {"machine": platform.machine(), "python": platform.python_version()}
        options.json.write_text(json.dumps(facts | results, indent=1) + "\n", "utf-8")


def _made(place: Installation, nights: int, minutes: float) -> list[tuple]:
    """Ask for the nights, wait until none is waited for, return their rows."""
    code = REQUEST.format(nights=nights, minutes=minutes)
    place.manage("shell", "--no-imports", "-c", code)
    while True:
        time.sleep(EVERY_S)
        # Not through Django: its start every two seconds would be paid for by the workers.
        with closing(sqlite3.connect(place.var / "db.sqlite3", timeout=20)) as database:
            rows = database.execute(LOOK).fetchall()
        if all(state in {"ready", "failed", "cancelled"} for state, *_rest in rows):
            return rows


def _figures(rows: list[tuple]) -> dict[str, float]:
    ready = [row for row in rows if row[0] == "ready"]
    began = min(datetime.fromisoformat(started) for _state, _n, started, _end in rows)
    ended = max(datetime.fromisoformat(end) for _state, _n, _started, end in rows)
    took_s = (ended - began).total_seconds()
    return {
        "nights": len(rows),
        "ready": len(ready),
        "attempts": sum(int(attempt) for _state, attempt, *_rest in rows),
        "took_s": round(took_s, 1),
        "nights_an_hour": round(3600 * len(ready) / took_s, 1),
        "load": round(os.getloadavg()[0], 1),
    }


def _line(results: dict[str, float]) -> str:
    return (
        "{ready} of {nights} nights of {minutes:g} minutes ready after {took_s:g} s, "
        "{attempts} attempts, {workers} workers: {nights_an_hour:g} an hour by the clock; "
        "load {load:g}\n"
    ).format(**results)


if __name__ == "__main__":
    main()
