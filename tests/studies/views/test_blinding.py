"""No page of a participant, and none of blinded staff, names an arm or a way of composing."""

import re
from itertools import product

import pytest

from studies.services.music.playlists import cancel_nights, request_tonight
from tests.factories import make_participant, make_study
from tests.studies.views.browsers import clinician_in, learner, listener, phone_of, short_plan

pytestmark = pytest.mark.django_db

ARM_WORDS = re.compile(
    r"\b(cbt|cbt-i|lstm|lstm-acm|lstm_acm|mcmg|markov|gamc|genetic|fusion|algorithm)\b",
    re.IGNORECASE,
)
# What gives the kind of an arm away to those who look after people.
KIND_WORDS = re.compile(r"(minutes heard|sleep diary|lesson \d|playlist)", re.IGNORECASE)
PARTICIPANT_PAGES = (
    "/me/", "/me/group/", "/me/music/", "/me/stop/", "/me/tonight/", "/me/lessons/", "/me/help/",
    "/me/lesson/sleep_education/1/", "/me/consent/1/", "/me/consent/2/", "/me/mornings/",
)  # fmt: skip


@pytest.mark.parametrize("make", [listener, learner])
def test_a_participant_never_reads_the_name_of_an_arm(make):
    client = phone_of(make())
    for language, address in product(("en", "zh-hans"), PARTICIPANT_PAGES):
        client.cookies["django_language"] = language
        response = client.get(address)
        words = ARM_WORDS.findall(response.content.decode())
        assert words == [], (address, words)
        assert ARM_WORDS.findall(str(response.headers)) == []


def test_the_three_music_arms_have_one_and_the_same_page():
    pages = set()
    for _ in range(2):
        participant = listener()
        request_tonight(participant=participant)
        page = phone_of(participant).get("/me/tonight/").content.decode()
        page = re.sub(r'value="[A-Za-z0-9]{64}"|data-person="[0-9a-f]{20}"', "", page)
        pages.add(page.replace(participant.study.code, ""))
        # How many others wait is the queue's, not the arm's.
        cancel_nights(participant=participant)
    assert len(pages) == 1


def test_blinded_staff_read_neither_arm_nor_what_gives_it_away():
    study = make_study(protocol=short_plan())
    people = [make_participant("allocated", study=study) for _ in range(4)]
    client = clinician_in(study)
    addresses = [f"/clinic/{study.code}/", "/clinic/"]
    addresses += [f"/clinic/{study.code}/p/{person.code}/" for person in people]
    for address in addresses:
        page = client.get(address).content.decode()
        assert ARM_WORDS.findall(page) == [], address
        assert KIND_WORDS.findall(page) == [], address
