"""Whole pages in Chinese: what is left of Latin letters is names, codes and figures."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import make_participant, make_study
from tests.studies.views.browsers import clinician_in, phone_of, researcher_in, short_plan

pytestmark = pytest.mark.django_db

WORD = re.compile(r"[A-Za-z]{2,}")
PSEUDONYM = re.compile(r"\b[A-Z0-9]{2}-[A-Z0-9]{4}-[A-Z0-9]\b")
# Names, abbreviations and what the tests' factories make up.
NAMES = {
    *("Nocturne", "PIN", "CBT", "LSTM", "ACM", "MCMG", "GAMC", "PSQI", "CPSS"),
    *("Europe", "London", "Asia", "Shanghai", "STUDY", "SLEEP", "MAIN", "researcher"),
    *("Sleep", "music", "in", "stressed", "adolescents"),
    *("principal", "investigator"),  # Accounts are named after their roles.
}
SPOKEN = ("aria-label", "alt", "title", "placeholder")
VOID = {"meta", "link", "input", "br", "img", "hr", "path", "circle", "line", "rect"}


class Words(HTMLParser):
    """Collects what a page shows or says, but for parts that are marked as English."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.said: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        is_quiet = tag in {"script", "style"} or dict(attrs).get("lang") == "en"
        if tag not in VOID:
            self.open.append("quiet" if is_quiet else tag)
        self.said += [text for name, text in attrs if name in SPOKEN and text]

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if "quiet" not in self.open:
            self.said.append(data)


def english_in(client: Client, address: str, data: dict[str, str] | None = None) -> set[str]:
    """Return the English words of a page; with data, of the page that answers a form."""
    response = client.get(address) if data is None else client.post(address, data, follow=True)
    page = response.content.decode()
    assert response.status_code == 200, address
    assert '<html lang="zh-hans"' in page
    return {word for said in Words(page).said for word in words_of(said)}


def words_of(said: str) -> Iterator[str]:
    yield from (word for word in WORD.findall(PSEUDONYM.sub("", said)) if word not in NAMES)


def in_chinese(client: Client) -> Client:
    client.cookies["django_language"] = "zh-hans"
    return client


@pytest.mark.parametrize("page", ["consent_decide", "consent_talk", "help", "front"])
def test_the_way_in_is_chinese_for_whoever_was_invited_in_chinese(page):
    client = phone_of(make_participant(language="zh-hans"))
    assert english_in(client, reverse(f"studies:{page}")) == set()


def test_a_participants_pages_are_chinese():
    participant = make_participant("consented", language="zh-hans")
    participant.assessment = participant.visits.get(week=0).assessments.get(instrument="psqi")
    client = phone_of(participant)
    begin = reverse("studies:assess", args=[participant.assessment.pk])
    pages = ["/me/", "/me/consent/1/", "/me/music/", "/me/stop/", begin]
    assert {page: english_in(client, page) for page in pages} == {page: set() for page in pages}
    item = client.post(begin).url
    assert english_in(client, item) == set()
    assert english_in(client, item, {"hour": "25", "minute": "61"}) == set()
    assert english_in(client, "/me/music/", {"styles": "9"}) == set()


def test_the_clinics_pages_are_chinese():
    study = make_study()
    code = make_participant("baseline_done", study=study).code
    make_participant("consented", study=study)
    client = in_chinese(clinician_in(study))
    home = f"/clinic/{study.code}/"
    pages = ["/clinic/", "/clinic/new/", home, f"{home}invite/", f"{home}people/", f"{home}close/"]
    pages += [f"{home}p/{code}/", f"{home}p/{code}/contact/", f"{home}p/{code}/withdraw/"]
    found = {page: english_in(client, page) for page in pages}
    assert found == {page: set() for page in pages}
    assert english_in(client, f"{home}invite/", {"age_years": "x"}) == set()
    assert english_in(client, f"{home}close/", {"code": study.code}) == set()


def test_the_outcomes_are_chinese():
    study = make_study(protocol=short_plan())
    make_participant("week4", study=study)
    client = in_chinese(researcher_in(study))
    assert english_in(client, f"/research/{study.code}/") == set()


def test_signing_in_is_chinese():
    client = in_chinese(Client())
    assert english_in(client, reverse("account_login")) == set()
    assert english_in(client, reverse("account_login"), {"login": "", "password": ""}) == set()


def test_english_words_would_be_noticed():
    page = '<p title="Hello">早上<b lang="en">good</b> morning</p><img alt="moon"><br>'
    assert [word for said in Words(page).said for word in words_of(said)] == [
        "Hello",
        "morning",
        "moon",
    ]
