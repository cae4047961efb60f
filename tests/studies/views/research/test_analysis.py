import json

import pytest

from studies.models.analysis import AnalysisRun
from studies.models.jobs import RunState
from studies.services.planning.plans import draft_of, locked_plan
from studies.services.results.analysing import run_next
from tests.factories import make_participant, make_study
from tests.studies.services.ending import end
from tests.studies.views.browsers import researcher_in, short_plan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("broker_is_down")]

ANSWERS = {
    "primary_outcome": "cpss", "primary_visit": "8", "method": "mmrm", "df": "kenward_roger",
    "reference_arm": "CBT", "adjust": "holm", "level": "0.95", "strategies": ["J2R"],
    "deltas": "0, 2", "change_cpss": "3", "margin_cpss": "2.5", "information": "0.5, 1",
    "spending": "pocock", "estimand_summary": "difference of means", "supplements": ["reliability"],
}  # fmt: skip


def study_with_people(n: int = 4):
    study = make_study(protocol=short_plan())
    for _ in range(n):
        make_participant("week8", study=study)
    return study


def test_the_form_begins_with_the_proposal_and_keeps_a_draft():
    study = make_study(protocol=short_plan())
    client = researcher_in(study)
    address = f"/research/{study.code}/analysis/plan/"
    assert "Kenward-Roger" in client.get(address).content.decode()
    assert client.post(address, ANSWERS).url == f"/research/{study.code}/analysis/"
    content = draft_of(study).content
    assert content["outcomes"]["cpss"]["margin"] == 2.5
    assert content["outcomes"]["cpss"]["responder"] == {"change_at_least": 3.0}
    assert content["sensitivity"] == {"strategies": ["J2R"], "deltas": [0.0, 2.0]}
    assert content["interim"]["spending"] == "pocock"
    assert "cpss" in content["reliability"]
    assert "randomisation" not in content
    assert "exposure" not in content


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("deltas", "one, two", "numbers with commas"),
        ("information", "1, 0.5", "rising fractions"),
        ("primary_visit", "99", "Select a valid choice"),
        ("margin_cpss", "-1", "greater than or equal"),
        ("level", "2", "Select a valid choice"),
    ],
)
def test_an_impossible_plan_is_refused_in_words(field, value, words):
    study = make_study(protocol=short_plan())
    address = f"/research/{study.code}/analysis/plan/"
    page = researcher_in(study).post(address, ANSWERS | {field: value}).content.decode()
    assert words in page
    assert draft_of(study) is None


def test_locking_asks_and_a_later_change_wants_a_reason():
    study = make_study(protocol=short_plan())
    client = researcher_in(study)
    client.post(f"/research/{study.code}/analysis/plan/", ANSWERS)
    lock = f"/research/{study.code}/analysis/lock/"
    assert "Tick the box" in client.post(lock, {}).content.decode()
    assert locked_plan(study) is None
    assert client.post(lock, {"sure": "on"}).status_code == 302
    assert locked_plan(study).is_before_unblinding
    page = client.post(f"/research/{study.code}/analysis/plan/", ANSWERS).content.decode()
    assert "Enter a reason" in page
    assert client.get(lock).status_code == 302, "there is nothing to lock"


def test_one_click_makes_a_run_that_can_be_followed_and_read():
    study = study_with_people()
    client = researcher_in(study)
    home = f"/research/{study.code}/analysis/"
    assert client.post(f"{home}run/").url == home
    run = AnalysisRun.objects.get()
    page = client.get(home).content.decode()
    assert "Waiting for a worker" in page
    assert client.get(f"{home}{run.pk}/status/").json() == {
        "percent": 0, "words": "Waiting for a worker", "is_final": False,
    }  # fmt: skip
    assert client.get(f"{home}{run.pk}/results.json").status_code == 404
    assert run_next(run.pk).state == RunState.DONE
    report = client.get(f"{home}{run.pk}/report.en.html")
    policy = report["Content-Security-Policy"]
    assert "script-src 'none'" in policy
    assert "style-src 'unsafe-inline'" in policy
    assert b"This study is blinded" in b"".join(report.streaming_content)
    results = client.get(f"{home}{run.pk}/results.json")
    assert "attachment" in results["Content-Disposition"]
    assert json.loads(b"".join(results.streaming_content))["is_blinded"] is True
    pdf = client.get(f"{home}{run.pk}/report.zh_hans.pdf")
    assert pdf["Content-Type"] == "application/pdf"


def test_what_waits_can_be_cancelled_and_asked_for_twice_is_once():
    study = study_with_people(1)
    client = researcher_in(study)
    home = f"/research/{study.code}/analysis/"
    client.post(f"{home}run/")
    client.post(f"{home}run/")
    run = AnalysisRun.objects.get()
    client.post(f"{home}{run.pk}/cancel/")
    client.post(f"{home}{run.pk}/cancel/")
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED


def test_a_run_of_another_study_does_not_exist():
    study, other = study_with_people(1), make_study(protocol=short_plan())
    researcher_in(study).post(f"/research/{study.code}/analysis/run/")
    run = AnalysisRun.objects.get()
    foreign = researcher_in(other)
    for what in ("status/", "results.json"):
        address = f"/research/{other.code}/analysis/{run.pk}/{what}"
        assert foreign.get(address).status_code == 404


def test_after_unblinding_the_plan_in_force_and_its_date_are_shown():
    study = end(study_with_people(1))
    page = researcher_in(study).get(f"/research/{study.code}/analysis/").content.decode()
    assert "before unblinding" in page
    assert "This study is blinded." not in page
