"""A way in for a participant, or a guardian: a private link, and a PIN that makes it theirs.

Looking at a link consumes nothing, and neither does a wrong PIN: mail scanners open links and press
buttons. The token is kept as a hash only; without the PIN it opens nothing.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

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
from studies.models.access import Holder, PrivateLink
from studies.models.participant import Participant
from studies.services.trail.audit import Actor, participant_actor, record

TOKEN_BYTES = 24  # 192 bits; ASVS asks for 128 at least
PIN_LENGTH = 6
PIN_DUE = timedelta(days=14)
TRIES = 5
LOCK = timedelta(minutes=15)
ROLE_GUARDIAN = "guardian"


def guardian_actor(participant: Participant) -> Actor:
    """Return a participant's guardian as an actor, by the participant's code."""
    return Actor(f"guardian of {participant.code}", role=ROLE_GUARDIAN)


def link_for_token(token: str, holder: str = Holder.PARTICIPANT) -> PrivateLink:
    """Return the holder's live link with this token; raises LinkUnknown, LinkRevoked, LinkExpired.

    A guardian's token opens no participant's page, nor the other way round.
    """
    links = PrivateLink.objects.select_related("participant__study")
    return _live(links.filter(token_sha256=_sha256(token), holder=holder).first())


@transaction.atomic
def set_pin(*, token: str, pin: str, holder: str = Holder.PARTICIPANT) -> Participant:
    """Make the link its holder's own: once, within 14 days."""
    link = _locked(token, holder)
    if link.pin_hash:
        raise PinAlreadySet
    if not is_fit(pin):
        raise PinTooSimple
    link.pin_hash = make_password(pin)
    link.pin_set_at = clock.now()
    link.save(update_fields=["pin_hash", "pin_set_at"])
    record(actor=_actor(link), action="set_pin", subject=link)
    return link.participant


def sign_in(*, token: str, pin: str, holder: str = Holder.PARTICIPANT) -> Participant:
    """Return whose link and PIN these are; raises PinWrong, or LinkLocked after five wrong ones."""
    # The refusal is raised outside the transaction: a rolled-back attempt would not count.
    participant, refusal = _attempt(token, pin, holder)
    if refusal is not None:
        raise refusal
    return participant


@transaction.atomic
def issue_link(*, participant: Participant, actor: Actor, holder: str = Holder.PARTICIPANT) -> str:
    """Give a fresh link, revoke the one before, and return the token: it is shown once."""
    Participant.objects.select_for_update().get(pk=participant.pk)
    revoke_links(participant=participant, actor=actor, holders=[holder])
    token = secrets.token_urlsafe(TOKEN_BYTES)
    now = clock.now()
    link = PrivateLink.objects.create(
        participant=participant,
        holder=holder,
        token_sha256=_sha256(token),
        issued_at=now,
        pin_due_at=now + PIN_DUE,
    )
    new = {"holder": holder, "pin_due_at": link.pin_due_at}
    record(actor=actor, action="issue_link", subject=link, new=new)
    return token


@transaction.atomic
def revoke_links(
    *,
    participant: Participant,
    actor: Actor,
    reason: str = "",
    holders: Sequence[str] = tuple(Holder),
) -> int:
    """Revoke the live links of these holders, all of them unless told; return how many lived."""
    live = list(
        PrivateLink.objects.select_for_update().filter(
            participant=participant, holder__in=holders, revoked_at=None
        )
    )
    for link in live:
        link.revoked_at = clock.now()
        link.save(update_fields=["revoked_at"])
        record(actor=actor, action="revoke_link", subject=link, reason=reason)
    return len(live)


def is_fit(pin: str) -> bool:
    """Return whether a PIN is six digits, and not a run or a repetition like 123456 or 121212."""
    if len(pin) != PIN_LENGTH or not (pin.isascii() and pin.isdigit()):
        return False
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(pin)}
    halves = pin[:3] == pin[3:]
    return len(steps) > 1 and len(set(pin)) > 2 and not halves


@transaction.atomic
def _attempt(token: str, pin: str, holder: str) -> tuple[Participant, Exception | None]:
    link, now = _locked(token, holder), clock.now()
    if not link.pin_hash:
        raise PinNotSet
    if link.locked_until is not None and now < link.locked_until:
        raise LinkLocked(link.locked_until)
    if check_password(pin, link.pin_hash):
        return _welcome(link), None
    link.failed_attempts += 1
    refusal: Exception = PinWrong(TRIES - link.failed_attempts)
    if link.failed_attempts >= TRIES:
        link.failed_attempts, link.locked_until = 0, now + LOCK
        refusal = LinkLocked(link.locked_until)
    link.save(update_fields=["failed_attempts", "locked_until"])
    record(
        actor=_actor(link),
        action="sign_in_failed",
        subject=link,
        new={"failed_attempts": link.failed_attempts, "locked_until": link.locked_until},
    )
    return link.participant, refusal


def _welcome(link: PrivateLink) -> Participant:
    if link.failed_attempts or link.locked_until:
        link.failed_attempts, link.locked_until = 0, None
        link.save(update_fields=["failed_attempts", "locked_until"])
    record(actor=_actor(link), action="sign_in", subject=link)
    return link.participant


def _actor(link: PrivateLink) -> Actor:
    is_guardian = link.holder == Holder.GUARDIAN
    return (guardian_actor if is_guardian else participant_actor)(link.participant)


def _locked(token: str, holder: str) -> PrivateLink:
    links = PrivateLink.objects.select_for_update(of=("self",)).select_related("participant__study")
    return _live(links.filter(token_sha256=_sha256(token), holder=holder).first())


def _live(link: PrivateLink | None) -> PrivateLink:
    if link is None:
        raise LinkUnknown
    if link.revoked_at is not None:
        raise LinkRevoked
    if not link.pin_hash and clock.now() > link.pin_due_at:
        raise LinkExpired(link.pin_due_at)
    return link


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
