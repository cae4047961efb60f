"""A crawl over every address as every blinded role: nothing tells one arm from another.

People of all four arms live through the same days: listening, or lessons and a diary. To blinded
eyes their pages, headers, sizes, file names, jobs and queue messages are the same but for codes,
numbers of rows and tokens.
"""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import zip_longest
from zipfile import ZipFile

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from kombu.transport.memory import Channel

from generator.models.playlist import Playlist
from studies import clock
from studies.models.participant import Participant
from studies.models.study import ArmKind, Role, Study
from studies.models.visit import Assessment
from studies.services.allocation import arm_of
from studies.services.music.playlists import request_tonight
from studies.services.results.export import export_study
from studies.services.trail.audit import SYSTEM
from tests.factories import answer_visit, make_participant, make_staff, make_study
from tests.studies.services.evenings import make_ready
from tests.studies.services.learning import take_lesson, write_diary
from tests.studies.views.browsers import desk_of, short_plan
from tests.studies.views.test_addresses import (
    LEARNER_OF_STUDY,
    LOCK_OF_STUDY,
    OF_STUDY,
    POST_ONLY,
    STAFF,
    arguments,
)
from tests.studies.views.test_blinding import ARM_WORDS
from therapy_site.celery import app

pytestmark = pytest.mark.django_db

# A therapist knows who has lessons; everybody else is blind until the study is unblinded.
BLINDED = sorted(set(Role.values) - {Role.THERAPIST})
# The second, and the digits of a row's number: `size` looks at what is left of the latter.
VARYING = {"Content-Length", "Expires"}
# What differs between any two people, whatever they got.
OWN = (
    (re.compile(r"\b[0-9A-Z]{2}-[0-9A-Z]{4}-[0-9A-Z]\b"), "CODE"),
    (re.compile(r'value="[A-Za-z0-9]{64}"'), "TOKEN"),
    (re.compile(r'value="[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"'), "KEY"),
    (re.compile(r"(answers|locks|copies|paper)(/|%2F)\d+"), "ROW"),
    (re.compile(r'value="(\w+:)?\d+(:\w+)?"'), "TARGET"),
    (re.compile(r"\b[0-9a-f]{16,64}\b"), "HASH"),
)


@pytest.fixture
def people() -> dict[str, Participant]:
    """Return somebody of each arm, after four weeks in which they did what their arm asks for."""
    study = make_study(protocol=short_plan())
    now = clock.now()
    found: dict[str, Participant] = {}
    with clock.at(now - timedelta(weeks=4)):
        while len(found) < study.arms.count():
            person = make_participant("allocated", study=study)
            found[arm_of(person).code] = person
        for person in found.values():
            _first_evening(person)
    with clock.at(now):
        for person in found.values():
            answer_visit(person, week=4, level=2)
    return found


def _first_evening(person: Participant) -> None:
    if arm_of(person).kind == ArmKind.MUSIC:
        make_ready(request_tonight(participant=person).playlist)
        return
    take_lesson(person)
    write_diary(person)


def _study(people: dict[str, Participant]) -> Study:
    return next(iter(people.values())).study


def _without_what_is_own(text: str) -> str:
    for pattern, word in OWN:
        text = pattern.sub(word, text)
    return text


def _told(client: Client, name: str, person: Participant) -> dict[str, object]:
    """Return everything that an address tells about somebody."""
    address = reverse(f"studies:{name}", args=arguments(name, person.study, person))
    response = client.get(address)
    body = response.content.decode()
    return {
        "status": response.status_code,
        **{name: value for name, value in response.headers.items() if name not in VARYING},
        "body": _without_what_is_own(body),
        # Pages of the same words have the same size: codes are of one length, row numbers are not.
        "size": len(_without_what_is_own(body)),
    }


def _difference(one: dict[str, object], other: dict[str, object]) -> list[str]:
    """Return where two tellings differ: lines of the pages, and everything else."""
    lines = zip_longest(*(str(told["body"]).splitlines() for told in (one, other)))
    found = [f"{first} | {second}" for first, second in lines if first != second]
    others = [key for key in one | other if key != "body" and one.get(key) != other.get(key)]
    return found + [f"{key}: {one.get(key)} | {other.get(key)}" for key in others]


def _of_people() -> list[str]:
    study = make_study(protocol=short_plan())
    person = make_participant(study=study)
    return [
        name
        for name in sorted(set(OF_STUDY) - POST_ONLY - set(LEARNER_OF_STUDY) - set(LOCK_OF_STUDY))
        # Once answered it leads back with a notice, which the next page would show.
        if name != "enter_paper"
        if person.code in arguments(name, study, person)
    ]


def test_people_of_all_arms_look_the_same_to_every_blinded_role(
    people: dict[str, Participant],
) -> None:
    names = _of_people()
    for role in BLINDED:
        client = desk_of(make_staff(role, study=_study(people)))
        for name in names:
            first, *others = (_told(client, name, person) for person in people.values())
            for other in others:
                assert _difference(first, other) == [], (role, name)


def test_no_address_tells_a_blinded_role_an_arm(people: dict[str, Participant]) -> None:
    """Follow every link from the first page on: no page that names a person names an arm."""
    for role in BLINDED:
        _crawl_as(role, people)


def _crawl_as(role: str, people: dict[str, Participant]) -> None:
    study = _study(people)
    client = desk_of(make_staff(role, study=study))
    codes = {person.code for person in people.values()}
    begun = {reverse(f"studies:{name}") for name in STAFF}
    begun |= {
        reverse(f"studies:{name}", args=arguments(name, study, person))
        for name in set(OF_STUDY) - POST_ONLY
        for person in people.values()
    }
    seen = 0
    for address, response in _crawl(client, begun, study):
        seen += 1
        page = response.content.decode(errors="replace")
        assert ARM_WORDS.findall(f"{address} {sorted(response.headers.items())}") == [], address
        # A plan may name the arms, a list may name people; nothing names both.
        if any(code in f"{address} {page}" for code in codes):
            assert ARM_WORDS.findall(page) == [], (role, address)
    assert seen >= len(STAFF)


def _crawl(client: Client, begun: set[str], study: Study) -> Iterator[tuple[str, HttpResponse]]:
    waiting, known = sorted(begun), set(begun)
    while waiting:
        address = waiting.pop()
        response = client.get(address)
        if response.resolver_match is None or response.streaming:
            continue
        yield address, response
        links = re.findall(r'href="(/(?:clinic|research|care)/[^"#?]*)"', response.content.decode())
        new = {link for link in links if study.code in link} - known
        known |= new
        waiting += sorted(new)


def test_rows_of_the_worklist_are_the_same_for_every_arm(people: dict[str, Participant]) -> None:
    study = _study(people)
    page = desk_of(make_staff(Role.ASSESSOR, study=study)).get(f"/clinic/{study.code}/")
    rows = re.findall(r"<tr.*?</tr>", page.content.decode(), re.DOTALL)
    told = {
        _without_what_is_own(row).replace("\n", "")
        for row in rows
        if any(person.code in row for person in people.values())
    }
    assert len(told) == 1


def test_no_file_of_a_blinded_export_has_an_arm_in_name_or_order(
    people: dict[str, Participant],
) -> None:
    export = export_study(study=_study(people), actor=SYSTEM)
    assert ARM_WORDS.findall(export.filename) == []
    codes = {person.code for person in people.values()}
    with ZipFile(export.file) as archive:
        for name in archive.namelist():
            assert ARM_WORDS.findall(name) == []
            lines = archive.read(name).decode(errors="replace").splitlines()
            both = [line for line in lines if ARM_WORDS.findall(line) and _names_one(line, codes)]
            assert both == [], name


def _names_one(line: str, codes: set[str]) -> bool:
    return any(code in line for code in codes)


def test_jobs_and_queue_messages_are_the_same_for_every_music_arm(
    people: dict[str, Participant],
    django_capture_on_commit_callbacks: object,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    assert [name for name in app.tasks if ARM_WORDS.findall(name)] == []
    Channel.queues.clear()
    with django_capture_on_commit_callbacks(execute=True):
        for person in people.values():
            if arm_of(person).kind == ArmKind.MUSIC:
                request_tonight(participant=person)
    messages = [json.dumps(list(queue.queue), default=str) for queue in Channel.queues.values()]
    assert Playlist.objects.count() > 3
    assert ARM_WORDS.findall(f"{messages}") == []
    assert ARM_WORDS.findall(caplog.text) == []


def test_the_files_of_two_music_arms_are_named_and_headed_alike(
    people: dict[str, Participant],
) -> None:
    ready = Playlist.objects.filter(track__isnull=False).select_related("track")
    names = {
        re.sub(r"[0-9a-f-]{12,}", "ID", f"{mix.track.audio_name} {mix.track.midi_name}")
        for mix in ready
    }
    assert ready.count() == 3
    assert len(names) == 1
    assert ARM_WORDS.findall(str(names)) == []


def test_the_crawl_would_find_an_arm_on_a_page(people: dict[str, Participant]) -> None:
    """A title that names an arm is found, so silence is not blindness of the search itself."""
    study = _study(people)
    Study.objects.filter(pk=study.pk).update(title="The LSTM-ACM study")
    client = desk_of(make_staff(Role.COORDINATOR, study=study))
    address = reverse("studies:study", args=[study.code])
    pages = [response.content.decode() for _a, response in _crawl(client, {address}, study)]
    assert len(pages) > len(people)
    assert all(ARM_WORDS.findall(page) for page in pages[:1])
    assert Assessment.objects.filter(state="submitted").exists()
