import io
from datetime import timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from generator.models.playlist import WorkerHeartbeat
from studies import clock
from studies.models.study import Study
from studies.models.visit import Assessment
from tests.audit_triggers import MIGRATION
from tests.factories import make_participant, make_study

pytestmark = pytest.mark.django_db


def _say(*command: object, **options: object) -> str:
    out = io.StringIO()
    call_command(*map(str, command), stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def own_clock(settings: Settings, tmp_path: Path) -> None:
    settings.NOCTURNE_CLOCK_FILE = tmp_path / "clock"


@pytest.mark.usefixtures("own_clock")
def test_moving_the_clock_moves_the_calendar() -> None:
    make_participant("allocated")
    assert "2 assessments opened, 0 missed" in _say("move_clock", "--days", 28)
    assert clock.offset() == timedelta(days=28)
    assert set(Assessment.objects.filter(visit__week=4).values_list("state", flat=True)) == {"open"}


@pytest.mark.usefixtures("own_clock")
def test_the_clock_goes_forwards_only_and_a_real_one_not_at_all(settings: Settings) -> None:
    with pytest.raises(CommandError, match="forwards only"):
        _say("move_clock", "--days=-1")
    settings.NOCTURNE_MOVABLE_CLOCK = False
    with pytest.raises(CommandError, match="demonstration and test modes only"):
        _say("move_clock", "--days", 1)


def test_the_audit_trail_is_verified_and_a_broken_one_fails() -> None:
    study = make_study()
    assert f"{study.code}: " in _say("verify_audit")
    assert "holds" in _say("verify_audit", study.code)
    put, take = MIGRATION.STATEMENTS[connection.vendor]
    change = "UPDATE studies_auditentry SET actor = 'x' WHERE number = 2"
    with connection.cursor() as cursor:
        for statement in [*take, change, *put]:
            cursor.execute(statement)
    with pytest.raises(CommandError, match="1 chains do not hold"):
        _say("verify_audit")
    with pytest.raises(CommandError, match="got 'NOTHING'"):
        _say("verify_audit", "NOTHING")


def test_a_study_is_exported_to_a_file_of_its_owner(tmp_path: Path) -> None:
    study, out = make_study(), tmp_path / "study.zip"
    _say("export_study", study.code, "--out", out)
    assert out.stat().st_mode & 0o777 == 0o600
    with ZipFile(out) as archive:
        assert f"{study.code}/README.txt" in archive.namelist()


def test_an_export_of_nothing_or_to_nowhere_says_what_to_do(tmp_path: Path) -> None:
    study = make_study()
    with pytest.raises(CommandError, match=study.code):
        _say("export_study", "NOTHING", "--out", tmp_path / "x.zip")
    with pytest.raises(CommandError, match="can be written"):
        _say("export_study", study.code, "--out", tmp_path / "no" / "x.zip")


@pytest.mark.parametrize("n", [0, 11, 1001])
def test_a_demonstration_has_a_sensible_size(n: int) -> None:
    with pytest.raises(CommandError, match=f"got {n}"):
        _say("demo_study", "--participants", n)


def test_a_real_installation_has_no_demonstration(settings: Settings) -> None:
    settings.NOCTURNE_MOVABLE_CLOCK = False
    with pytest.raises(CommandError, match="this installation is real"):
        _say("demo_study")


def test_a_demonstration_is_not_prepared_under_a_running_scheduler() -> None:
    now = timezone.now()
    WorkerHeartbeat.objects.create(
        name="w1", seen_at=now, started_at=now, device="cpu", queues="cpu"
    )
    with pytest.raises(CommandError, match="Stop it with Ctrl-C"):
        _say("demo_study")
    assert not Study.objects.exists()
