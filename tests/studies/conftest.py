import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def quick_hashing(settings: Settings) -> None:
    """Spare these tests a fifth of a second for each password and PIN."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
