"""A database is not locked past what is open, unless somebody says why; the reason is kept."""

import pytest

from studies import clock
from studies.exceptions import LooseEndsLeft
from studies.models.audit import AuditEntry
from studies.models.deviation import Deviation, DeviationKind
from studies.models.lock import LockException, LooseKind
from studies.models.participant import Participant
from studies.models.study import StudyState
from studies.models.visit import Assessment
from studies.selectors.loose_ends import loose_ends, seen_sha256
from studies.services.closing.locks import ask_to_unlock, lock_database, lock_visit
from studies.services.conduct.deviations import assess_deviation, note_deviation
from studies.services.conduct.events import Account, report_event
from studies.services.conduct.items import finish_item, say_not_ok
from studies.services.conduct.queries import ask_about, close_query
from studies.services.protocol.setup import close_study
from studies.services.trail.audit import SYSTEM, verify_chain
from tests.factories import clinician_of, make_participant, make_study
from tests.studies.services.closing.test_locks import sheet
from tests.studies.views.browsers import short_plan

pytestmark = pytest.mark.django_db


@pytest.fixture
def participant() -> Participant:
    """Somebody in a study that has just closed, with nothing open."""
    person = make_participant("week8", study=make_study(protocol=short_plan()))
    close_study(study=person.study, actor=SYSTEM)
    person.study.refresh_from_db()
    return person


def kinds(participant: Participant) -> list[str]:
    return [group.kind.value for group in loose_ends(participant.study)]


def test_what_is_open_is_named_until_it_is_settled(participant: Participant) -> None:
    user = clinician_of(participant.study)
    assert kinds(participant) == []
    query = ask_about(assessment=sheet(participant), item_key="item_1", question="?", user=user)
    item = say_not_ok(participant=participant, words="")
    noted = note_deviation(
        participant=participant, words="late", happened_at=clock.now(), user=user
    )
    assert kinds(participant) == ["query", "item", "deviation"]
    assert loose_ends(participant.study)[0].codes == [participant.code]
    with pytest.raises(LooseEndsLeft, match="1 x query, 1 x item, 1 x deviation"):
        lock_database(study=participant.study, actor=SYSTEM)
    participant.study.refresh_from_db()
    assert participant.study.state == StudyState.CLOSED
    close_query(query=query, words="settled", user=user)
    finish_item(item=item, user=user, note="called")
    assess_deviation(deviation=noted, impact="none", measures="none", user=user)
    assert kinds(participant) == []
    lock_database(study=participant.study, actor=SYSTEM)
    assert not LockException.objects.exists()


def test_an_event_counts_when_it_is_serious_and_what_tells_an_arm_never_does(
    participant: Participant,
) -> None:
    user = clinician_of(participant.study)
    today = clock.today(participant.zone)
    mild = report_event(
        participant=participant, account=Account(today, "Fell", "mild", "none"), user=user
    )
    assert kinds(participant) == ["item"]
    mild.criteria = ["hospital"]
    mild.save()
    assert kinds(participant) == ["item", "event"]
    Deviation.objects.create(
        participant=participant,
        kind=DeviationKind.LATE_TITRATION,
        key="late",
        happened_at=clock.now(),
        noted_at=clock.now(),
    )
    assert kinds(participant) == ["item", "event"]


def test_a_form_in_progress_and_a_lock_to_be_opened_hold_it_up(participant: Participant) -> None:
    lock = lock_visit(visit=participant.visits.get(week=4), actor=SYSTEM)
    ask_to_unlock(lock=lock, reason="misread", actor=SYSTEM)
    Assessment.objects.filter(visit__participant=participant, visit__week=8).update(
        state="in_progress"
    )
    assert kinds(participant) == ["sheet", "unlocking"]


def test_a_reason_is_kept_with_each_and_in_the_trail(participant: Participant) -> None:
    user = clinician_of(participant.study)
    for item in ("item_1", "item_2"):
        ask_about(assessment=sheet(participant), item_key=item, question="?", user=user)
    say_not_ok(participant=participant, words="")
    found = loose_ends(participant.study)
    for reasons in ({}, {"query": "no answer came"}, {"query": "no answer came", "item": " "}):
        with pytest.raises(LooseEndsLeft, match="1 x item"):
            lock_database(study=participant.study, actor=SYSTEM, reasons=reasons)
    reasons = {LooseKind.QUERY: "no answer came", LooseKind.ITEM: "the clinic follows it"}
    lock_database(study=participant.study, actor=SYSTEM, reasons=reasons, seen=seen_sha256(found))
    kept = LockException.objects.values_list("kind", "reason", "participant__code")
    code = participant.code
    assert sorted(kept) == [
        ("item", "the clinic follows it", code),
        ("query", "no answer came", code),
        ("query", "no answer came", code),
    ]
    entries = AuditEntry.objects.filter(action="lock_despite")
    assert {entry.new["open"] for entry in entries} == {
        end.target for group in found for end in group.ends
    }
    assert {entry.reason for entry in entries} == set(reasons.values())
    assert verify_chain(participant.study.code) == []


def test_a_reason_is_never_kept_with_what_nobody_saw(participant: Participant) -> None:
    user = clinician_of(participant.study)
    ask_about(assessment=sheet(participant), item_key="item_1", question="?", user=user)
    seen = seen_sha256(loose_ends(participant.study))
    ask_about(assessment=sheet(participant), item_key="item_2", question="?", user=user)
    with pytest.raises(LooseEndsLeft, match="a list that changed"):
        lock_database(
            study=participant.study, actor=SYSTEM, reasons={"query": "none came"}, seen=seen
        )
    assert not LockException.objects.exists()
