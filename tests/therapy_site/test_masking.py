"""No log holds a private link."""

import logging

import pytest
from django.conf import settings

from therapy_site.masking import MaskPrivateLinks

TOKEN = "Zk3v-9_aBcDeFgHiJkLmNoPq"


def logged(message: str, *arguments: object) -> str:
    record = logging.LogRecord("django.request", logging.WARNING, "", 0, message, arguments, None)
    assert MaskPrivateLinks().filter(record)
    return record.getMessage()


@pytest.mark.parametrize("rest", ["/", "/pin/", ""])
def test_the_token_of_a_private_link_is_blanked_out(rest):
    assert logged("Not Found: %s", f"/p/{TOKEN}{rest}") == f"Not Found: /p/***{rest}"


def test_other_paths_are_logged_as_they_are():
    assert logged("Not Found: %s", "/clinic/SLEEP-24/p/") == "Not Found: /clinic/SLEEP-24/p/"


def test_every_handler_masks():
    assert all("mask" in handler["filters"] for handler in settings.LOGGING["handlers"].values())


@pytest.mark.django_db
def test_a_wrong_link_leaves_no_token_in_the_log(client, caplog):
    caplog.handler.addFilter(MaskPrivateLinks())
    client.get(f"/p/{TOKEN}/")
    assert TOKEN not in caplog.text
