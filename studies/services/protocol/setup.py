"""Set a study up, open it, close it, unblind it."""

from collections.abc import Mapping

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from questionnaires.selectors import functional_instruments, wording_of
from studies import clock
from studies.design.dry_run import Finding
from studies.design.errors import DesignError
from studies.design.protocol import Protocol, four_arms
from studies.design.screening import CPSS
from studies.exceptions import (
    EngineMissing,
    ReasonMissing,
    RendererUnreadable,
    StudyNotReady,
    UnlockAsked,
)
from studies.models.lock import LockLevel, LockState
from studies.models.protocol import ProtocolVersion
from studies.models.study import Study, StudyState
from studies.models.visit import Assessment
from studies.services.allocation import reasons_against_sequences, seal_streams
from studies.services.cbt.course import pin_course
from studies.services.entry.consent import missing_consent_languages, publish_template_texts
from studies.services.music.renderer import chosen_pin, pin_renderer
from studies.services.planning.plans import lock_before_unblinding
from studies.services.protocol.members import add_site, appoint_founder, may_be_on_call
from studies.services.protocol.rehearsal import in_words, rehearse
from studies.services.protocol.two_people import missing_person, takes_two
from studies.services.protocol.versions import (
    activate_version,
    read_protocol,
    save_draft,
    submit_version,
    waiting_version,
)
from studies.services.trail.audit import Actor, record
from studies.services.visits.scheduling import UNDONE, cancel_undone

FIRST_SITE = "MAIN"
# What stands in the way, a dozen people meet as well as many.
FEW_WALKERS = 12


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
    with one site. In a demonstration everybody is synthetic.
    """
    plan = four_arms(night_minutes) if protocol is None else read_protocol(protocol)
    study = Study.objects.create(
        code=code,
        title=title,
        zone=zone,
        protocol=plan.to_json(),
        is_synthetic=is_synthetic or settings.NOCTURNE_MODE == "demo",
        created_at=clock.now(),
    )
    add_site(study=study, code=FIRST_SITE, name=title, actor=actor)
    if actor.user is not None:
        appoint_founder(study=study, actor=actor)
    if not plan.texts:
        publish_template_texts(study=study, actor=actor)
    save_draft(study=study, protocol=plan, actor=actor)
    record(
        actor=actor,
        action="create_study",
        subject=study,
        new={"code": code, "title": title, "zone": zone, "protocol_sha256": plan.sha256},
    )
    study.refresh_from_db()
    return study


@transaction.atomic
def ask_to_open(*, study: Study, actor: Actor) -> Study:
    """Freeze the protocol as the first of two people; a second one opens the study, or nobody."""
    study = Study.objects.select_for_update().get(pk=study.pk)
    if reasons := reasons_not_to_open(study):
        raise StudyNotReady(study.code, reasons)
    if waits_to_open(study) is None:
        submit_version(study=study, actor=actor)
    return study


def needs_second_person(study: Study) -> bool:
    """Return whether opening takes two: where the protocol says so, of a study of real people."""
    return study.state == StudyState.DRAFT and takes_two(study)


def waits_to_open(study: Study) -> ProtocolVersion | None:
    """Return the version that somebody asked to open with, while a second person is awaited."""
    return waiting_version(study) if study.state == StudyState.DRAFT else None


@transaction.atomic
def open_study(*, study: Study, actor: Actor) -> Study:
    """Freeze the protocol, seal the allocation sequence, and begin to recruit.

    Raises StudyNotReady with every reason; where it takes two people, until a second one opens it.
    """
    study = Study.objects.select_for_update().get(pk=study.pk)
    asked, reasons = waits_to_open(study), reasons_not_to_open(study)
    if study.state == StudyState.DRAFT:
        reasons += missing_person(study, asked, actor)
    if reasons:
        raise StudyNotReady(study.code, reasons)
    if asked is None:
        submit_version(study=study, actor=actor)
    sha256 = activate_version(study=study, actor=actor).sha256
    study.refresh_from_db()
    study.move_to(StudyState.OPEN, opened_at=clock.now())
    commitments = seal_streams(study=study)
    pin_course(study=study, actor=actor)
    pin_renderer(study=study, actor=actor)
    record(
        actor=actor,
        action="open_study",
        subject=study,
        old={"state": StudyState.DRAFT},
        new={
            "state": study.state,
            "protocol_sha256": sha256,
            "commitments": commitments,
            "wordings": _words_in_force(study.plan),
        },
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
    if not may_be_on_call(study).filter(is_on_call=True).exists():
        reasons.append(_("nobody is on call"))
    reasons += [
        in_words(finding)
        for finding in rehearse(study, n_walkers=FEW_WALKERS).problems
        if _counts(finding, plan)
    ]
    reasons += reasons_against_sequences(study)
    reasons += _unreadable_renderer()
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
    """Let results be read by arm; only a locked database, only with a reason, only once.

    Raises UnlockAsked while somebody wants the database opened again: afterwards nobody can.
    """
    if not reason.strip():
        raise ReasonMissing("unblinding")
    study = Study.objects.select_for_update().get(pk=study.pk)
    if study.locks.filter(level=LockLevel.STUDY, state=LockState.UNLOCK_ASKED).exists():
        raise UnlockAsked(study.code)
    lock_before_unblinding(study=study, actor=actor)
    study.move_to(StudyState.UNBLINDED, unblinded_at=clock.now())
    record(
        actor=actor,
        action="unblind_study",
        subject=study,
        old={"state": StudyState.LOCKED},
        new={"state": study.state},
        reason=reason,
    )
    return study


def _unreadable_renderer() -> list[str]:
    try:
        chosen_pin()
    except (RendererUnreadable, EngineMissing) as error:
        return [str(error)]
    return []


def _counts(finding: Finding, plan: Protocol) -> bool:
    # A protocol from before texts were part of it has them beside it only.
    return finding.code != "text_missing" or bool(plan.texts)


def _instruments(plan: Protocol) -> set[str]:
    planned = {instrument for visit in plan.visits for instrument in visit.instruments}
    return planned | ({CPSS} if plan.screening.rules else set())


def _words_in_force(plan: Protocol) -> dict[str, dict[str, str]]:
    """Return the hash of the words of each instrument at the opening, by language.

    Words are loaded for the whole installation; the study's trail says which it began with.
    """
    languages = [language for language, _name in settings.LANGUAGES]
    return {
        key: {language: wording_of(key, language).sha256 for language in languages}
        for key in sorted(_instruments(plan))
    }


def _unlicensed(plan: Protocol) -> list[str]:
    planned = _instruments(plan)
    return [
        _(
            "%(instrument)s still has our working labels in %(language)s, not the licensed text "
            "(manage.py load_wording %(key)s --language %(tag)s FILE --licence NOTE)"
        )
        % {
            "instrument": instrument.upper(),
            "language": name,
            "key": instrument,
            "tag": language,
        }
        for language, name in settings.LANGUAGES
        for instrument in sorted(planned & set(functional_instruments(language)))
    ]
