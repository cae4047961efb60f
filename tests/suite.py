"""`./run test` and `./run lint`: every check there is, one summary, one exit status.

The tests run three times over: all that need neither servers nor a browser, on the embedded
database; those of them that touch the database once more, on a real PostgreSQL; then those with
real servers and a real browser. Arguments go to pytest, which then runs once, on what they name.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from therapy_site.servers import ServerMissing, postgres_programs  # noqa: E402 (needs the path above)

BINARIES = Path(sys.executable).parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
INSTALL_BROWSER = "apt-get install -y chromium"
NO_TESTS_COLLECTED = 5
ALONE, TOGETHER = "browser or services", "not browser and not services"
LINTERS = {
    "ruff check": [str(BINARIES / "ruff"), "check", "."],
    "ruff format": [str(BINARIES / "ruff"), "format", "--check", "."],
    "import contracts": [str(BINARIES / "lint-imports"), "--no-cache"],
    "migrations": [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"],
    "translations": [sys.executable, "tests/translations.py"],
}


@dataclass(frozen=True)
class Outcome:
    """What one step came to."""

    name: str
    passed: bool
    seconds: float
    details: str = ""


def main(arguments: list[str]) -> int:
    """Run what was asked for; return the exit status."""
    os.chdir(ROOT)
    command, rest = arguments[0], arguments[1:]
    slow = ["--slow"] if "--slow" in rest else []
    chosen = [word for word in rest if word != "--slow"]
    if command == "lint":
        outcomes = list(lint())
    elif chosen:
        outcomes = [pytest("chosen tests", [*slow, *chosen])]
    else:
        outcomes = [*lint(), *every_test(slow)]
    return summary(outcomes)


def lint() -> Iterable[Outcome]:
    """Run the linters; what they say is shown only where they complain."""
    with tempfile.TemporaryDirectory(prefix="nt-") as state:
        environment = {**os.environ, "NOCTURNE_MODE": "test", "NOCTURNE_VAR": state}
        for name, command in LINTERS.items():
            began = time.monotonic()
            finished = subprocess.run(
                command, env=environment, capture_output=True, text=True, check=False
            )
            if finished.returncode:
                print(f"--- {name}\n{finished.stdout}{finished.stderr}", flush=True)
            yield Outcome(name, finished.returncode == 0, time.monotonic() - began)


def every_test(slow: list[str]) -> Iterable[Outcome]:
    """Run all tests, each on everything it is meant to hold on."""
    side_by_side = ["-n", "2", "--dist", "loadgroup"] if (os.cpu_count() or 1) > 1 else []
    yield pytest("embedded database", [*slow, *side_by_side, "-m", TOGETHER])
    try:
        postgres_programs()
        yield pytest("PostgreSQL", [*slow, *side_by_side, "--postgres", "-m", TOGETHER])
    except ServerMissing as missing:
        yield Outcome("PostgreSQL", passed=True, seconds=0, details=f"skipped: {missing}")
    require_browser()
    yield pytest("servers and browser", [*slow, "-m", ALONE])


def pytest(name: str, arguments: list[str]) -> Outcome:
    """Run pytest once."""
    print(f"\n=== {name}", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="nt-") as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", f"--junit-xml={report}", *arguments]
        status = subprocess.call(command)
        details = counts(report)
    passed = status in {0, NO_TESTS_COLLECTED}
    return Outcome(name, passed, time.monotonic() - began, details)


def counts(report: Path) -> str:
    """Return how many tests there were, and how they ended."""
    if not report.exists():
        return "did not finish"
    total = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):  # noqa: S314 (pytest's own)
        for key in total:
            total[key] += int(suite.get(key, 0))
    return ", ".join(f"{count} {key}" for key, count in total.items())


def require_browser() -> None:
    """Install Chromium where it is missing and we may; the tests say so themselves otherwise."""
    if any(shutil.which(name) for name in BROWSERS):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"\nNo Chromium found; trying: {INSTALL_BROWSER}", flush=True)
        subprocess.call(["apt-get", "update", "-q"])
        subprocess.call(INSTALL_BROWSER.split())


def summary(outcomes: Iterable[Outcome]) -> int:
    """Print one line a step; return the exit status."""
    outcomes = list(outcomes)
    print("\n=== Summary")
    for outcome in outcomes:
        verdict = "ok    " if outcome.passed else "FAILED"
        print(f"{verdict} {outcome.name:<22} {outcome.seconds:6.1f} s  {outcome.details}")
    return 0 if all(outcome.passed for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
