"""What the one queue of a small installation hands out first."""

import pytest
from celery import Celery
from kombu import Queue

from generator.services.requesting import RENDER_PLAYLIST
from studies.services.results.exports import RUN_EXPORT
from studies.tasks import KEEP_CALENDAR, LOOK_AFTER, SEND_REMINDERS

PEOPLE = [KEEP_CALENDAR, LOOK_AFTER, SEND_REMINDERS]


@pytest.mark.services
def test_what_looks_after_people_passes_the_nights_that_wait(valkey_url: str) -> None:
    app = Celery("queue", set_as_current=False)
    app.config_from_object("django.conf:settings", namespace="CELERY")
    app.conf.broker_url = app.conf.broker_read_url = app.conf.broker_write_url = valkey_url
    for name in (RENDER_PLAYLIST, RENDER_PLAYLIST, RUN_EXPORT):
        app.send_task(name, args=["one of many"], queue="cpu")
    for name in PEOPLE:
        app.send_task(name)
    with app.connection_for_read() as connection:
        queue = Queue("cpu", channel=connection.default_channel)
        order = [queue.get(no_ack=True).headers["task"] for _ in range(6)]
    assert order == [*PEOPLE, RUN_EXPORT, RENDER_PLAYLIST, RENDER_PLAYLIST]
