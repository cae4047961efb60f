import threading
from collections import Counter, defaultdict
from dataclasses import replace

import pytest
from django.db import connection

from studies.design.protocol import four_arms
from studies.design.randomisation import sequence
from studies.exceptions import (
    AllocationExhausted,
    AlreadyAllocated,
    NotReadyForAllocation,
    StudyNotOpen,
)
from studies.models.allocation import Allocation, AllocationStream
from studies.models.audit import AuditEntry
from studies.models.participant import Participant, ParticipantState
from studies.models.study import Study
from studies.models.visit import Visit
from studies.services.allocation import (
    _secret,
    allocate_participant,
    arm_kind_of,
    arm_of,
    commitments_of,
    music_participants,
    rederive,
)
from studies.services.protocol.setup import close_study
from studies.services.trail.audit import Actor, staff, verify_chain
from tests.factories import clinician_of, make_participant, make_study

N_AT_ONCE = 20


def _clinician(study: Study) -> Actor:
    return staff(clinician_of(study))


@pytest.mark.django_db
def test_slots_are_given_in_order_and_as_drawn() -> None:
    study = make_study()
    people = [make_participant("allocated", study=study) for _ in range(8)]
    stream = AllocationStream.objects.get(study=study, stratum="sex=female")
    drawn = sequence(_secret(stream), stream.stratum, study.plan.blocks, 8)
    assert [arm_of(person).code for person in people] == [slot.arm for slot in drawn[:8]]
    assert stream.next_slot == 8
    assert rederive(study) == []


@pytest.mark.django_db
def test_an_allocation_plans_the_follow_up_visits() -> None:
    participant = make_participant("allocated")
    weeks = Visit.objects.filter(participant=participant).values_list("week", flat=True)
    assert list(weeks) == [0, 4, 8]
    assert participant.state == ParticipantState.ALLOCATED
    assert arm_kind_of(participant) in {"cbt", "music"}


@pytest.mark.django_db
def test_pressing_twice_uses_one_slot() -> None:
    participant = make_participant("allocated")
    arm = arm_of(participant)
    with pytest.raises(AlreadyAllocated, match="Nothing was changed"):
        allocate_participant(participant=participant, actor=_clinician(participant.study))
    assert arm_of(participant) == arm
    assert AllocationStream.objects.get(stratum="sex=female").next_slot == 1


@pytest.mark.django_db
@pytest.mark.parametrize("at", ["invited", "consented"])
def test_nobody_is_allocated_before_baseline_is_complete(at: str) -> None:
    participant = make_participant(at)
    with pytest.raises(NotReadyForAllocation, match="baseline is not complete") as refusal:
        allocate_participant(participant=participant, actor=_clinician(participant.study))
    assert len(refusal.value.reasons) == 1
    assert (arm_of(participant), arm_kind_of(participant)) == (None, None)
    assert not Allocation.objects.exists()


@pytest.mark.django_db
def test_nobody_is_allocated_after_the_study_closed() -> None:
    participant = make_participant("baseline_done")
    close_study(study=participant.study, actor=_clinician(participant.study))
    with pytest.raises(StudyNotOpen, match="closed"):
        allocate_participant(participant=participant, actor=_clinician(participant.study))


@pytest.mark.django_db
def test_an_exhausted_sequence_is_refused_and_the_participant_can_wait() -> None:
    study = make_study(protocol=replace(four_arms(), slots_per_stratum=1))
    stream = AllocationStream.objects.get(study=study, stratum="sex=female")
    AllocationStream.objects.filter(pk=stream.pk).update(next_slot=stream.n_slots)
    participant = make_participant("baseline_done", study=study)
    with pytest.raises(AllocationExhausted, match=f"{stream.n_slots} of {stream.n_slots} used"):
        allocate_participant(participant=participant, actor=_clinician(study))
    participant.refresh_from_db()
    assert participant.state == ParticipantState.BASELINE_DONE
    other = make_participant("allocated", study=study, sex="male")
    assert arm_of(other) is not None


@pytest.mark.django_db
def test_nothing_in_the_database_tells_a_future_slot() -> None:
    study = make_study()
    stream = AllocationStream.objects.filter(study=study).first()
    seed = _secret(stream)
    assert seed not in bytes(stream.sealed_seed)
    assert not Allocation.objects.exists()
    assert set(commitments_of(study)) == set(study.plan.strata)


@pytest.mark.django_db
def test_the_trail_of_an_allocation_names_the_slot_and_never_the_arm() -> None:
    participant = make_participant("allocated")
    entry = AuditEntry.objects.get(action="allocate")
    assert entry.new == {"state": "allocated", "stratum": "sex=female", "slot": 0}
    assert arm_of(participant).code not in str([entry.old, entry.new, entry.reason])


@pytest.mark.django_db
def test_an_arm_that_was_changed_by_hand_is_found() -> None:
    study = make_study()
    people = [make_participant("allocated", study=study) for _ in range(2)]
    allocation = Allocation.objects.get(participant=people[1])
    other = study.arms.exclude(pk=allocation.arm_id).first()
    Allocation.objects.filter(pk=allocation.pk).update(arm=other)
    assert rederive(study) == ["sex=female: slot 1 was not given as drawn"]
    Allocation.objects.filter(participant=people[0]).delete()
    assert "sex=female: slots were skipped" in rederive(study)


@pytest.mark.django_db
def test_those_who_prepare_the_evenings_learn_who_gets_music_and_no_more() -> None:
    study = make_study()
    people = [make_participant("allocated", study=study) for _ in range(8)]
    music = {person for person in people if arm_kind_of(person) == "music"}
    assert set(music_participants()) == music


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_get_twenty_slots_none_skipped_and_whole_blocks() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("row locks are tested on PostgreSQL; SQLite has one writer")
    study = make_study(protocol=replace(four_arms(), block_sizes=(4, 8)))
    people = [make_participant("baseline_done", study=study) for _ in range(N_AT_ONCE)]
    actor, start = _clinician(study), threading.Barrier(2 * N_AT_ONCE)
    refusals: list[Exception] = []

    def allocate(participant: Participant) -> None:
        start.wait()
        try:
            allocate_participant(participant=participant, actor=actor)
        except AlreadyAllocated as refusal:
            refusals.append(refusal)
        finally:
            connection.close()

    # Everybody twice: a double click for each of the twenty, all at the same moment.
    threads = [threading.Thread(target=allocate, args=[person]) for person in people * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(refusals) == N_AT_ONCE
    given = list(Allocation.objects.order_by("slot").values_list("slot", "arm__code"))
    assert [slot for slot, _arm in given] == list(range(N_AT_ONCE))
    assert rederive(study) == []
    stream = AllocationStream.objects.get(study=study, stratum="sex=female")
    drawn = sequence(_secret(stream), stream.stratum, study.plan.blocks, N_AT_ONCE)
    size = Counter(slot.block for slot in drawn)
    given_in = defaultdict(Counter[str])
    for slot, (_number, arm) in zip(drawn, given, strict=False):
        given_in[slot.block][arm] += 1
    # No arm over its share of a block: so a whole block is even, and one begun can still become so.
    assert all(max(arms.values()) <= size[block] // 4 for block, arms in given_in.items())
    assert verify_chain(study.code) == []
