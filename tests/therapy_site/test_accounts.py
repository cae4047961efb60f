"""Who signs in, and who could not, is in the site's audit trail."""

import pytest
from django.test import Client

from studies.models.audit import AuditEntry
from studies.services.trail.audit import SITE_CHAIN, verify_chain
from tests.factories import PASSWORD, make_staff

pytestmark = pytest.mark.django_db


def _try(name: str, password: str) -> AuditEntry:
    Client().post("/accounts/login/", {"login": name, "password": password})
    return AuditEntry.objects.filter(chain=SITE_CHAIN).latest("number")


def test_signing_in_and_failing_to_are_in_the_sites_trail() -> None:
    account = make_staff(name="ida")
    failed = _try("ida", "not-the-password")
    assert (failed.action, failed.new, failed.actor) == (
        "fail_to_sign_in",
        {"account": "ida"},
        "unknown account",
    )
    entered = _try("ida", PASSWORD)
    assert (entered.action, entered.actor, entered.user) == ("sign_in", "ida", account)
    assert verify_chain(SITE_CHAIN) == []


def test_a_password_typed_as_a_name_is_not_written_down() -> None:
    entry = _try(PASSWORD, "ida")
    assert entry.action == "fail_to_sign_in"
    assert PASSWORD not in str(vars(entry))
