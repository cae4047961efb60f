"""A changed course is an amendment: where one takes two people, so does it."""

from dataclasses import replace

import pytest
from pytest_django import Settings

from studies.design.lessons import course_sha256
from studies.design.protocol import four_arms
from studies.exceptions import AmendmentRefused, ReasonMissing
from studies.models.audit import AuditEntry
from studies.models.cbt import CourseRequest, CourseVersion
from studies.models.study import Role, Study
from studies.services.cbt.course import is_course_changed
from studies.services.protocol.changed_course import (
    change_course,
    changes_in,
    confirm_course,
    course_to_confirm,
    drop_course,
    waiting_course,
)
from studies.services.trail.audit import SYSTEM, Actor, staff, verify_chain
from tests.factories import make_staff, make_study

pytestmark = pytest.mark.django_db

WHY = "card 3 of lesson 2 was unclear"


@pytest.fixture
def of_two(settings: Settings) -> Study:
    """Return a study of real people, opened by two, whose release brought other lessons."""
    study = make_study(protocol=replace(four_arms(), two_people_open=True))
    CourseVersion.objects.update(sha256="0" * 64)
    settings.NOCTURNE_MODE = "real"
    return study


@pytest.fixture
def first(of_two: Study) -> Actor:
    return staff(make_staff(Role.THERAPIST, study=of_two))


@pytest.fixture
def second(of_two: Study) -> Actor:
    return staff(make_staff(Role.COORDINATOR, study=of_two))


def test_it_is_asked_for_and_given_once_a_second_person_confirms(
    of_two: Study, first: Actor, second: Actor
) -> None:
    with pytest.raises(ReasonMissing):
        change_course(study=of_two, actor=first, reason=" ")
    asked = change_course(study=of_two, actor=first, reason=WHY)
    assert change_course(study=of_two, actor=first, reason="twice is once") == asked
    assert course_to_confirm(of_two) == asked
    assert is_course_changed(of_two)
    for actor in (first, SYSTEM):
        with pytest.raises(AmendmentRefused, match="somebody else than who asked"):
            confirm_course(study=of_two, sha256=asked.sha256, actor=actor)
    with pytest.raises(AmendmentRefused, match="no such course"):
        confirm_course(study=of_two, sha256="1" * 64, actor=second)
    pinned = confirm_course(study=of_two, sha256=asked.sha256, actor=second)
    assert (pinned.sha256, pinned.pinned_by, pinned.reason) == (course_sha256(), second.name, WHY)
    assert not is_course_changed(of_two)
    assert waiting_course(of_two) is None
    with pytest.raises(AmendmentRefused, match="no such course"):
        confirm_course(study=of_two, sha256=asked.sha256, actor=second)
    acted = dict(AuditEntry.objects.filter(chain=of_two.code).values_list("action", "actor"))
    assert acted["ask_for_course"] == first.name
    assert acted["confirm_course"] == acted["amend_course"] == second.name
    assert verify_chain(of_two.code) == []


def test_a_release_that_changed_them_again_is_asked_for_anew(
    of_two: Study, first: Actor, second: Actor
) -> None:
    asked = change_course(study=of_two, actor=first, reason=WHY)
    CourseRequest.objects.update(sha256="2" * 64)
    with pytest.raises(AmendmentRefused, match="ask anew"):
        confirm_course(study=of_two, sha256="2" * 64, actor=second)
    anew = change_course(study=of_two, actor=first, reason=WHY)
    assert anew != asked
    assert waiting_course(of_two) == anew
    assert not CourseRequest.objects.get(pk=asked.pk).is_confirmed


def test_it_is_given_up_for_a_reason(of_two: Study, first: Actor) -> None:
    with pytest.raises(AmendmentRefused):
        drop_course(study=of_two, actor=first, reason="nothing waits")
    change_course(study=of_two, actor=first, reason=WHY)
    with pytest.raises(ReasonMissing):
        drop_course(study=of_two, actor=first, reason=" ")
    drop_course(study=of_two, actor=first, reason="the committee said no")
    assert waiting_course(of_two) is None
    assert is_course_changed(of_two)
    assert AuditEntry.objects.get(action="drop_course").reason == "the committee said no"


def test_one_person_is_enough_where_an_amendment_takes_one(
    of_two: Study, first: Actor, settings: Settings
) -> None:
    settings.NOCTURNE_MODE = "demo"
    assert change_course(study=of_two, actor=first, reason=WHY) is None
    assert not is_course_changed(of_two)
    assert not CourseRequest.objects.exists()
    assert course_to_confirm(of_two) is None


def test_an_unchanged_course_is_asked_for_by_nobody(of_two: Study, first: Actor) -> None:
    CourseVersion.objects.update(sha256=course_sha256())
    assert change_course(study=of_two, actor=first, reason=WHY) is None
    assert not CourseRequest.objects.exists()


def test_the_second_person_reads_which_lessons_differ(of_two: Study, first: Actor) -> None:
    pinned = CourseVersion.objects.get()
    key = next(iter(pinned.versions))
    CourseVersion.objects.update(versions={**pinned.versions, key: "0"})
    asked = change_course(study=of_two, actor=first, reason=WHY)
    assert changes_in(asked) == [(key, "0", asked.versions[key])]
