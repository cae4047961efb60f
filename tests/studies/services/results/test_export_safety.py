import csv
from datetime import date, timedelta
from pathlib import Path

import pytest

from studies import clock
from studies.models.consent import WithdrawalScope
from studies.models.deviation import Deviation, DeviationKind, Impact
from studies.models.participant import Participant
from studies.models.safety import AdverseEvent, Relation, Severity
from studies.services.conduct.withdrawal import withdraw_participant
from studies.services.trail.audit import SYSTEM
from tests.factories import clinician_of, make_participant
from tests.studies.services.results.exported import unblinded, unpacked

pytestmark = pytest.mark.django_db
WORDS = "Ada fell on the stairs"


@pytest.fixture
def participant() -> Participant:
    participant = make_participant("week4")
    now = clock.now()
    AdverseEvent.objects.create(
        participant=participant, began_on=date(2026, 3, 1), words=WORDS,
        severity=Severity.MODERATE, relation=Relation.POSSIBLE, criteria=["hospital"],
        learned_at=now, due_at=now + timedelta(days=1), noted_by=clinician_of(participant.study),
    )  # fmt: skip
    for kind in (DeviationKind.MISSED_VISIT, DeviationKind.LATE_TITRATION):
        Deviation.objects.create(
            participant=participant, kind=kind, key=f"{participant.code} {kind}", words=WORDS,
            visit=participant.visits.get(week=4), happened_at=now, noted_at=now,
            impact=Impact.MINOR,
        )  # fmt: skip
    return participant


def _rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_an_adverse_event_is_exported_with_its_grades_and_without_its_words(
    participant: Participant, tmp_path: Path
) -> None:
    folder = unpacked(participant.study, tmp_path)
    (row,) = _rows(folder, "adverse_events.csv")
    assert (row["participant"], row["arm"]) == (participant.code, "masked")
    assert (row["severity"], row["relation"], row["criteria"]) == (
        "moderate", "possible", "hospital",
    )  # fmt: skip
    assert (row["is_serious"], row["is_expected"], row["ended_on"]) == ("1", "0", "")
    for path in folder.rglob("*"):
        assert path.is_dir() or WORDS.encode() not in path.read_bytes()


def test_a_deviation_that_tells_the_arm_names_nobody_before_unblinding(
    participant: Participant, tmp_path: Path
) -> None:
    rows = {row["kind"]: row for row in _rows(unpacked(participant.study, tmp_path / "b"),
                                              "deviations.csv")}  # fmt: skip
    assert rows["missed_visit"]["participant"] == participant.code
    assert rows["missed_visit"]["week"] == "4"
    told = rows["late_titration"]
    assert (told["participant"], told["week"], told["impact"]) == ("masked", "", "minor")
    named = _rows(unpacked(unblinded(participant.study), tmp_path / "n"), "deviations.csv")
    assert {row["participant"] for row in named} == {participant.code}


def test_who_was_never_allocated_or_took_their_data_back_is_in_no_table(
    participant: Participant, tmp_path: Path
) -> None:
    other = make_participant("baseline_done", study=participant.study)
    gone = make_participant("week8", study=participant.study)
    withdraw_participant(participant=gone, scope=WithdrawalScope.DATA, reason="", actor=SYSTEM)
    for path in unpacked(participant.study, tmp_path).rglob("*"):
        content = b"" if path.is_dir() else path.read_bytes()
        assert other.code.encode() not in content
        assert gone.code.encode() not in content
