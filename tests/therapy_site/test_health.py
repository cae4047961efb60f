"""Health: 200 when all parts are alive, else 503 and which is not."""

from datetime import timedelta

import pytest
from django.utils import timezone

from generator.models.playlist import WorkerHeartbeat

pytestmark = pytest.mark.django_db


def beat(age_s: float) -> None:
    seen_at = timezone.now() - timedelta(seconds=age_s)
    WorkerHeartbeat.objects.create(
        name="worker-1@here", seen_at=seen_at, started_at=seen_at, device="cpu", queues="cpu"
    )


def test_everything_alive_is_200(client):
    beat(age_s=5)
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == dict.fromkeys(["web", "database", "broker", "worker"], "ok")


def test_no_worker_yet_is_503_and_says_so(client):
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json() == {"web": "ok", "database": "ok", "broker": "ok", "worker": "down"}


def test_a_worker_silent_for_a_minute_is_503(client):
    beat(age_s=61)
    assert client.get("/healthz").json()["worker"] == "down"


def test_an_unreachable_broker_is_503_and_no_error_page(client, broker_is_down):
    beat(age_s=5)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["broker"] == "down"


def test_health_is_never_kept_by_a_cache(client):
    assert "no-store" in client.get("/healthz")["Cache-Control"]


def test_health_cannot_be_written_to(client):
    assert client.post("/healthz").status_code == 405
