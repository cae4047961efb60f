"""Set a study up, open it, close it, unblind it."""

from collections.abc import Mapping

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from questionnaires.selectors import functional_instruments
from studies import clock
from studies.design.errors import DesignError
from studies.design.protocol import Protocol, four_arms
from studies.exceptions import ProtocolRefused, ReasonMissing, StudyNotReady
from studies.models.study import Arm, Study, StudyState
from studies.models.visit import Assessment
from studies.services.allocation import seal_streams
from studies.services.audit import Actor, record
from studies.services.consent import missing_consent_languages, publish_template_texts
from studies.services.members import add_site, appoint_founder
from studies.services.scheduling import UNDONE, cancel_undone

FIRST_SITE = "MAIN"


@transaction.atomic
def create_study(
    *,
    code: str,
    title: str,
    zone: str,
    actor: Actor,
    night_minutes: int = 30,
    protocol: Protocol | Mapping[str, object] | None = None,
    is_synthetic: bool = False,
) -> Study:
    """Draft a study from the template, or from a protocol; the actor becomes its investigator.

    `night_minutes` goes into the template; a protocol of one's own brings its own. The study begins
    with one site.
    """
    plan = _plan(protocol, night_minutes)
    study = Study.objects.create(
        code=code,
        title=title,
        zone=zone,
        protocol=plan.to_json(),
        is_synthetic=is_synthetic,
        created_at=clock.now(),
    )
    Arm.objects.bulk_create(
        Arm(
            study=study,
            code=arm.code,
            kind=arm.kind,
            composer=arm.composer,
            ratio=arm.ratio,
            position=position,
        )
        for position, arm in enumerate(plan.arms)
    )
    add_site(study=study, code=FIRST_SITE, name=title, actor=actor)
    if actor.user is not None:
        appoint_founder(study=study, actor=actor)
    publish_template_texts(study=study, actor=actor)
    record(
        actor=actor,
        action="create_study",
        subject=study,
        new={"code": code, "title": title, "zone": zone, "protocol_sha256": plan.sha256},
    )
    return study


@transaction.atomic
def open_study(*, study: Study, actor: Actor) -> Study:
    """Freeze the protocol, seal the allocation sequence, and begin to recruit."""
    study = Study.objects.select_for_update().get(pk=study.pk)
    if reasons := reasons_not_to_open(study):
        raise StudyNotReady(study.code, reasons)
    sha256 = study.plan.sha256
    study.move_to(StudyState.OPEN, opened_at=clock.now(), protocol_sha256=sha256)
    commitments = seal_streams(study=study)
    record(
        actor=actor,
        action="open_study",
        subject=study,
        old={"state": StudyState.DRAFT},
        new={"state": study.state, "protocol_sha256": sha256, "commitments": commitments},
    )
    return study


def reasons_not_to_open(study: Study) -> list[str]:
    """Return everything that stands in the way of opening; empty when it may open."""
    reasons = []
    if study.state != StudyState.DRAFT:
        reasons.append(_("it is not a draft any more"))
    try:
        plan = study.plan
    except DesignError as error:
        return [*reasons, str(error)]
    if without := missing_consent_languages(study):
        reasons.append(_("there is no consent text in %(codes)s") % {"codes": ", ".join(without)})
    if settings.NOCTURNE_MODE == "real" and not study.is_synthetic:
        reasons += _unlicensed(plan)
    return reasons


@transaction.atomic
def close_study(*, study: Study, actor: Actor, reason: str = "") -> Study:
    """End data collection for good; what is still to come is cancelled, for a stated reason."""
    study = Study.objects.select_for_update().get(pk=study.pk)
    undone = Assessment.objects.filter(visit__participant__study=study, state__in=UNDONE)
    if (n_undone := undone.count()) and not reason:
        raise StudyNotReady(
            study.code,
            [f"{n_undone} assessments are still to come; state a reason to close it all the same"],
        )
    for participant in study.participants.filter(visits__assessments__in=undone).distinct():
        cancel_undone(participant=participant, actor=actor, reason=reason)
    study.move_to(StudyState.CLOSED, closed_at=clock.now())
    record(
        actor=actor,
        action="close_study",
        subject=study,
        old={"state": StudyState.OPEN},
        new={"state": study.state, "n_cancelled": n_undone},
        reason=reason,
    )
    return study


@transaction.atomic
def unblind_study(*, study: Study, actor: Actor, reason: str) -> Study:
    """Let results be read by arm; only a closed study, only with a reason, only once."""
    if not reason.strip():
        raise ReasonMissing("unblinding")
    study = Study.objects.select_for_update().get(pk=study.pk)
    study.move_to(StudyState.UNBLINDED, unblinded_at=clock.now())
    record(
        actor=actor,
        action="unblind_study",
        subject=study,
        old={"state": StudyState.CLOSED},
        new={"state": study.state},
        reason=reason,
    )
    return study


def _plan(protocol: Protocol | Mapping[str, object] | None, night_minutes: int) -> Protocol:
    try:
        if protocol is None:
            return four_arms(night_minutes)
        return protocol if isinstance(protocol, Protocol) else Protocol.from_json(protocol)
    except DesignError as error:
        raise ProtocolRefused(str(error)) from error


def _unlicensed(plan: Protocol) -> list[str]:
    planned = {instrument for visit in plan.visits for instrument in visit.instruments}
    return [
        _("%(instrument)s still has our working labels in %(language)s, not the licensed text")
        % {"instrument": instrument.upper(), "language": name}
        for language, name in settings.LANGUAGES
        for instrument in sorted(planned & set(functional_instruments(language)))
    ]
