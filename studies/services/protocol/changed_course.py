"""A changed course of the arm with lessons: an amendment, and so by as many people as one takes.

Where opening takes two people, whoever finds that a release brought other lessons asks for them; a
second person confirms, and until then no new lesson opens.
"""

from django.db import transaction
from django.utils.translation import gettext as _

from studies import clock
from studies.design.lessons import course_sha256, course_versions
from studies.exceptions import AmendmentRefused, ReasonMissing
from studies.models.cbt import CourseRequest, CourseVersion
from studies.models.study import Study
from studies.services.cbt.course import amend_course, is_course_changed, pinned_course
from studies.services.protocol.two_people import takes_two
from studies.services.trail.audit import Actor, record


@transaction.atomic
def change_course(*, study: Study, actor: Actor, reason: str) -> CourseRequest | None:
    """Record that the study gives a changed course, or ask a second person to.

    Returns the request that waits then; nothing where one person is enough, or nothing changed.
    Raises ReasonMissing.
    """
    if not reason.strip():
        raise ReasonMissing("a changed course")
    study = Study.objects.select_for_update().get(pk=study.pk)
    if not takes_two(study):
        amend_course(study=study, actor=actor, reason=reason)
        return None
    if pinned_course(study) is not None and not is_course_changed(study):
        return None
    waiting = waiting_course(study)
    if waiting is not None and waiting.sha256 == course_sha256():
        return waiting
    if waiting is not None:
        _settle(waiting, actor, "drop_course", "the lessons changed again")
    asked = CourseRequest.objects.create(
        study=study,
        sha256=course_sha256(),
        versions=course_versions(),
        reason=reason.strip(),
        asked_at=clock.now(),
        asked_by=actor.user,
    )
    new = {"sha256": asked.sha256, "versions": asked.versions}
    record(actor=actor, action="ask_for_course", subject=asked, new=new, reason=asked.reason)
    return asked


@transaction.atomic
def confirm_course(*, study: Study, sha256: str, actor: Actor) -> CourseVersion:
    """Let the study give the course that was asked for and read, as the second person.

    Raises AmendmentRefused where none waits, it is another one than was read or than this release
    has, or the one who asked confirms.
    """
    study = Study.objects.select_for_update().get(pk=study.pk)
    asked = waiting_course(study)
    if asked is None or asked.sha256 != sha256:
        raise AmendmentRefused([_("no such course waits to be confirmed")])
    if asked.sha256 != course_sha256():
        raise AmendmentRefused([_("the lessons changed again: ask anew")])
    if actor.user is None or asked.asked_by_id in {None, actor.user.pk}:
        raise AmendmentRefused([_("somebody else than who asked has to confirm it")])
    _settle(asked, actor, "confirm_course", asked.reason, is_confirmed=True)
    return amend_course(study=study, actor=actor, reason=asked.reason)


@transaction.atomic
def drop_course(*, study: Study, actor: Actor, reason: str) -> None:
    """Give up a request; the study goes on with the course it has.

    Raises ReasonMissing, or AmendmentRefused where none waits.
    """
    if not reason.strip():
        raise ReasonMissing("giving up a changed course")
    study = Study.objects.select_for_update().get(pk=study.pk)
    asked = waiting_course(study)
    if asked is None:
        raise AmendmentRefused([_("no such course waits to be confirmed")])
    _settle(asked, actor, "drop_course", reason.strip())


def waiting_course(study: Study) -> CourseRequest | None:
    """Return the changed course that waits for a second person."""
    return CourseRequest.objects.filter(study=study, settled_at=None).first()


def changes_in(asked: CourseRequest) -> list[tuple[str, str, str]]:
    """Return the lessons whose version differs from the course in force: key, before, after."""
    pinned = pinned_course(asked.study)
    before, after = (pinned.versions if pinned else {}), asked.versions
    keys = dict.fromkeys([*before, *after])
    pairs = [(key, before.get(key, ""), after.get(key, "")) for key in keys]
    return [(key, old, new) for key, old, new in pairs if old != new]


def course_to_confirm(study: Study) -> CourseRequest | None:
    """Return what waits, of a study of which one can wait; others are asked nothing."""
    return waiting_course(study) if takes_two(study) else None


def _settle(
    asked: CourseRequest, actor: Actor, action: str, reason: str, *, is_confirmed: bool = False
) -> None:
    asked.settled_at, asked.settled_by = clock.now(), actor.user
    asked.is_confirmed = is_confirmed
    asked.save(update_fields=["settled_at", "settled_by", "is_confirmed"])
    new = {"sha256": asked.sha256, "is_confirmed": is_confirmed}
    record(actor=actor, action=action, subject=asked, new=new, reason=reason)
