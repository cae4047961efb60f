from pathlib import Path

import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def nights(settings: Settings, tmp_path: Path) -> None:
    """Keep what is rendered in a folder of the test's own, and pools small."""
    settings.NOCTURNE_NIGHTS = tmp_path / "nights"
    settings.NOCTURNE_NIGHTS.mkdir()
    settings.NOCTURNE_POOL_MIXES = 2
