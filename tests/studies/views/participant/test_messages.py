import pytest

from studies.models.message import Message
from studies.services.cbt.messages import send_message
from tests.studies.services.learning import therapist_of
from tests.studies.views.browsers import learner, phone_of

pytestmark = pytest.mark.django_db


def test_a_participant_writes_and_reads_with_office_hours_and_help_in_sight(settings):
    settings.NOCTURNE_HELP_LINE = "Samaritans 116 123"
    participant = learner()
    client = phone_of(participant)
    page = client.get("/me/messages/").content.decode()
    assert "Monday to Friday, 09:00 to 17:00" in page
    assert "This is not for emergencies." in page
    assert "/me/help/" in page
    assert "116 123" in page
    assert "Write a message first" in client.post("/me/messages/", {}).content.decode()
    client.post("/me/messages/", {"text": "I <b>am</b> tired"})
    send_message(participant=participant, text="Rest.", user=therapist_of(participant.study))
    page = client.get("/me/messages/").content.decode()
    assert "I &lt;b&gt;am&lt;/b&gt; tired" in page
    assert "Rest." in page
    assert "Your therapist" in page
    assert not Message.objects.filter(read_at=None, author__isnull=False).exists()


def test_a_message_that_is_too_long_is_kept_on_the_page():
    client = phone_of(learner())
    page = client.post("/me/messages/", {"text": "x" * 2001}).content.decode()
    assert "x" * 2001 in page
    assert not Message.objects.exists()
