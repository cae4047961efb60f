"""What every test of a page shares."""

import pytest


@pytest.fixture(autouse=True)
def _quick_pins(settings) -> None:
    # These tests are about pages: a PIN need not cost a tenth of a second to hash.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
