import logging

import pytest

from studies.exceptions import MessageRefused
from studies.models.audit import AuditEntry
from studies.models.message import Message
from studies.models.participant import Participant
from studies.services.cbt.messages import n_unread, read_thread, send_message
from studies.services.conduct.withdrawal import withdraw_participant
from studies.services.trail.audit import SYSTEM, verify_chain
from tests.studies.services.learning import learner_in, take_lesson, therapist_of

pytestmark = pytest.mark.django_db
WORDS = "I am Ada and I cannot sleep"


@pytest.fixture
def learner() -> Participant:
    return learner_in()


def test_a_thread_is_read_by_both_sides_and_marks_what_is_new(learner: Participant) -> None:
    therapist = therapist_of(learner.study)
    send_message(participant=learner, text=f"  {WORDS} ")
    assert (n_unread(learner), n_unread(learner, by_staff=True)) == (0, 1)
    (line,) = read_thread(participant=learner, user=therapist)
    assert (line.text, line.is_from_participant, line.is_new) == (WORDS, True, True)
    assert n_unread(learner, by_staff=True) == 0
    send_message(participant=learner, text="Let us look at it.", user=therapist)
    assert n_unread(learner) == 1
    lines = read_thread(participant=learner)
    assert [line.is_new for line in lines] == [False, True]
    assert lines[1].author == therapist.get_username()
    assert n_unread(learner) == 0


def test_the_words_are_nowhere_but_under_seal(
    learner: Participant, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        send_message(participant=learner, text=WORDS)
    assert WORDS.encode() not in bytes(Message.objects.get().sealed)
    assert WORDS not in caplog.text
    told = AuditEntry.objects.get(action="send_message")
    assert told.new == {"sha256": Message.objects.get().sha256}
    assert WORDS not in str(list(AuditEntry.objects.values()))
    assert verify_chain(learner.study.code) == []


@pytest.mark.parametrize("text", ["", "   ", "x" * 2001])
def test_an_empty_or_endless_message_is_refused(learner: Participant, text: str) -> None:
    with pytest.raises(MessageRefused, match="1 to 2000 characters"):
        send_message(participant=learner, text=text)


def test_whoever_takes_the_data_back_takes_the_words_back(learner: Participant) -> None:
    take_lesson(learner)
    send_message(participant=learner, text=WORDS)
    withdraw_participant(participant=learner, scope="data", reason="", actor=SYSTEM)
    assert bytes(Message.objects.get().sealed) == b""
    assert Message.objects.get().sha256
    assert read_thread(participant=learner)[0].text == ""
    assert AuditEntry.objects.filter(action="erase_message").count() == 1
