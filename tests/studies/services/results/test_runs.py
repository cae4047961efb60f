import io
import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from studies.exceptions import RunRefused
from studies.models.analysis import AnalysisRun
from studies.models.audit import AuditEntry
from studies.models.jobs import RunState
from studies.models.study import ArmKind
from studies.services.allocation import arm_kind_of
from studies.services.planning.plans import chosen_content, lock_plan, save_plan
from studies.services.results import runs
from studies.services.results.analysing import run_next
from studies.services.results.jobs import claim
from studies.services.results.runs import (
    cancel_analysis,
    file_of,
    files_of,
    request_analysis,
    sweep,
)
from studies.services.trail.audit import SYSTEM
from studies.tasks import run_analysis_task
from tests.factories import make_participant, make_study
from tests.studies.services.ending import end
from tests.studies.views.browsers import short_plan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("broker_is_down")]

ARMS = ("CBT", "LSTM-ACM", "MCMG", "GAMC")


def study_with_people(n: int = 4):
    """Return a study of so many people, or a few more: an analysis needs both kinds of arms."""
    study = make_study(protocol=short_plan())
    people = [make_participant("week4" if place == 1 else "week8", study=study) for place in
              range(n)]  # fmt: skip
    while n > 1 and {arm_kind_of(person) for person in people} != set(ArmKind):
        people.append(make_participant("week8", study=study))
    return study


def results_of(run: AnalysisRun) -> bytes:
    return file_of(run, "results.json").read_bytes()


def test_a_blinded_run_shows_everybody_together_and_no_arm_anywhere():
    study = study_with_people()
    run = run_next(request_analysis(study=study, actor=SYSTEM).pk)
    assert run.state == RunState.DONE, run.message
    assert run.is_blinded
    data = json.loads(results_of(run))
    assert data["n_randomised"] == {"all": study.participants.count()}
    told = [e for e in data["estimates"] if e["contrast"] or e["arm"] not in (None, "all")]
    assert told == []
    assert {(h["arm"], h["contrast"]) for h in data["harms"]} == {("all", None)}
    table = file_of(run, "trial.csv").read_text()
    page = file_of(run, "report.en.html").read_text()
    assert not [arm for arm in ARMS[1:] if arm in table]
    assert "This study is blinded" in page
    assert "MCMG" not in page


def test_an_unblinded_run_compares_arms_and_twice_gives_the_same_bytes():
    study = end(study_with_people())
    first = run_next(request_analysis(study=study, actor=SYSTEM).pk)
    second = run_next(request_analysis(study=study, actor=SYSTEM).pk)
    assert (first.state, second.state) == (RunState.DONE, RunState.DONE), first.message
    assert results_of(first) == results_of(second)
    assert first.results_sha256 == second.results_sha256
    data = json.loads(results_of(first))
    assert set(data["n_randomised"]) == set(ARMS)
    assert data["deviations"] == []
    assert {h["arm"] for h in data["harms"]} == {*ARMS, None}
    versions = json.loads(file_of(first, "run.json").read_text())["versions"]
    assert {"numpy", "scipy", "matplotlib"} <= set(versions)
    for language in ("en", "zh_hans"):
        assert file_of(first, f"report.{language}.pdf").read_bytes().startswith(b"%PDF")


def test_the_tables_of_a_run_give_its_numbers_again_without_the_platform(tmp_path):
    study = end(study_with_people())
    run = run_next(request_analysis(study=study, actor=SYSTEM).pk)
    table, plan = file_of(run, "trial.csv"), file_of(run, "plan.json")
    call_command("analyse", table, plan=plan, out=tmp_path, stdout=io.StringIO())
    again = json.loads((tmp_path / "results.json").read_text())
    found = json.loads(results_of(run))
    # Harms are no part of the long table.
    assert found == again | {"is_blinded": False, "deviations": [], "harms": found["harms"]}


def test_a_plan_without_a_dose_runs():
    study = study_with_people(2)
    content = chosen_content(study)
    del content["adherence"]
    save_plan(study=study, content=content, actor=SYSTEM)
    run = run_next(request_analysis(study=study, actor=SYSTEM).pk)
    assert run.state == RunState.DONE, run.message


def test_a_departure_from_the_locked_plan_is_in_results_and_report():
    study = end(study_with_people())
    changed = chosen_content(study) | {"level": 0.9}
    save_plan(study=study, content=changed, actor=SYSTEM, reason="a journal wants 90 %")
    lock_plan(study=study, actor=SYSTEM)
    run = run_next(request_analysis(study=study, actor=SYSTEM).pk)
    departures = json.loads(results_of(run))["deviations"]
    assert [d["part"] for d in departures] == ["level"]
    page = file_of(run, "report.en.html").read_text()
    assert "departs from the plan" in page
    assert "a journal wants 90 %" in page


def test_one_analysis_at_a_time():
    study = study_with_people(1)
    request_analysis(study=study, actor=SYSTEM)
    with pytest.raises(RunRefused):
        request_analysis(study=study, actor=SYSTEM)


def test_what_waits_is_cancelled_at_once_and_never_run():
    study = study_with_people(1)
    run = request_analysis(study=study, actor=SYSTEM)
    run = cancel_analysis(run=run, actor=SYSTEM)
    assert run.state == RunState.CANCELLED
    assert run_next(run.pk) is None
    with pytest.raises(RunRefused):
        cancel_analysis(run=run, actor=SYSTEM)
    actions = AuditEntry.objects.filter(subject_type="studies.analysisrun")
    assert set(actions.values_list("action", flat=True)) == {"request_analysis", "cancel_analysis"}


def test_a_run_that_is_cancelled_at_work_leaves_no_file():
    study = study_with_people(2)
    run = request_analysis(study=study, actor=SYSTEM)
    AnalysisRun.objects.filter(pk=run.pk).update(cancel_requested=False)
    claimed = claim(AnalysisRun, run.pk)
    cancel_analysis(run=claimed, actor=SYSTEM)
    AnalysisRun.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(1))
    sweep()
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED
    assert not files_of(run).exists()
    assert run_next(run.pk) is None


def test_of_two_workers_one_gets_the_run_and_a_silent_ones_goes_to_another():
    study = study_with_people(1)
    run = request_analysis(study=study, actor=SYSTEM)
    assert claim(AnalysisRun, run.pk) is not None
    assert claim(AnalysisRun, run.pk) is None
    AnalysisRun.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(1))
    assert sweep() == 1
    assert claim(AnalysisRun, run.pk).attempt == 2


def test_a_run_whose_workers_fell_silent_three_times_is_given_up():
    study = study_with_people(1)
    run = request_analysis(study=study, actor=SYSTEM)
    silent = {"state": RunState.RUNNING, "attempt": 3}
    AnalysisRun.objects.filter(pk=run.pk).update(
        **silent, lease_until=timezone.now() - timedelta(1)
    )
    assert sweep() == 0
    run.refresh_from_db()
    assert run.state == RunState.FAILED


def test_a_study_that_nobody_was_allocated_to_fails_by_name():
    study = make_study(protocol=short_plan())
    run = request_analysis(study=study, actor=SYSTEM)
    run_analysis_task(str(run.pk))
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert "empty_table" in run.message


@pytest.mark.parametrize("name", ["../secret", "results.json/..", "report.xx.html", "work.tmp", ""])
def test_only_a_runs_own_files_are_found(name):
    study = study_with_people(1)
    run = request_analysis(study=study, actor=SYSTEM)
    run.state = RunState.DONE
    files_of(run).mkdir(parents=True)
    (files_of(run) / "work.tmp").write_text("x")
    assert file_of(run, name) is None


def test_the_names_of_the_tasks_are_those_the_service_sends():
    assert run_analysis_task.name == runs.RUN_ANALYSIS
