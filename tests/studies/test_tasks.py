from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as site_settings
from pytest_django import Settings

from generator.models.playlist import Playlist
from studies import clock
from studies.models.study import ArmKind
from studies.models.visit import Assessment
from studies.services.allocation import arm_kind_of
from studies.services.results import exports, runs
from studies.tasks import (
    KEEP_AUDIT_HEADS,
    KEEP_CALENDAR,
    PREPARE_NIGHTS,
    keep_audit_heads_task,
    keep_calendar_task,
    prepare_nights_task,
    run_export_task,
    sweep_analyses_task,
    sweep_exports_task,
)
from tests.factories import make_participant, make_study

pytestmark = pytest.mark.django_db


def test_the_beat_knows_the_tasks_by_their_names() -> None:
    scheduled = {entry["task"] for entry in site_settings.CELERY_BEAT_SCHEDULE.values()}
    assert keep_calendar_task.name == KEEP_CALENDAR
    assert keep_audit_heads_task.name == KEEP_AUDIT_HEADS
    assert prepare_nights_task.name == PREPARE_NIGHTS
    assert sweep_analyses_task.name == runs.SWEEP_ANALYSES
    assert run_export_task.name == exports.RUN_EXPORT
    assert sweep_exports_task.name == exports.SWEEP_EXPORTS
    assert {
        runs.SWEEP_ANALYSES,
        exports.SWEEP_EXPORTS,
        KEEP_CALENDAR,
        KEEP_AUDIT_HEADS,
        PREPARE_NIGHTS,
    } <= scheduled


def test_nights_and_pools_are_prepared_and_running_twice_is_once(settings: Settings) -> None:
    settings.NOCTURNE_POOL_MIXES = 2
    study = make_study()
    people = [make_participant("allocated", study=study) for _ in range(4)]
    n_music = sum(arm_kind_of(person) == ArmKind.MUSIC for person in people)
    n_arms = study.arms.filter(kind=ArmKind.MUSIC).count()
    prepare_nights_task()
    prepare_nights_task()
    assert Playlist.objects.count() == 3 * n_music + 2 * n_arms


def test_the_calendar_opens_visits_and_running_twice_is_once() -> None:
    study = make_study()
    for _ in range(4):
        make_participant("allocated", study=study)
    with clock.at(clock.now() + timedelta(weeks=4)):
        keep_calendar_task()
        keep_calendar_task()
    states = Assessment.objects.filter(visit__week=4).values_list("state", flat=True)
    assert set(states) == {"open"}


def test_the_heads_of_the_audit_chains_are_kept_outside_once_a_day(
    settings: Settings, tmp_path: Path
) -> None:
    settings.NOCTURNE_VAR = tmp_path
    make_study()
    keep_audit_heads_task()
    keep_audit_heads_task()
    assert len(list((tmp_path / "audit-heads").iterdir())) == 1
