"""The settings: what holds for every installation."""

import os
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection


def test_tests_never_touch_the_state_of_the_checkout():
    assert settings.NOCTURNE_MODE == "test"
    assert settings.BASE_DIR not in settings.NOCTURNE_VAR.parents
    assert settings.NOCTURNE_VAR != settings.BASE_DIR / "var"


def test_each_process_of_a_test_run_has_a_state_of_its_own():
    # Only what this process set itself can hold: xdist's workers inherit another one's directory.
    assert Path(os.environ["NOCTURNE_VAR"]) == settings.NOCTURNE_VAR


@pytest.mark.django_db
def test_the_database_is_the_one_that_was_asked_for(request):
    expected = "postgresql" if request.config.getoption("--postgres") else "sqlite"
    assert connection.vendor == expected


@pytest.mark.django_db
def test_sqlite_waits_for_the_write_lock_instead_of_failing():
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL locks rows, not the file")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        assert cursor.fetchone() == ("wal",)
    assert connection.transaction_mode == "IMMEDIATE"


def test_every_variable_is_documented():
    page = (settings.BASE_DIR / "docs" / "operations.md").read_text(encoding="utf-8")
    sources = [settings.BASE_DIR / "therapy_site" / "settings.py", settings.BASE_DIR / "run"]
    read = re.compile(r"""(?:env_\w+\(\s*|environ\.get\(|environ\[)["']([A-Z_]+)["']""")
    names = {name for file in sources for name in read.findall(file.read_text(encoding="utf-8"))}
    assert len(names) > 15
    assert {name for name in names if f"`{name}`" not in page} == set()
