"""The archive of a study verifies itself, with Python alone, and finds every alteration."""

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from studies.design.archive_check import faults_of
from studies.exceptions import StudyNotReady
from studies.models.audit import AuditEntry
from studies.models.study import Study
from studies.services.closing.archive import archive_study
from studies.services.closing.code_version import code_version
from studies.services.closing.locks import lock_database
from studies.services.protocol.setup import close_study, unblind_study
from studies.services.trail.audit import SYSTEM, verify_chain
from tests.factories import make_participant, make_study
from tests.studies.views.browsers import short_plan

pytestmark = pytest.mark.django_db

Change = Callable[[str, bytes], bytes | None]


@pytest.fixture
def study() -> Study:
    """A finished study with two people, unblinded."""
    study = make_study(protocol=short_plan())
    for stage in ("week8", "baseline_done"):
        make_participant(stage, study=study)
    close_study(study=study, actor=SYSTEM, reason="over")
    lock_database(study=study, actor=SYSTEM)
    return unblind_study(study=study, actor=SYSTEM, reason="the plan is signed")


@pytest.fixture
def archive(study: Study, tmp_path: Path) -> Path:
    target = tmp_path / "archive.zip"
    archive_study(study=study, target=target, actor=SYSTEM)
    return target


def _altered(archive: Path, change: Change) -> Path:
    """Return a copy whose files went through `change`; what it turns into None is left out."""
    target = archive.with_name("altered.zip")
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = change(name.split("/", 1)[1], old.read(name))
            if content is not None:
                new.writestr(name, content)
    return target


def test_an_archive_verifies_itself(archive: Path, study: Study) -> None:
    assert faults_of(archive) == []
    names = {name.split("/", 1)[1] for name in zipfile.ZipFile(archive).namelist()}
    assert names >= {
        "verify.py", "data/items.csv", "people/participants.json", "protocol/versions.json",
        "closing/locks.json", "allocation/sequences.json", "trail/entries.jsonl", "SHA256SUMS",
    }  # fmt: skip
    assert verify_chain(study.code) == []
    assert AuditEntry.objects.filter(action="archive_study").count() == 1


def test_the_copy_of_the_check_in_the_archive_needs_nothing_but_python(
    archive: Path, tmp_path: Path
) -> None:
    script = tmp_path / "verify.py"
    with zipfile.ZipFile(archive) as opened:
        name = next(name for name in opened.namelist() if name.endswith("/verify.py"))
        script.write_bytes(opened.read(name))
    command = [sys.executable, "-I", str(script), str(archive)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "The archive holds.\n")


def _one_answer(name: str, content: bytes) -> bytes:
    return content.replace(b"cpss", b"cpst", 1) if name == "data/items.csv" else content


def _no_locks(name: str, content: bytes) -> bytes | None:
    return None if name == "closing/locks.json" else content


def _an_entry(name: str, content: bytes) -> bytes:
    return content.replace(b"open_study", b"opan_study") if name.startswith("trail/") else content


def _the_last_entry(name: str, content: bytes) -> bytes:
    if name != "trail/entries.jsonl":
        return content
    return b"".join(content.splitlines(keepends=True)[:-1])


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (_one_answer, "data/items.csv: was altered"),
        (_no_locks, "closing/locks.json: is missing"),
        (_an_entry, "was altered"),
        (_the_last_entry, "the audit trail: its end was cut off"),
    ],
)
def test_an_alteration_is_found(change: Change, fault: str, archive: Path) -> None:
    assert any(fault in found for found in faults_of(_altered(archive, change)))


def test_a_file_that_was_added_is_found(archive: Path) -> None:
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr(opened.namelist()[0].split("/")[0] + "/extra.csv", "more")
    assert faults_of(archive) == ["extra.csv: was added"]


def test_something_else_is_no_archive(tmp_path: Path) -> None:
    other = tmp_path / "other.zip"
    other.write_bytes(b"PK nothing")
    assert "this is no archive" in faults_of(other)[0]
    assert "this is no archive" in faults_of(tmp_path / "absent.zip")[0]


def test_an_archive_names_the_codes_version(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        name = next(name for name in opened.namelist() if name.endswith("-archive/README.txt"))
        assert str(code_version()) in opened.read(name).decode()


def test_nobodys_name_or_contact_is_in_an_archive(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        for name in opened.namelist():
            content = opened.read(name)
            assert b"Ada" not in content, name
            assert b"ada@example.org" not in content, name


def test_what_can_still_change_is_not_archived(tmp_path: Path) -> None:
    study = make_study()
    with pytest.raises(StudyNotReady, match="its database is not locked"):
        archive_study(study=study, target=tmp_path / "early.zip", actor=SYSTEM)
    assert not (tmp_path / "early.zip").exists()


def test_the_commands_write_and_check_an_archive(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "kept.zip"
    call_command("archive_study", study.code, out=target)
    with pytest.raises(CommandError, match="exists already"):
        call_command("archive_study", study.code, out=target)
    call_command("verify_archive", target)
    assert "The archive holds" in capsys.readouterr().out
    with pytest.raises(CommandError, match="1 faults"):
        call_command("verify_archive", _altered(target, _no_locks))
    with pytest.raises(CommandError, match="A study's code was expected"):
        call_command("archive_study", "NO-SUCH", out=tmp_path / "no.zip")
