"""Every test runs in mode `test`, in a state directory of its own, never in the checkout's.

Pytest loads this file before Django reads its settings, so the environment is prepared here.
"""

import os
import shutil
import tempfile
from pathlib import Path

import django
import pytest

# Short on purpose: sockets lie below, and the kernel allows them 108 bytes.
STATE = Path(tempfile.mkdtemp(prefix="nt-"))
os.environ.update(
    NOCTURNE_MODE="test",
    NOCTURNE_VAR=str(STATE),
    DJANGO_SETTINGS_MODULE="therapy_site.settings",
    # Playwright's synchronous interface runs an event loop, which Django would refuse to share.
    DJANGO_ALLOW_ASYNC_UNSAFE="true",
)
os.environ.setdefault("CELERY_BROKER_URL", "memory://")
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Test modules import models at their top, and pytest-django looked for settings before this file.
django.setup()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--slow", action="store_true", help="also run the long campaigns (marker: slow)"
    )


def pytest_unconfigure() -> None:
    shutil.rmtree(STATE, ignore_errors=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--slow"):
        return
    long_campaign = pytest.mark.skip(reason="a long campaign: ./run test --slow")
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(long_campaign)
