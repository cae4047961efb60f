"""Allocation: seal the sequence, give the next slot under lock, and the only door to an arm.

Nothing of a future slot is in clear in the database, a log, a page or a task: a stream holds a
sealed seed or a sealed list (its key lies outside the database) and the number of the next slot.
Audit entries name the slot, never the arm.
"""

import secrets

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from studies import clock
from studies.design import methods, sealing
from studies.design.errors import DesignError, ProtocolFaults
from studies.design.imported_list import StratumList, read_list
from studies.design.methods import Given
from studies.design.parts import Method
from studies.design.protocol import Protocol
from studies.design.stream import SEED_BYTES
from studies.design.windows import local_day
from studies.exceptions import (
    AllocationExhausted,
    AlreadyAllocated,
    ListRefused,
    NotReadyForAllocation,
    SequenceSealed,
    StudyNotOpen,
)
from studies.models.allocation import Allocation, AllocationStream
from studies.models.audit import AuditEntry
from studies.models.participant import Participant, ParticipantState
from studies.models.protocol import VersionState
from studies.models.study import Arm, ArmKind, Study, StudyState
from studies.services.entry.majority import agreements_missing
from studies.services.trail.audit import Actor, record
from studies.services.visits.assessment import baseline_facts
from studies.services.visits.scheduling import schedule_follow_up


@transaction.atomic
def seal_streams(*, study: Study) -> dict[str, str]:
    """Seal each concealed sequence of the study; return the commitments by their labels.

    An imported list was sealed when it was imported; its commitments are published now.
    """
    plan = study.plan
    if plan.method != Method.LIST:
        AllocationStream.objects.filter(study=study).delete()
        for label in methods.sequence_labels(plan):
            _seal(study, label, secrets.token_bytes(SEED_BYTES))
    return commitments_of(study)


@transaction.atomic
def import_list(*, study: Study, text: str, actor: Actor) -> dict[str, str]:
    """Check and seal a statistician's list for a draft study; return the commitments.

    A list imported before is replaced. Raises ListRefused with everything that is wrong.
    """
    study = Study.objects.select_for_update().get(pk=study.pk)
    plan = study.plan
    if study.state != StudyState.DRAFT or plan.method != Method.LIST:
        raise ListRefused([_("a draft study that allocates by a list is needed")])
    if study.protocol_versions.filter(state=VersionState.SUBMITTED).exists():
        raise ListRefused([_("somebody asked to open the study: the list stays as it is")])
    try:
        lists = read_list(
            text,
            arms=plan.arm_codes,
            ratios=plan.ratios,
            strata=plan.strata,
            n_at_least=max(1, plan.participants_planned),
        )
    except ProtocolFaults as error:
        raise ListRefused(error.faults) from error
    AllocationStream.objects.filter(study=study).delete()
    for label, arms in lists.items():
        slots = StratumList(label, secrets.token_bytes(SEED_BYTES), arms)
        _seal(study, label, slots.sealed_text)
    commitments = commitments_of(study)
    record(
        actor=actor,
        action="import_list",
        subject=study,
        new={"commitments": commitments, "n_slots": {k: len(v) for k, v in lists.items()}},
    )
    return commitments


def reasons_against_sequences(study: Study) -> list[str]:
    """Return why the study's sequences could not be used; a drawn one is made at the opening."""
    plan = study.plan
    if plan.method != Method.LIST:
        return []
    streams = {stream.stratum: stream for stream in AllocationStream.objects.filter(study=study)}
    if not streams:
        return [_("the randomisation list is not imported")]
    if set(streams) != set(plan.strata):
        return [_("the randomisation list has other strata than the protocol")]
    found = []
    slots = [arm for stream in streams.values() for arm in _list(stream).arms]
    if set(slots) != set(plan.arm_codes):
        found.append(_("the randomisation list has other arms than the protocol"))
    if len(slots) < plan.participants_planned:
        found.append(_("the randomisation list is shorter than the planned number of people"))
    return found


@transaction.atomic
def allocate_participant(*, participant: Participant, actor: Actor) -> None:
    """Give the participant the next free slot of their stratum, and plan the follow-up visits.

    Raises AlreadyAllocated, NotReadyForAllocation, StudyNotOpen or AllocationExhausted; none of
    them uses up a slot.
    """
    participant = Participant.objects.select_for_update().get(pk=participant.pk)
    study = participant.study
    _refuse_unless_ready(participant)
    plan = study.plan
    levels = _levels(participant)
    stream = AllocationStream.objects.select_for_update().get(
        study=study, stratum=methods.sequence_label(plan, levels)
    )
    if stream.next_slot >= stream.n_slots:
        raise AllocationExhausted(stream.stratum, stream.n_slots)
    slot = stream.next_slot
    code = methods.arm_of_slot(
        plan, stream.stratum, _secret(stream), slot, newcomer=levels, before=_given(stream, plan)
    )
    now = clock.now()
    Allocation.objects.create(
        stream=stream,
        slot=slot,
        participant=participant,
        arm=Arm.objects.get(study=study, code=code),
        levels=levels,
        allocated_at=now,
    )
    stream.next_slot = slot + 1
    stream.save(update_fields=["next_slot"])
    participant.move_to(ParticipantState.ALLOCATED, strata=levels, stratum=plan.stratum_of(levels))
    schedule_follow_up(
        participant=participant, allocated_on=local_day(now, participant.zone), actor=actor
    )
    record(
        actor=actor,
        action="allocate",
        subject=participant,
        old={"state": ParticipantState.BASELINE_DONE},
        new={"state": participant.state, "stratum": participant.stratum, "slot": slot},
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
    return _participants_with(ArmKind.MUSIC)


def skills_participants() -> QuerySet[Participant]:
    """Return everybody in the arm with lessons, for their therapists and no other pages."""
    return _participants_with(ArmKind.CBT)


def commitments_of(study: Study) -> dict[str, str]:
    """Return the published hashes of the sequences, by stratum."""
    streams = AllocationStream.objects.filter(study=study).order_by("pk")
    return dict(streams.values_list("stratum", "commitment"))


def usage_of(study: Study) -> list[tuple[str, int, int]]:
    """Return each sequence's label, how many slots are used, and how many there are."""
    streams = AllocationStream.objects.filter(study=study).order_by("pk")
    return list(streams.values_list("stratum", "next_slot", "n_slots"))


def rederive(study: Study) -> list[str]:
    """Return what does not agree between the sealed secrets, the commitments and the arms given.

    An empty list says that every allocation followed what was committed to when the study opened.
    Findings name sequence and slot, never an arm: who is blinded may read them.
    """
    plan, findings = study.plan, []
    for stream in AllocationStream.objects.filter(study=study).order_by("pk"):
        secret, label = _secret(stream), stream.stratum
        name = label or _("the study")
        if methods.commitment(plan, label, secret, stream.n_slots) != stream.commitment:
            findings.append(f"{name}: the sequence is not the one committed to")
        if stream.commitment not in _published(study):
            findings.append(f"{name}: the commitment is not the one published at the opening")
        used = list(_used(stream))
        if [allocation.slot for allocation in used] != list(range(stream.next_slot)):
            findings.append(f"{name}: slots were skipped")
        before: list[Given] = []
        for allocation in used:
            drawn = methods.arm_of_slot(
                plan, label, secret, allocation.slot, newcomer=allocation.levels, before=before
            )
            if drawn != allocation.arm.code:
                findings.append(f"{name}: slot {allocation.slot} was not given as drawn")
            before.append(Given(allocation.levels, allocation.arm.code))
    return findings


@transaction.atomic
def reveal_sequences(*, study: Study, actor: Actor) -> dict[str, object]:
    """Return what anybody needs to derive every slot again, after unblinding; it is recorded."""
    if study.state != StudyState.UNBLINDED:
        raise SequenceSealed(study.code, study.state)
    plan = study.plan
    streams = AllocationStream.objects.filter(study=study).order_by("pk")
    record(actor=actor, action="reveal_sequences", subject=study)
    return {
        "study": study.code,
        "method": str(plan.method),
        "arms": list(plan.arm_codes),
        "ratios": list(plan.ratios),
        "block_sizes": list(plan.block_sizes),
        "factors": [factor.name for factor in plan.factors],
        "distance": plan.distance,
        "chance_percent": plan.chance_percent,
        "sequences": [_revealed(stream, plan) for stream in streams],
    }


def arms_of_everybody(study: Study) -> dict[str, str]:
    """Return the arm of everybody who was allocated, by code; for reports that scramble them."""
    rows = Allocation.objects.filter(participant__study=study)
    return dict(rows.values_list("participant__code", "arm__code"))


def seal_for_allocation(content: bytes) -> bytes:
    """Return what tells arms, sealed with the allocation's key."""
    return sealing.seal(content, _secrets(), sealing.ALLOCATION)


def unseal_for_allocation(sealed: bytes) -> bytes:
    """Return what was sealed with the allocation's key."""
    return sealing.unseal(sealed, _secrets(), sealing.ALLOCATION)


def _participants_with(kind: ArmKind) -> QuerySet[Participant]:
    allocated = Allocation.objects.filter(arm__kind=kind)
    return Participant.objects.filter(pk__in=allocated.values("participant"))


def _refuse_unless_ready(participant: Participant) -> None:
    if participant.state in {ParticipantState.ALLOCATED, ParticipantState.COMPLETED}:
        raise AlreadyAllocated(participant.code)
    if participant.study.state != StudyState.OPEN:
        raise StudyNotOpen(participant.study.code, participant.study.state)
    if participant.state != ParticipantState.BASELINE_DONE:
        reason = participant.state_reason or f"baseline is not complete ({participant.state})"
        raise NotReadyForAllocation(participant.code, [reason])
    if agreements_missing(participant):
        raise NotReadyForAllocation(participant.code, ["consent to the present text is missing"])
    must_be_reached = participant.study.plan.consent.verify_contact
    if must_be_reached and participant.contact_verified_at is None:
        raise NotReadyForAllocation(participant.code, ["the contact is not verified"])


def _levels(participant: Participant) -> dict[str, str]:
    """Return every level, those that baseline tells included."""
    plan, site = participant.study.plan, participant.site.code
    levels = plan.levels_of(participant.strata, site, baseline_facts(participant))
    try:
        plan.stratum_of(levels)
    except DesignError as error:
        raise NotReadyForAllocation(participant.code, [str(error)]) from error
    return levels


def _given(stream: AllocationStream, plan: Protocol) -> list[Given]:
    if plan.method != Method.MINIMISATION:
        return []
    return [Given(allocation.levels, allocation.arm.code) for allocation in _used(stream)]


def _used(stream: AllocationStream) -> QuerySet[Allocation]:
    used = Allocation.objects.filter(stream=stream).select_related("arm")
    return used.order_by("slot")


def _published(study: Study) -> set[str]:
    opening = AuditEntry.objects.filter(chain=study.code, action="open_study").last()
    return set(opening.new["commitments"].values()) if opening else set()


def _revealed(stream: AllocationStream, plan: Protocol) -> dict[str, object]:
    found = {
        "label": stream.stratum,
        "n_slots": stream.n_slots,
        "n_used": stream.next_slot,
        "commitment": stream.commitment,
    }
    if plan.method == Method.LIST:
        slots = _list(stream)
        return {**found, "seed": slots.seed.hex(), "arms": list(slots.arms)}
    return {**found, "seed": _secret(stream).hex()}


def _seal(study: Study, label: str, secret: bytes) -> None:
    plan = study.plan
    slots = methods.n_slots(plan, label, secret)
    AllocationStream.objects.create(
        study=study,
        stratum=label,
        sealed_seed=sealing.seal(secret, _secrets(), sealing.ALLOCATION),
        commitment=methods.commitment(plan, label, secret, slots),
        n_slots=slots,
    )


def _list(stream: AllocationStream) -> StratumList:
    return StratumList.from_sealed_text(stream.stratum, _secret(stream))


def _secret(stream: AllocationStream) -> bytes:
    return sealing.unseal(stream.sealed_seed, _secrets(), sealing.ALLOCATION)


def _secrets() -> list[str]:
    return settings.NOCTURNE_ALLOCATION_KEY.split(",")
