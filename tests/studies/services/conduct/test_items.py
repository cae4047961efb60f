from datetime import timedelta

import pytest

from studies import clock
from studies.exceptions import MoveRefused, ReasonMissing
from studies.models.audit import AuditEntry
from studies.models.safety import ActionItem, ItemState
from studies.models.study import Role
from studies.services.conduct.items import (
    acknowledge_item,
    escalate_overdue,
    finish_item,
    owner_for,
    say_not_ok,
    words_of,
)
from studies.services.conduct.withdrawal import withdraw_participant
from studies.services.protocol.members import add_site, put_on_call
from studies.services.trail.audit import SYSTEM, staff, verify_chain
from tests.factories import clinician_of, invite, make_participant, make_staff, make_study

pytestmark = pytest.mark.django_db


def test_i_am_not_ok_opens_one_item_with_an_owner_and_a_due_time() -> None:
    participant = make_participant("consented")
    now = clock.now()
    with clock.at(now):
        item = say_not_ok(participant=participant, words="I cannot do this any more")
        assert say_not_ok(participant=participant, words="I cannot do this any more") == item
        assert say_not_ok(participant=participant, words="Something else") != item
    assert (item.state, item.owner) == (ItemState.NEW, clinician_of(participant.study))
    assert item.due_at == now + timedelta(hours=24)
    assert words_of(item) == "I cannot do this any more"
    with clock.at(now + timedelta(hours=1)):
        assert say_not_ok(participant=participant, words="I cannot do this any more") != item
    assert ActionItem.objects.count() == 3


def test_the_words_are_sealed_and_no_trail_holds_them() -> None:
    item = say_not_ok(participant=make_participant("consented"), words="private words")
    assert b"private" not in bytes(item.sealed)
    assert not AuditEntry.objects.filter(new__icontains="private").exists()
    participant = item.participant
    withdraw_participant(participant=participant, scope="data", reason="", actor=SYSTEM)
    item.refresh_from_db()
    assert (words_of(item), item.state) == ("", ItemState.NEW)
    assert verify_chain(participant.study.code) == []


def test_an_item_is_seen_and_done_and_stays_done() -> None:
    item = say_not_ok(participant=make_participant("consented"))
    user = clinician_of(item.participant.study)
    acknowledge_item(item=item, user=user)
    with pytest.raises(ReasonMissing):
        finish_item(item=item, user=user, note="  ")
    done = finish_item(item=item, user=user, note="Called, feels better")
    assert (done.state, done.done_by) == (ItemState.DONE, user)
    for act in (
        lambda: acknowledge_item(item=item, user=user),
        lambda: finish_item(item=item, user=user, note="again"),
    ):
        with pytest.raises(MoveRefused):
            act()


def test_what_is_overdue_goes_to_the_investigator_and_no_time_ends_it() -> None:
    study = make_study()
    coordinator = make_staff(Role.COORDINATOR, study=study)
    item = say_not_ok(participant=make_participant("consented", study=study))
    acknowledge_item(item=item, user=coordinator)
    assert escalate_overdue() == 0
    with clock.at(clock.now() + timedelta(hours=25)):
        assert escalate_overdue() == 1
        assert escalate_overdue() == 0
    item.refresh_from_db()
    assert (item.state, item.owner) == (ItemState.ESCALATED, clinician_of(study))
    finish_item(item=item, user=coordinator, note="Called")


def test_who_is_on_call_at_the_persons_own_site_comes_first() -> None:
    study = make_study()
    site = add_site(study=study, code="N", name="North", actor=SYSTEM)
    local = make_staff(Role.COORDINATOR, study=study, site=site)
    here = invite(study, site=site).participant
    there = invite(study).participant
    assert owner_for(here) == clinician_of(study)
    membership = local.memberships.get()
    put_on_call(membership=membership, is_on_call=True, actor=staff(clinician_of(study)))
    assert owner_for(here) == local
    assert owner_for(there) == clinician_of(study)
