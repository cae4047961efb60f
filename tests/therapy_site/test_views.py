"""The theme switch, and the page for a password that was lost."""

import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("theme", ["day", "night", "auto"])
def test_the_theme_chosen_by_hand_is_remembered_on_this_device(client, theme):
    answer = client.post("/theme/", {"theme": theme, "next": "/accounts/login/"})
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/")
    assert answer.cookies["theme"].value == theme
    assert answer.cookies["theme"]["httponly"]


def test_an_unknown_theme_changes_nothing(client):
    assert "theme" not in client.post("/theme/", {"theme": "<script>", "next": "/"}).cookies


@pytest.mark.parametrize(
    "elsewhere", ["https://example.org/", "//example.org", "javascript:alert(1)", "", "\\\\evil"]
)
def test_the_switch_leads_nowhere_else(client, elsewhere):
    answer = client.post("/theme/", {"theme": "day", "next": elsewhere})
    assert answer["Location"] == "/"


def test_looking_at_the_switch_changes_nothing(client):
    assert client.get("/theme/?theme=night").status_code == 405


def test_a_lost_password_is_a_matter_for_the_administrator(client):
    page = client.get("/accounts/password/reset/").content.decode()
    assert "Ask the administrator of this installation." in page
    assert client.post("/accounts/password/reset/", {"email": "a@example.org"}).status_code == 405
