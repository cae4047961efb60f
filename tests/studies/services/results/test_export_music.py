import csv
from pathlib import Path

import pytest

from studies.models.participant import Participant
from studies.models.study import ArmKind
from studies.selectors.diary import mornings_open
from studies.services.allocation import arm_of
from studies.services.music.morning_diary import (
    morning_for,
    save_morning_answer,
    submit_morning,
)
from tests.studies.services.evenings import someone_with
from tests.studies.services.results.exported import unblinded, unpacked

pytestmark = pytest.mark.django_db
TAPS = {
    "latency_band": "1", "awakenings_band": "0", "sleep_band": "3", "quality": "4", "rested": "3",
    "music": "2",
}  # fmt: skip


@pytest.fixture
def listener() -> Participant:
    participant = someone_with(ArmKind.MUSIC)
    entry = morning_for(participant=participant, morning_on=mornings_open(participant)[0])
    for item_key, raw in TAPS.items():
        save_morning_answer(entry=entry, item_key=item_key, raw=raw)
    submit_morning(entry=entry)
    return participant


def _rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_morning_is_exported_and_names_nobody_before_unblinding(
    listener: Participant, tmp_path: Path
) -> None:
    (row,) = _rows(unpacked(listener.study, tmp_path), "morning_diary.csv")
    assert (row["participant"], row["arm"]) == ("masked", "masked")
    assert (row["sleep_at_least_h"], row["latency_at_least_min"]) == ("7.0", "15.0")
    assert (row["quality_points"], row["days_late"], row["is_synthetic"]) == ("4.0", "0", "0")


def test_a_morning_has_its_writer_after_unblinding(listener: Participant, tmp_path: Path) -> None:
    folder = unpacked(unblinded(listener.study), tmp_path)
    (row,) = _rows(folder, "morning_diary.csv")
    assert (row["participant"], row["arm"]) == (listener.code, arm_of(listener).code)
    assert _rows(folder, "diary.csv") == []
