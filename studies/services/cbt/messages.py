"""Messages between a participant of the CBT arm and the therapist: one thread a person.

The words lie under seal, and the audit trail, logs and exports hold none of them. Nothing is sent
anywhere: the other side finds an unread mark on their own page.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from studies import clock
from studies.exceptions import MessageRefused
from studies.models.cbt import ExerciseAnswer
from studies.models.message import Message
from studies.models.participant import Participant
from studies.models.user import User
from studies.services.cbt.words import seal_words, sha256_of, unseal_words
from studies.services.trail.audit import Actor, participant_actor, record, staff

CHARACTERS_AT_MOST = 2000


@dataclass(frozen=True, slots=True)
class Line:
    """One message as its readers see it."""

    text: str
    is_from_participant: bool
    author: str
    sent_at: datetime
    is_new: bool


@transaction.atomic
def send_message(*, participant: Participant, text: str, user: User | None = None) -> Message:
    """Keep a message of the participant, or of a therapist; raises MessageRefused."""
    text = text.strip()
    if not 1 <= len(text) <= CHARACTERS_AT_MOST:
        raise MessageRefused(CHARACTERS_AT_MOST, len(text))
    message = Message.objects.create(
        participant=participant,
        author=user,
        sealed=seal_words(text),
        sha256=sha256_of(text),
        sent_at=clock.now(),
    )
    _record(message, "send_message", _actor(participant, user))
    return message


@transaction.atomic
def read_thread(*, participant: Participant, user: User | None = None) -> list[Line]:
    """Return the thread, oldest first, and mark what the other side wrote as read."""
    messages = list(
        Message.objects.select_for_update(of=("self",))
        .filter(participant=participant)
        .select_related("author")
    )
    lines = [_line(message, is_new=_is_unread(message, user)) for message in messages]
    for message in messages:
        if _is_unread(message, user):
            message.read_at = clock.now()
            message.save(update_fields=["read_at"])
            _record(message, "read_message", _actor(participant, user))
    return lines


def n_unread(participant: Participant, *, by_staff: bool = False) -> int:
    """Return how many messages one side has not opened yet."""
    return unread(by_staff=by_staff).filter(participant=participant).count()


def unread(*, by_staff: bool) -> QuerySet[Message]:
    """Return the messages that one side has not opened yet."""
    return Message.objects.filter(read_at=None, author__isnull=by_staff)


@transaction.atomic
def erase_words(*, participant: Participant, actor: Actor) -> None:
    """Erase the words of somebody who takes their data back, of exercises too; hashes stay."""
    ExerciseAnswer.objects.filter(participant=participant).update(sealed=None)
    for message in Message.objects.filter(participant=participant).exclude(sealed=b""):
        message.sealed = b""
        message.save(update_fields=["sealed"])
        _record(message, "erase_message", actor)


def _line(message: Message, *, is_new: bool) -> Line:
    return Line(
        text=unseal_words(message.sealed),
        is_from_participant=message.is_from_participant,
        author="" if message.author is None else message.author.get_username(),
        sent_at=message.sent_at,
        is_new=is_new,
    )


def _is_unread(message: Message, user: User | None) -> bool:
    is_from_the_other_side = message.is_from_participant == (user is not None)
    return message.read_at is None and is_from_the_other_side


def _actor(participant: Participant, user: User | None) -> Actor:
    return participant_actor(participant) if user is None else staff(user)


def _record(message: Message, action: str, actor: Actor) -> None:
    record(actor=actor, action=action, subject=message, new={"sha256": message.sha256})
