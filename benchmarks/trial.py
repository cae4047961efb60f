"""Time the pages of a large trial, and the handing in of questionnaires with their audit.

    .venv/bin/python benchmarks/trial.py [--participants N] [--entries N] [--sheets N]
                                         [--postgres] [--json FILE]

A study of N participants with their visits and an audit trail is written straight into a database
of its own, with a tenth of it beside it. Each page is asked for many times through Django,
middleware and template included. The run fails if a page asks the database more often for the large
study than for the small one. Times are wall clock and processor time of the asking process: on a
machine that is busy with other work only the second one says much.

Then CPSS questionnaires are begun, answered and handed in by the trial's own services, two
processes at once: as many item by item, each answer a transaction of its own as on a phone, as with
all answers in one, as from a paper form. Each answer has its audit entry in the same transaction.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

# The folder of this file would hide the standard library's module of the same name.
sys.path.pop(0)
ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.servers import postgres  # noqa: E402 (needs the path above)

# Django must be set up before the parts are imported.
START = (
    "import sys, django; django.setup(); "
    "from benchmarks.trial_parts import main; main(*map(int, sys.argv[1:]))"
)


def main() -> None:
    """Print one line for each page, then the questionnaires a second."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--participants", type=int, default=2000)
    parser.add_argument("--entries", type=int, default=1_500_000, help="entries of the audit trail")
    parser.add_argument("--sheets", type=int, default=200, help="questionnaires to hand in, twice")
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL, not on SQLite")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    # Short on purpose: a server's socket lies below, and the kernel allows it 108 bytes.
    with TemporaryDirectory(prefix="nb-") as folder:
        server = postgres(Path(folder)) if options.postgres else nullcontext("")
        with server as url:
            sizes = (options.participants, options.entries, options.sheets)
            results = _in_a_process(Path(folder) / "var", url, sizes)
    facts = {"database": "PostgreSQL" if options.postgres else "SQLite"}
    facts |= {"python": platform.python_version(), "machine": platform.machine()}
    sys.stdout.write(_table(results))
    if options.json:
        options.json.write_text(json.dumps(facts | results, indent=1) + "\n", "utf-8")


def _in_a_process(state: Path, url: str, sizes: tuple[int, ...]) -> dict:
    environment = os.environ | {
        "NOCTURNE_VAR": str(state), "NOCTURNE_MODE": "test", "LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "therapy_site.settings", "OMP_NUM_THREADS": "1",
        "CELERY_BROKER_URL": "memory://", "DATABASE_URL": url,
    }  # fmt: skip
    command = [sys.executable, "-c", START, *map(str, sizes)]
    done = subprocess.run(  # noqa: S603 -- our own program
        command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def _table(results: dict) -> str:
    lines = [
        f"{results['participants']} participants, {results['entries']} audit entries",
        f"{'page':14}{'wall ms p50':>12}{'p95':>8}{'processor ms p50':>18}{'p95':>8}{'queries':>9}",
    ]
    lines += [
        f"{page['page']:14}{page['wall_p50_ms']:12.0f}{page['wall_p95_ms']:8.0f}"
        f"{page['cpu_p50_ms']:18.0f}{page['cpu_p95_ms']:8.0f}{page['queries']:9d}"
        for page in results["pages"]
    ]
    lines += [
        f"{sheets['sheets']} questionnaires {sheets['manner']} in {sheets['seconds']:.1f} s: "
        f"{sheets['per_s']:.1f} a second, {sheets['entries_per_s']:.0f} audit entries a second; "
        f"{sheets['cpu_ms']:.0f} ms of processor time each"
        for sheets in results["sheets"]
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
