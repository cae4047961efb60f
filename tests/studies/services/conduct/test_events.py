from datetime import timedelta

import pytest

from studies import clock
from studies.exceptions import EventRefused, MoveRefused, ReasonMissing, SecondPersonMissing
from studies.models.audit import AuditEntry
from studies.models.participant import Participant
from studies.models.safety import AdverseEvent, EventState, ItemKind, ItemState
from studies.models.study import Role
from studies.models.user import User
from studies.services.conduct.events import (
    Account,
    close_event,
    follow_event,
    report_event,
    resolve_event,
    triage_event,
)
from studies.services.conduct.items import finish_item
from studies.services.trail.audit import verify_chain
from tests.factories import clinician_of, make_participant, make_staff

pytestmark = pytest.mark.django_db


def _account(participant: Participant, **changes: object) -> Account:
    today = clock.today(participant.zone)
    return Account(
        **{
            "began_on": today,
            "words": "Headache in the morning",
            "severity": "mild",
            "relation": "possible",
            **changes,
        }
    )


@pytest.fixture
def participant() -> Participant:
    return make_participant("consented")


@pytest.fixture
def user(participant: Participant) -> User:
    return clinician_of(participant.study)


def _waiting(event: AdverseEvent) -> list[str]:
    return list(event.items.exclude(state=ItemState.DONE).values_list("kind", flat=True))


def test_a_serious_event_starts_a_clock_and_any_other_waits_for_triage(
    participant: Participant, user: User
) -> None:
    now = clock.now()
    with clock.at(now):
        mild = report_event(participant=participant, account=_account(participant), user=user)
        account = _account(participant, severity="severe", criteria=("hospital",))
        serious = report_event(participant=participant, account=account, user=user)
    assert (mild.is_serious, _waiting(mild)) == (False, [ItemKind.TRIAGE])
    assert (serious.is_serious, _waiting(serious)) == (True, [ItemKind.SERIOUS])
    assert serious.due_at == now + timedelta(hours=24)
    assert mild.due_at == now + timedelta(hours=72)


def test_an_event_that_turns_out_serious_gets_its_clock_at_triage(
    participant: Participant, user: User
) -> None:
    event = report_event(participant=participant, account=_account(participant), user=user)
    triaged = triage_event(event=event, criteria=["hospital"], words="Admitted", user=user)
    assert triaged.state == EventState.TRIAGED
    assert _waiting(triaged) == [ItemKind.SERIOUS]


def test_follow_ups_chain_until_the_event_is_resolved_and_closed(
    participant: Participant, user: User
) -> None:
    event = report_event(participant=participant, account=_account(participant), user=user)
    triage_event(event=event, criteria=[], words="Not serious", user=user)
    for words in ("Goes on", "Better"):
        follow_event(event=event, words=words, user=user)
        assert _waiting(event) == [ItemKind.FOLLOW_UP]
    assert event.items.filter(kind=ItemKind.FOLLOW_UP).count() == 2
    today = clock.today(participant.zone)
    resolve_event(event=event, ended_on=today, words="Gone", user=user)
    assert _waiting(event) == []
    follow_event(event=event, words="Came back", user=user)
    with pytest.raises(MoveRefused):
        close_event(event=event, words="", user=user)
    resolve_event(event=event, ended_on=today, words="Gone again", user=user)
    closed = close_event(event=event, words="Settled", user=user)
    assert closed.state == EventState.CLOSED
    assert [note.number for note in event.notes.all()] == list(range(1, 8 + 1))
    assert verify_chain(participant.study.code) == []
    assert not AuditEntry.objects.filter(new__icontains="came back").exists()


def test_a_serious_event_is_closed_by_a_second_person_and_not_before_it_was_reported_on(
    participant: Participant, user: User
) -> None:
    account = _account(participant, criteria=("life_threatening",))
    event = report_event(participant=participant, account=account, user=user)
    triage_event(event=event, criteria=account.criteria, words="Serious", user=user)
    today = clock.today(participant.zone)
    resolve_event(event=event, ended_on=today, words="Over", user=user)
    second = make_staff(Role.COORDINATOR, study=participant.study)
    with pytest.raises(SecondPersonMissing):
        close_event(event=event, words="", user=user)
    with pytest.raises(EventRefused, match="1 open items"):
        close_event(event=event, words="", user=second)
    finish_item(item=event.items.get(kind=ItemKind.SERIOUS), user=user, note="Reported on")
    assert close_event(event=event, words="", user=second).state == EventState.CLOSED


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"words": " "}, ReasonMissing),
        ({"severity": "bad"}, EventRefused),
        ({"relation": ""}, EventRefused),
        ({"criteria": ("boring",)}, EventRefused),
    ],
)
def test_an_event_that_cannot_be_is_refused(
    participant: Participant, user: User, changes: dict[str, object], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        report_event(participant=participant, account=_account(participant, **changes), user=user)
    assert not AdverseEvent.objects.exists()


def test_an_event_neither_begins_nor_ends_in_the_future(
    participant: Participant, user: User
) -> None:
    tomorrow = clock.today(participant.zone) + timedelta(days=1)
    account = _account(participant, began_on=tomorrow)
    with pytest.raises(EventRefused):
        report_event(participant=participant, account=account, user=user)
    event = report_event(participant=participant, account=_account(participant), user=user)
    triage_event(event=event, criteria=[], words="", user=user)
    with pytest.raises(EventRefused):
        resolve_event(event=event, ended_on=tomorrow, words="", user=user)


def test_steps_are_not_skipped(participant: Participant, user: User) -> None:
    event = report_event(participant=participant, account=_account(participant), user=user)
    with pytest.raises(MoveRefused):
        follow_event(event=event, words="Too early", user=user)
    with pytest.raises(MoveRefused):
        close_event(event=event, words="", user=make_staff())
