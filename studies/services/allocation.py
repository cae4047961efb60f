"""Allocation: seal the sequence, give the next slot under lock, and the only door to an arm.

Nothing of a future slot is in the database, a log, a page or a task: a stream holds a sealed seed
(its key lies outside the database) and the number of the next slot. Audit entries name the slot,
never the arm.
"""

import secrets

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from studies import clock
from studies.design import randomisation, sealing
from studies.design.windows import local_day
from studies.exceptions import (
    AllocationExhausted,
    AlreadyAllocated,
    NotReadyForAllocation,
    StudyNotOpen,
)
from studies.models.allocation import Allocation, AllocationStream
from studies.models.participant import Participant, ParticipantState
from studies.models.study import Arm, ArmKind, Study, StudyState
from studies.services.audit import Actor, record
from studies.services.scheduling import schedule_follow_up


@transaction.atomic
def seal_streams(*, study: Study) -> dict[str, str]:
    """Make one concealed sequence a stratum; return the commitments by stratum."""
    plan = study.plan
    commitments = {}
    for stratum in plan.strata:
        seed = secrets.token_bytes(randomisation.SEED_BYTES)
        slots = randomisation.sequence(seed, stratum, plan.blocks, plan.slots_per_stratum)
        commitments[stratum] = randomisation.commitment(seed, stratum, plan.blocks, len(slots))
        AllocationStream.objects.create(
            study=study,
            stratum=stratum,
            sealed_seed=sealing.seal(seed, _secrets(), sealing.ALLOCATION),
            commitment=commitments[stratum],
            n_slots=len(slots),
        )
    return commitments


@transaction.atomic
def allocate_participant(*, participant: Participant, actor: Actor) -> None:
    """Give the participant the next free slot of their stratum, and plan the follow-up visits.

    Raises AlreadyAllocated, NotReadyForAllocation, StudyNotOpen or AllocationExhausted; none of
    them uses up a slot.
    """
    participant = Participant.objects.select_for_update().get(pk=participant.pk)
    study = participant.study
    _refuse_unless_ready(participant)
    stream = AllocationStream.objects.select_for_update().get(
        study=study, stratum=participant.stratum
    )
    if stream.next_slot >= stream.n_slots:
        raise AllocationExhausted(stream.stratum, stream.n_slots)
    slot = stream.next_slot
    code = randomisation.arm_at(_seed(stream), stream.stratum, study.plan.blocks, slot)
    now = clock.now()
    Allocation.objects.create(
        stream=stream,
        slot=slot,
        participant=participant,
        arm=Arm.objects.get(study=study, code=code),
        allocated_at=now,
    )
    stream.next_slot = slot + 1
    stream.save(update_fields=["next_slot"])
    participant.move_to(ParticipantState.ALLOCATED)
    schedule_follow_up(
        participant=participant, allocated_on=local_day(now, participant.zone), actor=actor
    )
    record(
        actor=actor,
        action="allocate",
        subject=participant,
        old={"state": ParticipantState.BASELINE_DONE},
        new={"state": participant.state, "stratum": stream.stratum, "slot": slot},
    )


def arm_of(participant: Participant) -> Arm | None:
    """Return the participant's arm; pages of blinded staff never ask."""
    allocation = (
        Allocation.objects.select_related("arm").filter(participant_id=participant.pk).first()
    )
    return allocation.arm if allocation else None


def arm_kind_of(participant: Participant) -> str | None:
    """Return ``cbt`` or ``music``: what a participant's own pages need to know, and no more."""
    arm = arm_of(participant)
    return arm.kind if arm else None


def music_participants() -> QuerySet[Participant]:
    """Return everybody in a music arm, for those who prepare the evenings; not which arm."""
    allocated = Allocation.objects.filter(arm__kind=ArmKind.MUSIC)
    return Participant.objects.filter(pk__in=allocated.values("participant"))


def commitments_of(study: Study) -> dict[str, str]:
    """Return the published hashes of the sequences, by stratum."""
    streams = AllocationStream.objects.filter(study=study).order_by("pk")
    return dict(streams.values_list("stratum", "commitment"))


def rederive(study: Study) -> list[str]:
    """Return what does not agree between the sealed seeds, the commitments and the arms given.

    For the auditor, after unblinding: an empty list says that every allocation followed the
    sequence that was committed to when the study opened.
    """
    blocks, findings = study.plan.blocks, []
    for stream in AllocationStream.objects.filter(study=study).order_by("pk"):
        seed, stratum = _seed(stream), stream.stratum
        if randomisation.commitment(seed, stratum, blocks, stream.n_slots) != stream.commitment:
            findings.append(f"{stratum}: the sequence is not the one committed to")
        slots = randomisation.sequence(seed, stratum, blocks, stream.n_slots)
        used = Allocation.objects.filter(stream=stream).order_by("slot")
        given = dict(used.values_list("slot", "arm__code"))
        if list(given) != list(range(stream.next_slot)):
            findings.append(f"{stratum}: slots were skipped")
        findings += [
            f"{stratum}: slot {slot} was not given as drawn"
            for slot, arm in given.items()
            if slots[slot].arm != arm
        ]
    return findings


def _refuse_unless_ready(participant: Participant) -> None:
    if participant.state in {ParticipantState.ALLOCATED, ParticipantState.COMPLETED}:
        raise AlreadyAllocated(participant.code)
    if participant.study.state != StudyState.OPEN:
        raise StudyNotOpen(participant.study.code, participant.study.state)
    if participant.state != ParticipantState.BASELINE_DONE:
        reason = participant.state_reason or f"baseline is not complete ({participant.state})"
        raise NotReadyForAllocation(participant.code, [reason])


def _seed(stream: AllocationStream) -> bytes:
    return sealing.unseal(stream.sealed_seed, _secrets(), sealing.ALLOCATION)


def _secrets() -> list[str]:
    return settings.NOCTURNE_ALLOCATION_KEY.split(",")
