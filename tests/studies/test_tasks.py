from datetime import timedelta

import pytest
from django.conf import settings

from generator.models.playlist import Playlist
from studies import clock
from studies.models.study import ArmKind
from studies.models.visit import Assessment
from studies.services.allocation import arm_kind_of
from studies.tasks import KEEP_CALENDAR, keep_calendar_task
from tests.factories import make_participant, make_study

pytestmark = pytest.mark.django_db


def test_the_beat_knows_the_task_by_its_name() -> None:
    assert keep_calendar_task.name == KEEP_CALENDAR
    assert KEEP_CALENDAR in {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}


def test_the_calendar_opens_visits_and_asks_for_music_and_running_twice_is_once() -> None:
    study = make_study()
    people = [make_participant("allocated", study=study) for _ in range(4)]
    n_music = sum(arm_kind_of(person) == ArmKind.MUSIC for person in people)
    with clock.at(clock.now() + timedelta(weeks=4)):
        keep_calendar_task()
        keep_calendar_task()
    assert Playlist.objects.count() == n_music
    states = Assessment.objects.filter(visit__week=4).values_list("state", flat=True)
    assert set(states) == {"open"}
