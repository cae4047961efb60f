import pytest

from studies.design.lessons import course_sha256, course_versions
from studies.exceptions import ReasonMissing
from studies.models.audit import AuditEntry
from studies.models.cbt import CourseVersion
from studies.models.study import Study
from studies.services.cbt.course import amend_course, is_course_changed, pinned_course
from studies.services.trail.audit import staff
from tests.factories import clinician_of, make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    return make_study()


def test_opening_a_study_pins_its_course(study: Study) -> None:
    pinned = pinned_course(study)
    assert (pinned.sha256, pinned.versions) == (course_sha256(), course_versions())
    assert AuditEntry.objects.get(action="pin_course").new["sha256"] == course_sha256()
    assert not is_course_changed(study)
    assert pinned_course(make_study(is_open=False)) is None


def test_a_changed_course_is_seen_and_recorded_as_an_amendment(study: Study) -> None:
    CourseVersion.objects.update(sha256="0" * 64)
    assert is_course_changed(study)
    actor = staff(clinician_of(study))
    with pytest.raises(ReasonMissing):
        amend_course(study=study, actor=actor, reason=" ")
    amend_course(study=study, actor=actor, reason="card 3 of lesson 2 was unclear")
    assert not is_course_changed(study)
    entry = AuditEntry.objects.get(action="amend_course")
    assert (entry.old["sha256"], entry.new["sha256"]) == ("0" * 64, course_sha256())
    assert entry.reason == "card 3 of lesson 2 was unclear"


def test_an_unchanged_course_needs_no_amendment(study: Study) -> None:
    amend_course(study=study, actor=staff(clinician_of(study)), reason="nothing")
    assert CourseVersion.objects.filter(study=study).count() == 1
