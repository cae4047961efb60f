from datetime import timedelta

import pytest

from studies import clock
from studies.exceptions import (
    LinkExpired,
    LinkLocked,
    LinkRevoked,
    LinkUnknown,
    PinAlreadySet,
    PinNotSet,
    PinTooSimple,
    PinWrong,
)
from studies.models.access import PrivateLink
from studies.models.audit import AuditEntry
from studies.services.entry.access import is_fit, link_for_token, set_pin, sign_in
from studies.services.entry.enrolment import Invitation, reissue_link, revoke_link
from studies.services.trail.audit import SYSTEM
from tests.factories import PIN, invite, make_study

pytestmark = pytest.mark.django_db
WRONG = "918273"


@pytest.fixture
def invitation() -> Invitation:
    return invite(make_study())


def test_looking_at_a_link_consumes_nothing(invitation: Invitation) -> None:
    before = PrivateLink.objects.values().get()
    for _ in range(3):
        assert link_for_token(invitation.url_token).participant == invitation.participant
    assert PrivateLink.objects.values().get() == before


def test_the_token_is_long_and_kept_as_a_hash_only(invitation: Invitation) -> None:
    assert len(invitation.url_token) >= 32
    assert invitation.url_token not in repr(PrivateLink.objects.values().get())


def test_a_pin_is_set_once_and_signs_in_from_then_on(invitation: Invitation) -> None:
    token = invitation.url_token
    with pytest.raises(PinNotSet):
        sign_in(token=token, pin=PIN)
    assert set_pin(token=token, pin=PIN) == invitation.participant
    with pytest.raises(PinAlreadySet):
        set_pin(token=token, pin=WRONG)
    with clock.at(clock.now() + timedelta(days=60)):
        assert sign_in(token=token, pin=PIN) == invitation.participant


@pytest.mark.parametrize(
    "pin",
    ["123456", "654321", "111111", "121212", "135791", "456456", "12345", "1234567", "12a456", "",
     "\uff11\uff12\uff14\uff18\uff13\uff10"],
)  # fmt: skip
def test_pins_that_anybody_would_try_are_refused(pin: str, invitation: Invitation) -> None:
    assert not is_fit(pin)
    with pytest.raises(PinTooSimple):
        set_pin(token=invitation.url_token, pin=pin)
    assert is_fit(PIN)


def test_a_link_without_a_pin_expires_after_fourteen_days(invitation: Invitation) -> None:
    with clock.at(clock.now() + timedelta(days=14, minutes=1)):
        for step in (lambda: link_for_token(invitation.url_token), lambda: set_pin(
            token=invitation.url_token, pin=PIN
        )):  # fmt: skip
            with pytest.raises(LinkExpired):
                step()


def test_five_wrong_pins_lock_the_link_for_a_quarter_of_an_hour(invitation: Invitation) -> None:
    token = invitation.url_token
    set_pin(token=token, pin=PIN)
    for attempts_left in (4, 3, 2, 1):
        with pytest.raises(PinWrong) as refusal:
            sign_in(token=token, pin=WRONG)
        assert refusal.value.attempts_left == attempts_left
    with pytest.raises(LinkLocked):
        sign_in(token=token, pin=WRONG)
    with pytest.raises(LinkLocked):
        sign_in(token=token, pin=PIN)
    with clock.at(clock.now() + timedelta(minutes=16)):
        assert sign_in(token=token, pin=PIN) == invitation.participant
    assert AuditEntry.objects.filter(action="sign_in_failed").count() == 5


def test_a_right_pin_forgives_the_wrong_ones_before(invitation: Invitation) -> None:
    token = invitation.url_token
    set_pin(token=token, pin=PIN)
    for _ in range(3):
        for _try in range(4):
            with pytest.raises(PinWrong):
                sign_in(token=token, pin=WRONG)
        sign_in(token=token, pin=PIN)
    assert PrivateLink.objects.get().failed_attempts == 0


def test_a_new_link_kills_the_old_one_and_its_pin(invitation: Invitation) -> None:
    set_pin(token=invitation.url_token, pin=PIN)
    fresh = reissue_link(participant=invitation.participant, actor=SYSTEM)
    with pytest.raises(LinkRevoked):
        sign_in(token=invitation.url_token, pin=PIN)
    with pytest.raises(PinNotSet):
        sign_in(token=fresh, pin=PIN)
    revoke_link(participant=invitation.participant, actor=SYSTEM)
    revoke_link(participant=invitation.participant, actor=SYSTEM)
    with pytest.raises(LinkRevoked):
        link_for_token(fresh)


@pytest.mark.parametrize("token", ["", "nonsense", "x" * 500, "'; --"])
def test_an_unknown_token_is_unknown(token: str) -> None:
    with pytest.raises(LinkUnknown):
        link_for_token(token)
