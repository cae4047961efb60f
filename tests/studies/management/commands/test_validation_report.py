"""`manage.py validation_report`: the table of requirement and test, and what the tests came to."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from studies.design.requirements import requirements
from studies.services.closing.code_version import code_version

CASE = '<testcase classname="{file}" name="{name}">{inside}</testcase>'


def _report(*arguments: object) -> str:
    out = StringIO()
    call_command("validation_report", *arguments, stdout=out)
    return out.getvalue()


def _results(folder: Path, test: str, *insides: str) -> Path:
    file, name = test.split("::")
    dotted = file.removesuffix(".py").replace("/", ".")
    cases = (
        CASE.format(file=dotted, name=f"{name}[{place}]", inside=inside)
        for place, inside in enumerate(insides)
    )
    path = folder / "report.xml"
    path.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>", "utf-8")
    return path


def test_the_report_lists_every_requirement_with_the_codes_version() -> None:
    text = _report()
    assert str(code_version()) in text
    for row in requirements():
        assert f"{row.number}  {row.title}" in text
        assert all(test in text for test in row.tests)
        assert row.is_covered or f"not covered: {row.reason}" in text


def test_the_results_of_a_run_stand_beside_its_tests(tmp_path: Path) -> None:
    test = requirements()[0].tests[0]
    text = _report("--results", _results(tmp_path, test, "", "<skipped/>"))
    assert f"passed  {test}" in text
    assert f"not run  {requirements()[1].tests[0]}" in text


def test_a_failed_test_fails_the_report(tmp_path: Path) -> None:
    test = requirements()[0].tests[0]
    with pytest.raises(CommandError, match="1 of the named tests failed"):
        _report("--results", _results(tmp_path, test, "", "<failure/>", ""))


def test_something_else_than_a_report_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.xml"
    other.write_text("no report", "utf-8")
    with pytest.raises(CommandError, match="A report of pytest --junit-xml was expected"):
        _report("--results", other)


def test_the_codes_version_follows_its_files_and_knows_the_commit(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "3.2"\n', "utf-8")
    for app in ("generator", "questionnaires", "studies", "therapy_site"):
        (tmp_path / app).mkdir()
    before = code_version(tmp_path)
    (tmp_path / "studies" / "new.py").write_text("ANSWER = 42\n", "utf-8")
    heads = tmp_path / ".git" / "refs" / "heads"
    heads.mkdir(parents=True)
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/main\n", "utf-8")
    (heads / "main").write_text("0123abc\n", "utf-8")
    after = code_version(tmp_path)
    assert (before.release, before.commit) == ("3.2", "")
    assert after.commit == "0123abc"
    assert after.sha256 != before.sha256
