"""Print which tests show that each requirement holds, with the version of the code."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from studies import clock
from studies.design.requirements import Requirement, requirements
from studies.services.closing.code_version import code_version

UNKNOWN = "not run"


class Command(BaseCommand):
    """A table of requirement and test; with the results of a run, what each came to."""

    help = (
        "Print each requirement with the tests that cover it, or why none does. The results of a "
        "test run are added from its report: pytest --junit-xml FILE."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--results", type=Path, action="append", default=[], help="a report of a test run"
        )

    def handle(self, *, results: list[Path], **_options: object) -> None:
        """Print the table; exit status 1 when a named test failed."""
        outcomes: dict[str, str] = {}
        for file in results:
            outcomes |= _outcomes(file)
        rows = requirements()
        n_covered = sum(row.is_covered for row in rows)
        self.stdout.write(f"Validation of {code_version()}")
        self.stdout.write(f"{clock.now():%Y-%m-%d %H:%M} UTC; supports good clinical practice.")
        self.stdout.write(f"{n_covered} of {len(rows)} requirements are covered by tests.\n")
        for row in rows:
            self._tell(row, outcomes)
        failed = [test for row in rows for test in row.tests if outcomes.get(test) == "failed"]
        if failed:
            raise CommandError(f"{len(failed)} of the named tests failed: {', '.join(failed)}.")

    def _tell(self, row: Requirement, outcomes: Mapping[str, str]) -> None:
        self.stdout.write(f"{row.number}  {row.title}")
        if not row.is_covered:
            self.stdout.write(f"    not covered: {row.reason}")
        for test in row.tests:
            verdict = f"{outcomes.get(test, UNKNOWN)}  " if outcomes else ""
            self.stdout.write(f"    {verdict}{test}")


def _outcomes(file: Path) -> dict[str, str]:
    """Return how the tests of a report ended; of a parametrised one, the worst."""
    try:
        cases = ElementTree.parse(file).getroot().iter("testcase")  # noqa: S314 -- our own report
    except (OSError, ElementTree.ParseError) as error:
        raise CommandError(
            f"A report of pytest --junit-xml was expected, got {file}: {error}. Choose another one."
        ) from error
    found: dict[str, str] = {}
    for case in cases:
        name = case.get("classname", "").replace(".", "/") + ".py::"
        name += case.get("name", "").split("[", 1)[0]
        found[name] = max(found.get(name, ""), _outcome(case), key=_badness)
    return found


def _outcome(case: ElementTree.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "skipped" if case.find("skipped") is not None else "passed"


def _badness(outcome: str) -> int:
    # Where some of a parametrised test's cases ran, a skipped one does not hide them.
    return ("", "skipped", "passed", "failed").index(outcome)
