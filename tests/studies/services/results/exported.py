"""A study with everything that makes an export difficult, and its export unpacked."""

from pathlib import Path
from zipfile import ZipFile

from studies.models.study import ArmKind, Study
from studies.models.visit import AssessmentState
from studies.services.allocation import allocate_participant, arm_kind_of
from studies.services.closing.locks import lock_database
from studies.services.protocol.setup import close_study, unblind_study
from studies.services.results.export import export_study
from studies.services.trail.audit import SYSTEM
from studies.services.visits.assessment import decline_answer, save_answer, submit_assessment
from tests.factories import answer, make_participant, make_study
from tests.studies.services.ending import STAYS_OPEN

DECLINED_ITEM, FREE_TEXT = "quality", "d_j_reason"
WORDS = "My name is Ada"


def study_to_export(*, n_complete: int = 2, is_synthetic: bool = False) -> Study:
    """Return a study: complete people, one at baseline who declined an item and wrote words."""
    study = make_study()
    for number in range(n_complete):
        make_participant("week8", study=study, sex="male" if number % 2 else "female")
    reluctant = make_participant("consented", study=study)
    for assessment in reluctant.visits.get().assessments.all():
        assert assessment.state != AssessmentState.SUBMITTED
        answer(assessment)
        if assessment.instrument == "psqi":
            save_answer(assessment=assessment, item_key=FREE_TEXT, raw=WORDS)
            save_answer(assessment=assessment, item_key="d_j", raw="2")
            decline_answer(assessment=assessment, item_key=DECLINED_ITEM, language="en")
        submit_assessment(assessment=assessment)
    allocate_participant(participant=reluctant, actor=SYSTEM)
    Study.objects.filter(pk=study.pk).update(is_synthetic=is_synthetic)
    study.refresh_from_db()
    return study


def with_both_kinds(study: Study) -> Study:
    """Return the study with more people, until chance has given lessons and music to somebody."""
    while {arm_kind_of(person) for person in study.participants.all()} != set(ArmKind):
        make_participant("week8", study=study)
    return study


def unblinded(study: Study) -> Study:
    """Return the study with its arms known."""
    study = close_study(study=study, actor=SYSTEM, reason="test")
    lock_database(study=study, actor=SYSTEM, reasons=STAYS_OPEN)
    return unblind_study(study=study, actor=SYSTEM, reason="test")


def unpacked(study: Study, folder: Path) -> Path:
    """Return the folder with the files of the study's export."""
    with export_study(study=study, actor=SYSTEM).file as file, ZipFile(file) as archive:
        archive.extractall(folder)
    return folder / study.code
