from uuid import uuid4

import pytest

from studies.exceptions import ListeningRefused, NightUnknown
from studies.models.audit import AuditEntry
from studies.models.listening import ListeningSession, PlaylistAssignment
from studies.models.study import ArmKind
from studies.selectors.listening import minutes_by_night, nights_of
from studies.services.music.listening import record_listening
from studies.services.music.playlists import request_tonight
from tests.factories import make_study
from tests.studies.services.evenings import make_ready, someone_with

pytestmark = pytest.mark.django_db


@pytest.fixture
def night() -> PlaylistAssignment:
    participant = someone_with(ArmKind.MUSIC, study=make_study(night_minutes=20))
    night = request_tonight(participant=participant)
    make_ready(night.playlist)
    return night


def _hear(night: PlaylistAssignment, client_id: object, *intervals: list) -> ListeningSession:
    return record_listening(
        participant=night.participant,
        night_id=night.pk,
        client_id=client_id,
        intervals=list(intervals),
    )


def test_a_beat_that_comes_twice_or_late_adds_nothing(night: PlaylistAssignment) -> None:
    client_id = uuid4()
    _hear(night, client_id, [0, 60])
    _hear(night, client_id, [30, 90])
    session = _hear(night, str(client_id), [0, 60])
    assert (session.intervals, session.heard_s) == ([[0, 90]], 90)
    assert ListeningSession.objects.count() == 1


def test_nobody_hears_more_than_the_file_has(night: PlaylistAssignment) -> None:
    session = _hear(night, uuid4(), [-50, 100], [1100, 99999])
    assert session.heard_s == 100 + 100


def test_two_devices_are_two_sessions_of_one_night(night: PlaylistAssignment) -> None:
    _hear(night, uuid4(), [0, 60])
    _hear(night, uuid4(), [0, 120])
    assert [row.minutes for row in minutes_by_night(night.participant)] == [3.0]
    assert nights_of(night.participant.study)[0].code == night.participant.code


def test_somebody_elses_night_does_not_exist(night: PlaylistAssignment) -> None:
    stranger = someone_with(ArmKind.MUSIC)
    with pytest.raises(NightUnknown):
        record_listening(
            participant=stranger, night_id=night.pk, client_id=uuid4(), intervals=[[0, 1]]
        )
    client_id = uuid4()
    _hear(night, client_id, [0, 60])
    own = request_tonight(participant=stranger)
    make_ready(own.playlist)
    with pytest.raises(NightUnknown):
        _hear(own, client_id, [0, 60])


def test_a_mix_that_is_not_ready_was_not_heard(night: PlaylistAssignment) -> None:
    waiting = request_tonight(participant=someone_with(ArmKind.MUSIC))
    assert waiting.pk != night.pk
    with pytest.raises(NightUnknown):
        _hear(waiting, uuid4(), [0, 1])


@pytest.mark.parametrize(
    ("client_id", "intervals"),
    [
        ("no-uuid", [[0, 1]]),
        (None, [[0, 1]]),
        (uuid4(), [[5, 1]]),
        (uuid4(), [["a", "b"]]),
        (uuid4(), "0-60"),
        (uuid4(), [[0, 1]] * 2001),
    ],
)
def test_impossible_reports_are_refused(
    night: PlaylistAssignment, client_id: object, intervals: object
) -> None:
    with pytest.raises(ListeningRefused, match="Reload the player"):
        record_listening(
            participant=night.participant,
            night_id=night.pk,
            client_id=client_id,
            intervals=intervals,
        )
    assert not ListeningSession.objects.exists()


def test_the_trail_marks_the_beginning_and_every_five_minutes(night: PlaylistAssignment) -> None:
    client_id = uuid4()
    for minute in range(12):
        _hear(night, client_id, [60 * minute, 60 * minute + 60])
    entries = AuditEntry.objects.filter(action="record_listening")
    assert [entry.new["heard_s"] for entry in entries] == [60, 300, 600]
