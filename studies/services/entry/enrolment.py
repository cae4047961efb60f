"""Invite a participant: a code without meaning, the contact under seal, a private link."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.db import transaction

from studies import clock
from studies.design import pseudonyms
from studies.design.errors import DesignError
from studies.design.parts import AGE
from studies.exceptions import (
    LanguageUnknown,
    NotEligible,
    ProtocolRefused,
    ReasonMissing,
    SiteUnknown,
    StudyNotOpen,
)
from studies.models.access import Holder
from studies.models.participant import Participant, Screening
from studies.models.study import Site, Study, StudyState
from studies.services.entry.access import issue_link, revoke_links
from studies.services.entry.approvals import require_approval
from studies.services.entry.identity import identity_of, keep_identity
from studies.services.entry.majority import BORN_ON
from studies.services.entry.screening import screen
from studies.services.trail.audit import Actor, record


@dataclass(frozen=True, slots=True)
class Invitation:
    """A new participant, and the token of the link that is shown once and kept nowhere."""

    participant: Participant
    url_token: str


def invite_participant(
    *,
    study: Study,
    name: str,
    contact: str,
    language: str,
    strata: Mapping[str, str],
    age_years: int,
    actor: Actor,
    site: Site | None = None,
    born_on: date | None = None,
) -> Invitation:
    """Enrol somebody under a code at a site, the first unless told; the contact goes under seal.

    A birthday, where it is stated, lies with the contact: a minor is asked again when of age. Each
    attempt is on record with its verdict, also one that is refused.

    Raises StudyNotOpen, SiteUnknown, SiteNotApproved, LanguageUnknown, NotEligible or
    ProtocolRefused.
    """
    if study.state != StudyState.OPEN:
        raise StudyNotOpen(study.code, study.state)
    site = site or study.sites.order_by("position").first()
    if site.study_id != study.pk:
        raise SiteUnknown(study.code, site)
    require_approval(site)
    levels = _levels(study, site, strata, age_years)
    _refuse_unspoken(language)
    with transaction.atomic():
        screening = screen(
            study=study, site=site, contact=contact, age_years=age_years, actor=actor
        )
    # Raised outside the transaction: a refusal stays on record.
    if not screening.is_eligible:
        raise NotEligible(screening.reasons)
    with transaction.atomic():
        return _invite(screening, name, contact, language, levels, born_on, actor)


def _invite(
    screening: Screening,
    name: str,
    contact: str,
    language: str,
    levels: dict[str, str],
    born_on: date | None,
    actor: Actor,
) -> Invitation:
    study, site, now = screening.study, screening.site, clock.now()
    participant = Participant.objects.create(
        study=study,
        site=site,
        code=_fresh_code(),
        stratum=_stratum(study, levels),
        strata=levels,
        age_years=screening.age_years,
        language=language,
        zone=study.zone,
        enrolled_at=now,
    )
    known = {"name": name, "contact": contact}
    if born_on is not None:
        known[BORN_ON] = born_on.isoformat()
    keep_identity(participant=participant, fields=known)
    screening.participant = participant
    screening.save(update_fields=["participant"])
    record(
        actor=actor,
        action="invite_participant",
        subject=participant,
        new={
            "code": participant.code,
            "site": site.code,
            "state": participant.state,
            "stratum": participant.stratum,
            "age_years": screening.age_years,
            "language": language,
            "zone": participant.zone,
        },
    )
    return Invitation(participant, issue_link(participant=participant, actor=actor))


@transaction.atomic
def reissue_link(*, participant: Participant, actor: Actor) -> str:
    """Return a fresh token; the old link and its PIN are dead from now on."""
    return issue_link(participant=participant, actor=actor)


@transaction.atomic
def revoke_link(*, participant: Participant, actor: Actor, reason: str = "") -> None:
    """Close the participant's link on every device; a guardian's stays open."""
    own = [Holder.PARTICIPANT]
    revoke_links(participant=participant, actor=actor, reason=reason, holders=own)


@transaction.atomic
def reveal_contact(*, participant: Participant, actor: Actor, reason: str) -> dict[str, str]:
    """Return name and contact; every look is recorded with its reason."""
    if not reason.strip():
        raise ReasonMissing("reading a contact")
    known = identity_of(participant)
    record(actor=actor, action="reveal_contact", subject=participant, reason=reason)
    return known


def _levels(study: Study, site: Site, strata: Mapping[str, str], age_years: int) -> dict[str, str]:
    """Return the level of every factor that is known now; baseline tells the rest."""
    plan = study.plan
    try:
        stated = plan.stated_levels(strata)
        return plan.levels_of(stated, site.code, {AGE: age_years})
    except DesignError as error:
        raise ProtocolRefused(str(error)) from error


def _stratum(study: Study, levels: Mapping[str, str]) -> str:
    """Return the stratum, or nothing while baseline has still to tell a level."""
    plan = study.plan
    is_known = all(factor.name in levels for factor in plan.factors)
    return plan.stratum_of(levels) if is_known else ""


def _refuse_unspoken(language: str) -> None:
    known = [code for code, _name in settings.LANGUAGES]
    if language not in known:
        raise LanguageUnknown(language, known)


def _fresh_code() -> str:
    random = secrets.SystemRandom()
    code = pseudonyms.new_code(random)
    while Participant.objects.filter(code=code).exists():
        code = pseudonyms.new_code(random)
    return code
