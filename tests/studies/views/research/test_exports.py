import io
import zipfile

import pytest

from studies.models.audit import AuditEntry
from studies.models.export import ExportRun
from studies.models.jobs import RunState
from studies.services.results.exporting import run_next
from tests.factories import make_participant, make_study
from tests.studies.views.browsers import clinician_in, researcher_in, short_plan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("broker_is_down")]


@pytest.fixture(autouse=True)
def own_state(settings, tmp_path):
    settings.NOCTURNE_VAR = tmp_path


def test_an_export_is_asked_for_followed_and_downloaded_without_a_script():
    study = make_study(protocol=short_plan())
    make_participant("week4", study=study)
    client = researcher_in(study)
    home = f"/research/{study.code}/exports/"
    assert "Nothing has been exported here yet." in client.get(home).content.decode()
    assert client.post(f"/research/{study.code}/export/").url == home
    run = ExportRun.objects.get()
    page = client.get(home).content.decode()
    assert "Look again" in page
    assert "Cancel the export" in page
    assert client.get(f"{home}{run.pk}/status/").json() == {
        "percent": 0, "words": "Waiting for a worker", "is_final": False,
    }  # fmt: skip
    assert client.post(f"{home}{run.pk}/file/").status_code == 404
    assert run_next(run.pk).state == RunState.DONE
    page = client.get(home).content.decode()
    assert "Download" in page
    assert run.requested_by in page
    assert client.get(f"{home}{run.pk}/file/").status_code == 405
    response = client.post(f"{home}{run.pk}/file/")
    assert response["Content-Type"] == "application/zip"
    assert f"{study.code}-" in response["Content-Disposition"]
    content = zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))
    assert "results.csv" in str(content.namelist())
    assert not [name for name in content.namelist() if b"Ada" in content.read(name)]
    entry = AuditEntry.objects.get(action="download_export")
    assert entry.actor == run.requested_by


def test_asked_for_twice_is_once_and_it_can_be_cancelled():
    study = make_study(protocol=short_plan())
    client = researcher_in(study)
    home = f"/research/{study.code}/exports/"
    client.post(f"/research/{study.code}/export/")
    client.post(f"/research/{study.code}/export/")
    run = ExportRun.objects.get()
    for _ in range(2):
        assert client.post(f"{home}{run.pk}/cancel/").url == home
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED


def test_an_export_of_another_study_does_not_exist():
    study, other = make_study(protocol=short_plan()), make_study(protocol=short_plan())
    researcher_in(study).post(f"/research/{study.code}/export/")
    run = run_next(ExportRun.objects.get().pk)
    foreign = researcher_in(other)
    assert foreign.get(f"/research/{other.code}/exports/{run.pk}/status/").status_code == 404
    assert foreign.post(f"/research/{other.code}/exports/{run.pk}/file/").status_code == 404
    assert (
        clinician_in(study).post(f"/research/{study.code}/exports/{run.pk}/file/").status_code
        == 404
    )
