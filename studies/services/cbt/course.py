"""The course of the CBT arm as a study gives it: pinned at opening, changed by amendment only."""

from django.db import transaction

from studies import clock
from studies.design.lessons import course_sha256, course_versions
from studies.exceptions import ReasonMissing
from studies.models.cbt import CourseVersion
from studies.models.study import Study
from studies.services.trail.audit import Actor, record


@transaction.atomic
def pin_course(*, study: Study, actor: Actor, reason: str = "") -> CourseVersion:
    """Pin the course of this build to the study; the audit trail keeps its hash."""
    before = pinned_course(study)
    pinned = CourseVersion.objects.create(
        study=study,
        sha256=course_sha256(),
        versions=course_versions(),
        pinned_at=clock.now(),
        pinned_by=actor.name,
        reason=reason,
    )
    record(
        actor=actor,
        action="amend_course" if before else "pin_course",
        subject=pinned,
        old={"sha256": before.sha256, "versions": before.versions} if before else None,
        new={"sha256": pinned.sha256, "versions": pinned.versions},
        reason=reason,
    )
    return pinned


@transaction.atomic
def amend_course(*, study: Study, actor: Actor, reason: str) -> CourseVersion:
    """Record that the study gives a changed course from now on; unchanged, nothing is written.

    How many people that takes is for `services/protocol/changed_course.py` to see to.
    """
    if not reason.strip():
        raise ReasonMissing("a changed course")
    study = Study.objects.select_for_update().get(pk=study.pk)
    before = pinned_course(study)
    if before is not None and before.sha256 == course_sha256():
        return before
    return pin_course(study=study, actor=actor, reason=reason)


def pinned_course(study: Study) -> CourseVersion | None:
    """Return the course that the study gives now."""
    return CourseVersion.objects.filter(study=study).last()


def is_course_changed(study: Study) -> bool:
    """Return whether this build's course is another one than the study pinned.

    While it is, lessons that somebody began stay open and no new one opens.
    """
    pinned = pinned_course(study)
    return pinned is not None and pinned.sha256 != course_sha256()
