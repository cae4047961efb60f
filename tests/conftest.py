"""Every test runs in mode `test`, in a state directory of its own, never in the checkout's.

Pytest loads this file before Django reads its settings, so the environment is prepared here.

Options
-------
--slow
    Run the long campaigns too (marker `slow`).
--postgres
    Run on a PostgreSQL started for the purpose, and only what touches the database.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import django
import pytest
from celery import current_app
from kombu import pools
from playwright.sync_api import Browser, sync_playwright

from tests.audit_triggers import lift_for_flushing
from tests.servers import (
    CHROMIUM_ARGUMENTS,
    Installation,
    find_chromium,
    postgres,
    set_to_morning,
    valkey,
)
from therapy_site.servers import ServerMissing

# Short on purpose: sockets lie below, and the kernel allows them 108 bytes.
STATE = Path(tempfile.mkdtemp(prefix="nt-"))
set_to_morning(STATE)
os.environ.update(
    NOCTURNE_MODE="test",
    NOCTURNE_VAR=str(STATE),
    DJANGO_SETTINGS_MODULE="therapy_site.settings",
    # Playwright's synchronous interface runs an event loop, which Django would refuse to share.
    DJANGO_ALLOW_ASYNC_UNSAFE="true",
)
os.environ.setdefault("CELERY_BROKER_URL", "memory://")
os.environ.setdefault("OMP_NUM_THREADS", "1")
DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run the long campaigns")
    parser.addoption("--postgres", action="store_true", help="database tests, on PostgreSQL")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Set Django up, because test modules import models at their top."""
    is_worker = hasattr(config, "workerinput")
    if config.getoption("--postgres") and not is_worker:
        # Once, not in each xdist worker: they inherit the environment.
        _start_postgres(config)
    django.setup()
    lift_for_flushing()
    if config.getoption("numprocesses", None) and not is_worker:
        # What workers inherit, pytest-django reads before they come to this file: they would all
        # run on the state directory of this process.
        del os.environ["DJANGO_SETTINGS_MODULE"]


def pytest_unconfigure() -> None:
    shutil.rmtree(STATE, ignore_errors=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--postgres"):
        chosen = [item for item in items if _touches_the_database(item)]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(chosen)])
        items[:] = chosen
    if not config.getoption("--slow"):
        long_campaign = pytest.mark.skip(reason="a long campaign: ./run test --slow")
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(long_campaign)


@pytest.fixture(autouse=True)
def the_half_minute_of_a_code_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A code read at the end of its half minute is still right when the test gives it."""
    began = time.time()
    for reader in ("allauth.mfa.totp.internal.auth", "therapy_site.demonstration"):
        monkeypatch.setattr(f"{reader}.time", SimpleNamespace(time=lambda: began))


@pytest.fixture
def broker_is_down(tmp_path: Path) -> Iterator[None]:
    """The broker cannot be reached: messages published in the test go nowhere."""
    address = current_app.conf.broker_url
    _point_celery_to(f"redis+socket://{tmp_path}/nobody.sock")
    yield
    _point_celery_to(address)


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """The address of a real broker, for tests marked `services`."""
    with valkey(STATE) as url:
        yield url


@pytest.fixture(scope="session")
def installation() -> Iterator[Installation]:
    """A whole installation under its supervisor: web, worker, scheduler, Valkey, SQLite file."""
    folder = Path(tempfile.mkdtemp(prefix="ni-"))
    running = Installation(folder)
    try:
        running.start()
        yield running
    finally:
        running.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium."""
    program = find_chromium()
    if program is None:
        pytest.skip("No Chromium on the PATH. Install one: apt-get install -y chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


def _start_postgres(config: pytest.Config) -> None:
    server = postgres(STATE)
    try:
        os.environ["DATABASE_URL"] = server.__enter__()
    except ServerMissing as missing:
        pytest.exit(str(missing), returncode=1)
    config.add_cleanup(lambda: server.__exit__(None, None, None))


def _touches_the_database(item: pytest.Item) -> bool:
    names = set(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("django_db") is not None or bool(names & DATABASE_FIXTURES)


def _point_celery_to(address: str) -> None:
    """Forget open connections and use another broker."""
    current_app.conf.broker_url = address
    current_app.conf.broker_read_url = current_app.conf.broker_write_url = address
    current_app.pool.force_close_all()
    current_app.__dict__.pop("pool", None)
    current_app._pool = None
    current_app.amqp._producer_pool = None
    pools.reset()
