import hashlib
import io
from datetime import timedelta
from zipfile import ZipFile

import pytest
from django.utils import timezone

from studies.exceptions import RunRefused
from studies.models.audit import AuditEntry
from studies.models.export import ExportRun
from studies.models.jobs import RunState
from studies.models.study import Study
from studies.services.results import exporting, exports
from studies.services.results.export import export_study, write_export
from studies.services.results.exporting import run_next
from studies.services.results.exports import (
    cancel_export,
    draft_of,
    file_of,
    folder,
    open_export,
    request_export,
)
from studies.services.results.jobs import Stopped, claim
from studies.services.trail.audit import SYSTEM
from studies.tasks import run_export_task, sweep_exports_task
from tests.factories import make_participant, make_study
from tests.studies.services.ending import end
from tests.studies.views.browsers import short_plan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("broker_is_down")]


@pytest.fixture(autouse=True)
def own_state(settings, tmp_path):
    settings.NOCTURNE_VAR = tmp_path


def study_with_people(n: int = 1) -> Study:
    study = make_study(protocol=short_plan())
    for _ in range(n):
        make_participant("week4", study=study)
    return study


def actions() -> list[str]:
    entries = AuditEntry.objects.filter(subject_type="studies.exportrun").order_by("pk")
    return list(entries.values_list("action", flat=True))


def test_an_export_is_written_kept_in_the_trail_and_downloaded():
    study = study_with_people()
    run = request_export(study=study, actor=SYSTEM)
    assert open_export(run=run, actor=SYSTEM) is None
    run = run_next(run.pk)
    assert (run.state, run.n_analysed, run.is_blinded) == (RunState.DONE, 1, True), run.message
    assert file_of(run).stat().st_mode & 0o777 == 0o600
    with open_export(run=run, actor=SYSTEM) as file:
        content = file.read()
    assert hashlib.sha256(content).hexdigest() == run.sha256
    assert len(content) == run.n_bytes
    assert ZipFile(io.BytesIO(content)).testzip() is None
    assert actions() == ["request_export", "finish_export", "download_export"]
    assert [path.name for path in folder().iterdir()] == [file_of(run).name]


def test_a_workers_export_is_that_of_the_command_line(monkeypatch):
    study = study_with_people()
    moment = timezone.now()
    monkeypatch.setattr("studies.clock.now", lambda: moment)
    with export_study(study=study, actor=SYSTEM).file as file:
        plain = file.read()
    run = run_next(request_export(study=study, actor=SYSTEM).pk)
    assert file_of(run).read_bytes() == plain


def test_an_export_of_an_unblinded_study_says_so_even_if_asked_for_before():
    study = make_study(protocol=short_plan())
    make_participant("week8", study=study)
    run = request_export(study=study, actor=SYSTEM)
    assert run.is_blinded
    end(study)
    assert run_next(run.pk).is_blinded is False


def test_one_export_of_a_study_at_a_time():
    study = study_with_people(0)
    request_export(study=study, actor=SYSTEM)
    with pytest.raises(RunRefused, match="no export under way"):
        request_export(study=study, actor=SYSTEM)


def test_what_waits_is_cancelled_at_once_and_never_written():
    run = request_export(study=study_with_people(0), actor=SYSTEM)
    assert cancel_export(run=run, actor=SYSTEM).state == RunState.CANCELLED
    assert run_next(run.pk) is None
    with pytest.raises(RunRefused):
        cancel_export(run=run, actor=SYSTEM)
    assert actions() == ["request_export", "cancel_export"]


def test_an_export_that_is_cancelled_at_work_stops_and_leaves_no_file(monkeypatch):
    run = request_export(study=study_with_people(), actor=SYSTEM)

    def cancelled_meanwhile(study, file, tell):
        tell(0.1, "people")
        file.write(b"half of it")
        cancel_export(run=run, actor=SYSTEM)
        return write_export(study, file, tell)

    monkeypatch.setattr(exporting, "REPORT_EVERY_S", 0.0)
    monkeypatch.setattr(exporting, "write_export", cancelled_meanwhile)
    assert run_next(run.pk).state == RunState.CANCELLED
    assert list(folder().iterdir()) == []


def test_progress_rises_from_people_to_files_and_ends_below_one():
    told = []
    with io.BytesIO() as file:
        write_export(study_with_people(2), file, lambda share, what: told.append((share, what)))
    shares = [share for share, _what in told]
    assert shares == sorted(shares)
    assert shares[0] > 0
    assert shares[-1] < 1
    assert told[0][1] == "people"
    assert {"items.csv", "odm.xml", "SHA256SUMS"} <= {what for _share, what in told}


def test_an_export_that_fails_says_why_and_leaves_no_file(monkeypatch):
    def broken(*_anything):
        raise OSError(28, "No space left on device")

    run = request_export(study=study_with_people(0), actor=SYSTEM)
    monkeypatch.setattr(exporting, "write_export", broken)
    run = run_next(run.pk)
    assert run.state == RunState.FAILED
    assert "No space left" in run.message
    assert list(folder().iterdir()) == []


def test_a_silent_workers_export_goes_to_another_and_its_draft_away():
    run = request_export(study=study_with_people(0), actor=SYSTEM)
    first = claim(ExportRun, run.pk)
    draft_of(first).write_bytes(b"half")
    assert claim(ExportRun, run.pk) is None
    exports.sweep()
    assert draft_of(first).exists(), "its worker may still be at it"
    ExportRun.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(1))
    assert exports.sweep() == 1
    second = claim(ExportRun, run.pk)
    assert second.attempt == 2
    sweep_exports_task()
    assert not draft_of(first).exists()
    with pytest.raises(Stopped):
        exporting.go_on(first, 0.5, "items.csv")


def test_a_file_is_removed_when_its_days_are_over(settings):
    run = request_export(study=study_with_people(0), actor=SYSTEM)
    run_export_task(str(run.pk))
    sweep_exports_task()
    run.refresh_from_db()
    assert run.is_ready
    days = timedelta(days=settings.NOCTURNE_EXPORT_DAYS, seconds=1)
    ExportRun.objects.update(finished_at=timezone.now() - days)
    sweep_exports_task()
    run.refresh_from_db()
    assert not run.is_ready
    assert not file_of(run).exists()
    assert open_export(run=run, actor=SYSTEM) is None
    sweep_exports_task()
    assert actions().count("remove_export") == 1


def test_a_file_that_is_gone_is_not_sent():
    run = request_export(study=study_with_people(0), actor=SYSTEM)
    run = run_next(run.pk)
    file_of(run).unlink()
    assert open_export(run=run, actor=SYSTEM) is None
    assert "download_export" not in actions()
