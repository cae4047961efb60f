"""Versions of a study's protocol: edit a draft, submit it, bring an amendment into force.

A draft study has its protocol from the draft version. After the opening the version in force is
the study's protocol; an amendment is a new draft, submitted with a reason, and comes into force
when somebody says on which day it was approved: somebody else than who submitted it, where opening
takes two people.
"""

from collections.abc import Mapping
from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from studies import clock
from studies.design.amendments import differences, refusals
from studies.design.errors import DesignError, ProtocolFaults
from studies.design.protocol import Protocol
from studies.exceptions import AmendmentRefused, ProtocolRefused, ReasonMissing
from studies.models.protocol import ProtocolVersion, VersionState
from studies.models.study import Arm, Study, StudyState
from studies.services.entry.consent import (
    parts_of,
    publish_amended_texts,
    publish_consent_text,
)
from studies.services.protocol.two_people import missing_person, takes_two
from studies.services.trail.audit import Actor, record

IN_HAND = (VersionState.DRAFT, VersionState.SUBMITTED)


@transaction.atomic
def save_draft(*, study: Study, protocol: Protocol, actor: Actor) -> ProtocolVersion:
    """Keep the protocol as the study's draft; begins an amendment where a version is in force.

    Raises AmendmentRefused while a submitted version waits to be brought into force.
    """
    study = Study.objects.select_for_update().get(pk=study.pk)
    _refuse_ended(study)
    draft = version_in_hand(study)
    if draft is not None and draft.state != VersionState.DRAFT:
        raise AmendmentRefused([_("the version that was submitted comes into force first")])
    before = draft.sha256 if draft else ""
    if draft is None:
        number = study.protocol_versions.count() + 1
        draft = ProtocolVersion(study=study, number=number, created_at=clock.now())
    draft.content, draft.sha256 = protocol.to_json(), protocol.sha256
    draft.created_by = actor.name
    draft.save()
    if study.state == StudyState.DRAFT:
        _follow(study, protocol, actor)
    if draft.sha256 != before:
        record(
            actor=actor,
            action="draft_protocol",
            subject=draft,
            old={"sha256": before} if before else None,
            new={"number": draft.number, "sha256": draft.sha256},
        )
    return draft


@transaction.atomic
def submit_version(*, study: Study, actor: Actor, reason: str = "") -> ProtocolVersion:
    """Freeze the draft; an amendment says why, and changes only what may be amended.

    Raises ReasonMissing or AmendmentRefused.
    """
    study = Study.objects.select_for_update().get(pk=study.pk)
    _refuse_ended(study)
    draft = version_in_hand(study)
    if draft is None or draft.state != VersionState.DRAFT:
        raise AmendmentRefused([_("there is no draft")])
    if study.state != StudyState.DRAFT:
        _refuse_amendment(study, draft, reason)
    draft.reason, draft.submitted_by = reason, actor.user
    draft.save(update_fields=["reason", "submitted_by"])
    draft.move_to(VersionState.SUBMITTED, submitted_at=clock.now())
    record(
        actor=actor,
        action="submit_protocol",
        subject=draft,
        old={"state": VersionState.DRAFT},
        new={"state": draft.state, "number": draft.number, "sha256": draft.sha256},
        reason=reason,
    )
    return draft


@transaction.atomic
def activate_version(
    *, study: Study, actor: Actor, approved_on: date | None = None, number: int | None = None
) -> ProtocolVersion:
    """Bring the submitted version into force now; the one before is superseded.

    With a number, that version and no other: what somebody has read is what they confirm. Raises
    AmendmentRefused, of an amendment also while the second of two people is missing.
    """
    study = Study.objects.select_for_update().get(pk=study.pk)
    _refuse_ended(study)
    submitted = waiting_version(study)
    if submitted is None or number not in {None, submitted.number}:
        raise AmendmentRefused([_("no version was submitted")])
    if study.state == StudyState.OPEN and (reasons := missing_person(study, submitted, actor)):
        raise AmendmentRefused(reasons)
    if approved_on is not None and approved_on > clock.today(study.zone):
        raise AmendmentRefused([_("the day of the approval is still to come")])
    now, before = clock.now(), study.plan
    for old in study.protocol_versions.filter(state=VersionState.ACTIVE):
        old.move_to(VersionState.SUPERSEDED)
    submitted.move_to(VersionState.ACTIVE, active_at=now, approved_on=approved_on)
    study.protocol, study.protocol_sha256 = submitted.content, submitted.sha256
    study.save(update_fields=["protocol", "protocol_sha256"])
    record(
        actor=actor,
        action="activate_protocol",
        subject=submitted,
        old={"state": VersionState.SUBMITTED},
        new={
            "state": submitted.state,
            "number": submitted.number,
            "sha256": submitted.sha256,
            "approved_on": approved_on,
        },
        reason=submitted.reason,
    )
    is_amendment = study.state == StudyState.OPEN
    if is_amendment and any(c.part == "texts" for c in differences(before, study.plan)):
        publish_amended_texts(study=study, wordings=study.plan.texts, actor=actor)
    return submitted


@transaction.atomic
def drop_version(*, study: Study, actor: Actor, reason: str) -> None:
    """Give a submitted version up; it stays on record and never comes into force.

    A study that was to be opened with it goes on from the same draft.
    """
    if not reason.strip():
        raise ReasonMissing("giving up an amendment")
    study = Study.objects.select_for_update().get(pk=study.pk)
    submitted = waiting_version(study)
    if submitted is None:
        raise AmendmentRefused([_("no version was submitted")])
    submitted.move_to(VersionState.SUPERSEDED)
    record(
        actor=actor,
        action="drop_protocol",
        subject=submitted,
        old={"state": VersionState.SUBMITTED},
        new={"state": submitted.state, "number": submitted.number},
        reason=reason,
    )
    if study.state == StudyState.DRAFT:
        save_draft(study=study, protocol=submitted.plan, actor=actor)


def version_in_hand(study: Study) -> ProtocolVersion | None:
    """Return the version that is being drafted or waits to come into force."""
    return study.protocol_versions.filter(state__in=IN_HAND).first()


def waiting_version(study: Study) -> ProtocolVersion | None:
    """Return the version that was submitted and waits to come into force."""
    return study.protocol_versions.filter(state=VersionState.SUBMITTED).first()


def version_to_confirm(study: Study) -> ProtocolVersion | None:
    """Return the amendment of an open study for which a second person is awaited."""
    is_awaited = study.state == StudyState.OPEN and takes_two(study)
    return waiting_version(study) if is_awaited else None


def read_protocol(plain: Protocol | Mapping[str, object]) -> Protocol:
    """Return a protocol from its parts; raises ProtocolRefused with everything that is wrong."""
    try:
        return plain if isinstance(plain, Protocol) else Protocol.from_json(plain)
    except ProtocolFaults as error:
        raise ProtocolRefused(str(error), error.faults) from error
    except DesignError as error:
        raise ProtocolRefused(str(error), [str(error)]) from error


def _follow(study: Study, protocol: Protocol, actor: Actor) -> None:
    """Let a draft study have this protocol: its arms, and the texts that changed."""
    Arm.objects.filter(study=study).delete()
    Arm.objects.bulk_create(
        Arm(
            study=study,
            code=arm.code,
            kind=arm.kind,
            composer=arm.composer,
            ratio=arm.ratio,
            position=position,
        )
        for position, arm in enumerate(protocol.arms)
    )
    study.protocol = protocol.to_json()
    study.save(update_fields=["protocol"])
    for wording in protocol.texts:
        pages, questions = parts_of(wording)
        texts = study.consent_texts.filter(language=wording.language)
        latest = texts.order_by("version").last()
        if latest is None or (latest.pages, latest.questions) != (pages, questions):
            publish_consent_text(
                study=study,
                language=wording.language,
                pages=pages,
                questions=questions,
                actor=actor,
            )


def _refuse_ended(study: Study) -> None:
    if study.state not in {StudyState.DRAFT, StudyState.OPEN}:
        raise AmendmentRefused([_("the study has ended")])


def _refuse_amendment(study: Study, draft: ProtocolVersion, reason: str) -> None:
    if not reason.strip():
        raise ReasonMissing("an amendment")
    found = refusals(study.plan, draft.plan)
    before, after = ({text.language for text in p.texts} for p in (study.plan, draft.plan))
    if before - after:
        found.append(_("consent texts may change, but not disappear"))
    if study.plan.sha256 == draft.sha256:
        found.append(_("nothing differs from the version in force"))
    if found:
        raise AmendmentRefused(found)
