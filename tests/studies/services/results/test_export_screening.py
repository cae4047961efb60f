import csv
from dataclasses import replace
from pathlib import Path

import pytest

from studies.design.protocol import four_arms
from studies.design.screening import ScreeningPlan, ScreeningQuestion
from studies.exceptions import NotEligible
from studies.models.consent import WithdrawalScope
from studies.models.participant import Participant
from studies.models.study import Study
from studies.services.allocation import allocate_participant
from studies.services.conduct.withdrawal import withdraw_participant
from studies.services.entry.enrolment import Invitation
from studies.services.entry.screening import answer_screening
from studies.services.trail.audit import SYSTEM
from tests.factories import answer_visit, answers, consent, invite, make_study
from tests.studies.services.results.exported import unpacked

pytestmark = pytest.mark.django_db
APNOEA = ScreeningQuestion("apnoea", "yes", (("en", "Do you stop breathing?"), ("zh-hans", "A")))
# Screening asks level 3 (42 points), baseline level 2 (28).
AT_SCREENING, AT_BASELINE = 42, 28


def _screened(study: Study, *, apnoea: str = "no", level: int = 3) -> Invitation:
    invitation = invite(study)
    answer_screening(
        participant=invitation.participant,
        answers={"apnoea": apnoea},
        cpss=dict(answers("cpss", level)),
        answered_by="participant",
        actor=SYSTEM,
    )
    return invitation


def _allocated(study: Study) -> Participant:
    invitation = _screened(study)
    consent(invitation)
    answer_visit(invitation.participant, week=0, level=2)
    allocate_participant(participant=invitation.participant, actor=SYSTEM)
    return invitation.participant


def _rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_screening_is_a_table_of_its_own_and_never_a_baseline(tmp_path: Path) -> None:
    plan = ScreeningPlan((APNOEA,), cpss_at_least=26)
    study = make_study(protocol=replace(four_arms(1), screening=plan))
    with pytest.raises(NotEligible):
        invite(study, age_years=30)
    out = _screened(study, apnoea="yes", level=1).participant
    someone, gone = _allocated(study), _allocated(study)
    withdraw_participant(participant=gone, scope=WithdrawalScope.DATA, reason="", actor=SYSTEM)
    folder = unpacked(study, tmp_path)
    too_old, refused, taken = _rows(folder, "screening.csv")
    assert (too_old["is_eligible"], too_old["reasons"]) == ("0", "age_years")
    assert refused["reasons"] == "apnoea cpss_total"
    # Who did not join gives neither code nor score, nor does a sentence tell the score.
    assert [refused[name] for name in ("participant", "screening_cpss_total", "flags")] == [""] * 3
    assert (taken["participant"], taken["is_eligible"]) == (someone.code, "1")
    assert float(taken["screening_cpss_total"]) == AT_SCREENING
    assert taken["answered_by"] == "participant"
    (baseline,) = [row for row in _rows(folder, "long.csv") if row["week"] == "0"]
    assert not any("screening" in name for name in baseline)
    scores = {(row["week"], row["score"]): row["value"] for row in _rows(folder, "scores.csv")}
    assert float(scores["0", "total"]) == AT_BASELINE
    for path in folder.rglob("*"):
        text = b"" if path.is_dir() else path.read_bytes()
        assert not any(code.encode() in text for code in (out.code, gone.code))
