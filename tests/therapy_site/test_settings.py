"""The settings: what holds for every installation."""

from django.conf import settings
from django.db import connection


def test_tests_never_touch_the_state_of_the_checkout():
    assert settings.NOCTURNE_MODE == "test"
    assert settings.BASE_DIR not in settings.NOCTURNE_VAR.parents
    assert settings.NOCTURNE_VAR != settings.BASE_DIR / "var"


def test_sqlite_waits_for_the_write_lock_instead_of_failing():
    if connection.vendor != "sqlite":
        return
    assert settings.DATABASES["default"]["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
