from dataclasses import replace
from datetime import timedelta

import pytest

from studies import clock
from studies.design.lessons import course_sha256
from studies.design.protocol import four_arms
from studies.models.cbt import CourseVersion
from studies.models.study import Role
from studies.services.allocation import arm_kind_of
from studies.services.cbt.course import is_course_changed
from studies.services.cbt.messages import send_message
from studies.services.cbt.sleep_window import waiting_window, window_in_force
from studies.services.protocol.changed_course import waiting_course
from tests.factories import PASSWORD, make_participant, make_staff, make_study
from tests.studies.services.learning import reach_window, take_lesson, therapist_of, write_diary
from tests.studies.views.browsers import clinician_in, desk_of, learner, listener
from therapy_site.demonstration import current_code

pytestmark = pytest.mark.django_db


@pytest.fixture
def taught():
    """Somebody whose first window waits."""
    participant = learner()
    reach_window(participant, clock.now() - timedelta(days=8))
    return participant


def _home(participant):
    return f"/care/{participant.study.code}/p/{participant.code}/"


def test_the_caseload_shows_who_has_lessons_and_nobody_else():
    study = make_study()
    # Nine of a block of twelve may have other arms: of ten people one has lessons, by any seed.
    people = {make_participant("allocated", study=study) for _ in range(10)}
    has_lessons = {person.code for person in people if arm_kind_of(person) == "cbt"}
    page = desk_of(therapist_of(study)).get(f"/care/{study.code}/").content.decode()
    assert has_lessons
    assert {p.code for p in people if p.code in page} == has_lessons


def test_staff_without_the_right_find_no_such_page(taught):
    client = clinician_in(taught.study)
    addresses = [f"/care/{taught.study.code}/", _home(taught)]
    addresses += [_home(taught) + part for part in ("window/", "messages/", "screening/")]
    assert {client.get(address).status_code for address in addresses} == {404}
    stranger = desk_of(therapist_of(make_study()))
    assert {stranger.get(address).status_code for address in addresses} == {404}


def test_somebody_in_a_music_arm_does_not_exist_here():
    person = listener()
    client = desk_of(therapist_of(person.study))
    assert client.get(_home(person)).status_code == 404


def test_a_therapist_finds_diary_lessons_and_answers(taught):
    client = desk_of(therapist_of(taught.study))
    assert "Sleep window waits" in client.get(f"/care/{taught.study.code}/").content.decode()
    page = client.get(_home(taught)).content.decode()
    assert page.count('class="block"') == 7
    assert "As a table" in page
    assert "84.8" in page or "85" in page
    assert "Get up at the same time every day" in page
    assert "first window" in page
    assert "23:45" in page


def test_a_page_without_a_night_says_so():
    participant = learner()
    page = desk_of(therapist_of(participant.study)).get(_home(participant)).content.decode()
    assert "No night is in the diary yet." in page


def test_the_first_window_is_confirmed_after_asking_for_reasons(taught):
    client = desk_of(therapist_of(taught.study))
    assert client.get(f"{_home(taught)}window/").url == f"{_home(taught)}screening/"
    page = client.post(f"{_home(taught)}screening/", {}).content.decode()
    assert "Ask for each of these first" in page
    assert client.post(f"{_home(taught)}screening/", {"asked": "on"}).url.endswith("window/")
    page = client.get(f"{_home(taught)}window/").content.decode()
    assert "7 h 00 min" in page
    answers = {"window_min": "435", "rise_at": "06:45"}
    page = client.post(f"{_home(taught)}window/", answers).content.decode()
    assert "Enter a reason for the change" in page
    client.post(f"{_home(taught)}window/", {**answers, "reason": "starts gently"})
    held = window_in_force(taught)
    assert (held.window_min, held.reason) == (435, "starts gently")
    assert "starts gently" in client.get(_home(taught)).content.decode()
    assert client.get(f"{_home(taught)}window/").status_code == 302


def test_below_the_floor_wants_the_tick(taught):
    client = desk_of(therapist_of(taught.study))
    client.post(f"{_home(taught)}screening/", {"asked": "on"})
    answers = {"window_min": "390", "rise_at": "06:45", "reason": "agreed"}
    page = client.post(f"{_home(taught)}window/", answers).content.decode()
    assert "Below the floor of 420 minutes" in page
    client.post(f"{_home(taught)}window/", {**answers, "approves_lower_floor": "on"})
    assert window_in_force(taught).window_min == 390


def test_a_reason_against_it_blocks_the_window(taught):
    client = desk_of(therapist_of(taught.study))
    client.post(f"{_home(taught)}screening/", {"asked": "on", "exclusions": ["epilepsy"]})
    page = client.get(_home(taught)).content.decode()
    assert "Epilepsy or other fits" in page
    assert client.get(f"{_home(taught)}window/").url == f"{_home(taught)}screening/"
    assert not waiting_window(taught).is_confirmed


def test_messages_are_answered(taught):
    therapist = therapist_of(taught.study)
    client = desk_of(therapist)
    send_message(participant=taught, text="I am so tired")
    assert "1 message" in client.get(f"/care/{taught.study.code}/").content.decode()
    assert "I am so tired" in client.get(f"{_home(taught)}messages/").content.decode()
    client.post(f"{_home(taught)}messages/", {"text": "That passes."})
    page = client.get(f"{_home(taught)}messages/").content.decode()
    assert "That passes." in page
    assert therapist.get_username() in page


def test_a_changed_course_is_recorded_as_an_amendment(taught):
    client = desk_of(therapist_of(taught.study))
    address = f"/care/{taught.study.code}/course/"
    assert "are the ones the study gives" in client.get(address).content.decode()
    CourseVersion.objects.update(sha256="0" * 64)
    listing = client.get(f"/care/{taught.study.code}/").content.decode()
    assert "No new lesson opens until the change is recorded" in listing
    assert "Enter a reason" in client.post(address, {}).content.decode()
    client.post(address, {"reason": "clearer words"})
    assert "clearer words" in client.get(address).content.decode()


def test_a_changed_course_of_a_study_of_two_waits_for_a_second_person(settings):
    study = make_study(protocol=replace(four_arms(), two_people_open=True))
    CourseVersion.objects.update(sha256="0" * 64)
    settings.NOCTURNE_MODE = "real"
    first = desk_of(make_staff(Role.THERAPIST, study=study))
    account = make_staff(Role.COORDINATOR, study=study)
    second = desk_of(account)
    address, page = f"/care/{study.code}/course/", f"/clinic/{study.code}/protocol/lessons/"
    assert second.get(page).status_code == 302
    said = first.post(address, {"reason": "clearer words"}, follow=True).content.decode()
    assert "A second person has to confirm it" in said
    assert "Give it up" in said
    assert first.get(page).status_code == 404
    assert page in second.get(f"/clinic/{study.code}/").content.decode()
    shown = second.get(page).content.decode()
    assert "clearer words" in shown
    proof = {"sha256": course_sha256(), "password": PASSWORD}
    wrong = second.post(page, proof | {"code": "000000"}).content.decode()
    assert "The password or the code is not right" in wrong
    assert is_course_changed(study)
    # Given up, and asked for again.
    first.post(f"{address}drop/", {"reason": ""})
    assert waiting_course(study) is not None
    gone = first.post(f"{address}drop/", {"reason": "not yet"}, follow=True).content.decode()
    assert "Given up." in gone
    first.post(address, {"reason": "now"})
    done = second.post(page, proof | {"code": current_code(account)}, follow=True).content.decode()
    assert "The changed lessons are given from now on." in done
    assert not is_course_changed(study)


def test_contradicting_times_are_marked_and_not_counted():
    participant = learner()
    take_lesson(participant)
    write_diary(
        participant,
        {
            "into_bed": "10:30",
            "tried_to_sleep": "23:00",
            "latency_min": "20",
            "awakenings": "0",
            "final_waking": "06:30",
            "out_of_bed": "06:45",
            "quality": "4",
        },
    )
    page = desk_of(therapist_of(participant.study)).get(_home(participant)).content.decode()
    assert "times contradict each other: not counted" in page
