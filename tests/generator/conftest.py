from pathlib import Path

import pytest
from pytest_django import Settings


@pytest.fixture
def nights(settings: Settings, tmp_path: Path) -> Path:
    """An empty directory for rendered files."""
    settings.NOCTURNE_NIGHTS = tmp_path / "nights"
    settings.NOCTURNE_NIGHTS.mkdir()
    return settings.NOCTURNE_NIGHTS
