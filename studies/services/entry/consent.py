"""Consent: publish a text, ask whether it was understood, keep each person's answer.

A text never changes. A study that recruits gets a new version through an amendment only, and then
everybody is asked again: who agreed before did not agree to this.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from studies import clock
from studies.design.parts import ConsentWording
from studies.design.texts import consent_pages, consent_questions
from studies.exceptions import (
    ConsentNotUnderstood,
    ConsentOutdated,
    MoveRefused,
    ScreeningMissing,
    StudyNotOpen,
)
from studies.models.consent import Consent, ConsentRole, ConsentState, ConsentText
from studies.models.participant import TAKES_PART, Participant, ParticipantState
from studies.models.study import Study, StudyState
from studies.services.entry.access import guardian_actor
from studies.services.entry.copies import sign_copy
from studies.services.entry.copy_mail import plan_copy_mails
from studies.services.entry.majority import agreements_missing, own_role
from studies.services.entry.screening import screening_waits
from studies.services.trail.audit import SYSTEM, Actor, participant_actor, record
from studies.services.visits.scheduling import schedule_baseline

# Where somebody may be asked for the first time, and where they may be asked again.
ASKABLE = {ParticipantState.INVITED, *TAKES_PART}
UNANSWERED = (ConsentState.ISSUED, ConsentState.UNDERSTOOD)
OWN_ROLES = (ConsentRole.CONSENT, ConsentRole.ASSENT)


# --- Texts ------------------------------------------------------------------------------------


@transaction.atomic
def publish_consent_text(
    *,
    study: Study,
    language: str,
    pages: list[dict[str, str]],
    actor: Actor,
    questions: Sequence[dict[str, Any]] = (),
) -> ConsentText:
    """Add the next version of a draft study's text in one language."""
    study = Study.objects.select_for_update().get(pk=study.pk)
    if study.state != StudyState.DRAFT:
        raise MoveRefused(
            f"a draft was expected, got {study.code}, which is {study.state}. "
            "Amend its protocol: the text that people agreed to stays as it is."
        )
    texts = ConsentText.objects.filter(study=study, language=language)
    return _publish(study, language, _next_version(texts), pages, questions, actor)


@transaction.atomic
def publish_amended_texts(*, study: Study, wordings: Iterable[ConsentWording], actor: Actor) -> int:
    """Publish a new version in every language; return how many answers it leaves outdated."""
    study = Study.objects.select_for_update().get(pk=study.pk)
    version = _next_version(study.consent_texts)
    for wording in wordings:
        _publish(study, wording.language, version, *parts_of(wording), actor)
    asked = study.participants.filter(state__in=ASKABLE).order_by("pk")
    return sum(_supersede_all(pk, actor) for pk in asked.values_list("pk", flat=True))


def publish_template_texts(*, study: Study, actor: Actor) -> None:
    """Give a new study the template's text in every language of the site."""
    for language, _name in settings.LANGUAGES:
        publish_consent_text(
            study=study,
            language=language,
            pages=consent_pages(language),
            questions=consent_questions(language),
            actor=actor,
        )


def parts_of(wording: ConsentWording) -> tuple[list[dict[str, str]], list[dict[str, Any]]]:
    """Return a protocol's wording as a text keeps it: its pages and its questions."""
    pages = [{"title": page.title, "body": page.body} for page in wording.pages]
    questions = [
        {"question": q.question, "options": list(q.options), "answer": q.answer, "page": q.page}
        for q in wording.questions
    ]
    return pages, questions


def missing_consent_languages(study: Study) -> list[str]:
    """Return the site's languages in which the study has no consent text."""
    present = set(study.consent_texts.values_list("language", flat=True))
    return [language for language, _name in settings.LANGUAGES if language not in present]


def text_in(study: Study, language: str) -> ConsentText:
    """Return the study's present text in a language."""
    return ConsentText.objects.filter(study=study, language=language).order_by("version").last()


def current_text(participant: Participant) -> ConsentText:
    """Return the text that this participant is asked to agree to."""
    return text_in(participant.study, participant.language)


# --- Answers ----------------------------------------------------------------------------------


@transaction.atomic
def answer_questions(
    *, participant: Participant, text: ConsentText, chosen: Sequence[int], role: str = ""
) -> list[int]:
    """Keep what somebody understood of a text; return the questions, from 1, to read up again.

    `chosen` has the number of an option for each question, from 1. No question left: understood.
    """
    participant = _askable(participant, text)
    consent = _asked(participant, text, role)
    rights = [question["answer"] for question in text.questions]
    missed = [
        number
        for number, (got, right) in enumerate(zip(chosen, rights, strict=True), start=1)
        if got != right
    ]
    if consent.state != ConsentState.ISSUED:
        return missed
    consent.tries += 1
    if missed:
        consent.save(update_fields=["tries"])
    else:
        consent.move_to(ConsentState.UNDERSTOOD, tries=consent.tries, understood_at=clock.now())
    record(
        actor=_actor(participant, consent.role),
        action="answer_consent_questions",
        subject=consent,
        new={"state": consent.state, "tries": consent.tries, "missed": missed},
    )
    return missed


def has_understood(participant: Participant, text: ConsentText, role: str = "") -> bool:
    """Return whether this person may say yes to this text now."""
    if not text.questions:
        return True
    answers = Consent.objects.filter(
        participant=participant, text=text, role=role or own_role(participant)
    )
    return answers.exclude(state=ConsentState.ISSUED).exists()


@transaction.atomic
def give_consent(
    *,
    participant: Participant,
    text: ConsentText,
    agreed: bool,
    role: str = "",
    signed_as: str = "",
) -> Consent:
    """Keep one person's answer: the participant's own, or with `role` the guardian's permission.

    When everybody whose agreement it takes has agreed, baseline opens; a no, whoever gives it, ends
    it. The same answer sent twice is one answer. Raises ConsentOutdated, ConsentNotUnderstood,
    MoveRefused, or StudyNotOpen: nobody comes into a study that has ended.
    """
    participant = Participant.objects.select_for_update().get(pk=participant.pk)
    role = role or own_role(participant)
    wanted = ConsentState.AGREED if agreed else ConsentState.REFUSED
    given = Consent.objects.filter(participant=participant, text=text, role=role, state=wanted)
    if (same := given.first()) is not None:
        return same
    _askable(participant, text)
    old = participant.state
    consent = _asked(participant, text, role)
    if agreed and not text.questions and consent.state == ConsentState.ISSUED:
        consent.move_to(ConsentState.UNDERSTOOD, understood_at=clock.now())
    if agreed and consent.state == ConsentState.ISSUED:
        raise ConsentNotUnderstood(len(text.questions))
    consent.move_to(wanted, answered_at=clock.now())
    if agreed:
        sign_copy(consent, signed_as=signed_as)
        _supersede_older(consent)
        plan_copy_mails(participant)
    _follow(participant, agreed=agreed, role=role)
    record(
        actor=_actor(participant, role),
        action=_action(role, agreed=agreed),
        subject=consent,
        old={"state": old},
        new={
            "state": participant.state,
            "role": role,
            "version": text.version,
            "sha256": text.sha256,
            "copy_sha256": consent.copy_sha256,
        },
    )
    return consent


@transaction.atomic
def revoke_consents(*, participant: Participant, actor: Actor) -> int:
    """Take back every agreement that holds; return how many did."""
    held = list(participant.consents.select_for_update().filter(state=ConsentState.AGREED))
    for consent in held:
        _move(consent, ConsentState.REVOKED, "revoke_consent", actor)
    return len(held)


def _follow(participant: Participant, *, agreed: bool, role: str) -> None:
    """Let an invited participant come in, or stay out; whoever takes part already goes on."""
    if participant.state != ParticipantState.INVITED:
        return
    if not agreed:
        participant.move_to(ParticipantState.DECLINED, state_reason=f"{role} refused")
    elif not agreements_missing(participant):
        participant.move_to(ParticipantState.CONSENTED)
        schedule_baseline(participant=participant, actor=participant_actor(participant))


def _askable(participant: Participant, text: ConsentText) -> Participant:
    participant = Participant.objects.select_for_update().get(pk=participant.pk)
    if participant.state not in ASKABLE:
        raise MoveRefused(
            f"a participant who may still be asked was expected, got {participant.code}, who is "
            f"{participant.state}. Nothing was changed."
        )
    if participant.study.state != StudyState.OPEN:
        raise StudyNotOpen(participant.study.code, participant.study.state)
    if text.study_id != participant.study_id or text != text_in(participant.study, text.language):
        raise ConsentOutdated
    return participant


def _asked(participant: Participant, text: ConsentText, role: str) -> Consent:
    """Return this person's answer to this text, begun now if they were not asked before."""
    role = role or own_role(participant)
    wanted = own_role(participant) if role in OWN_ROLES else role
    # A text in somebody else's language is not the one they were shown.
    if role != wanted or (role in OWN_ROLES and text != current_text(participant)):
        raise ConsentOutdated
    if role in OWN_ROLES and screening_waits(participant):
        raise ScreeningMissing(participant.code)
    consent, is_new = Consent.objects.get_or_create(participant=participant, text=text, role=role)
    if is_new:
        record(
            actor=_actor(participant, role),
            action="ask_consent",
            subject=consent,
            new={"role": role, "version": text.version, "language": text.language},
        )
    return consent


def _supersede_older(consent: Consent) -> None:
    """Let an answer replace those before it; a consent of one's own also replaces a guardian's."""
    sides = [consent.role]
    if consent.role in OWN_ROLES:
        sides = [*OWN_ROLES]
    if consent.role == ConsentRole.CONSENT:
        sides.append(ConsentRole.PERMISSION)
    older = consent.participant.consents.filter(
        role__in=sides, state__in=[ConsentState.AGREED, *UNANSWERED]
    )
    for other in older.exclude(pk=consent.pk):
        _move(other, ConsentState.SUPERSEDED, "supersede_consent", SYSTEM)


def _supersede_all(participant_pk: int, actor: Actor) -> int:
    participant = Participant.objects.select_for_update().get(pk=participant_pk)
    held = participant.consents.filter(state__in=[ConsentState.AGREED, *UNANSWERED])
    outdated = list(held)
    for consent in outdated:
        _move(consent, ConsentState.SUPERSEDED, "supersede_consent", actor)
    return len(outdated)


def _move(consent: Consent, state: str, action: str, actor: Actor) -> None:
    old = consent.state
    consent.move_to(state)
    record(actor=actor, action=action, subject=consent, old={"state": old}, new={"state": state})


def _action(role: str, *, agreed: bool) -> str:
    if role == ConsentRole.PERMISSION:
        return "give_permission" if agreed else "refuse_permission"
    return "give_consent" if agreed else "refuse_consent"


def _actor(participant: Participant, role: str) -> Actor:
    is_guardian = role == ConsentRole.PERMISSION
    return guardian_actor(participant) if is_guardian else participant_actor(participant)


def _next_version(texts: Any) -> int:
    return (texts.aggregate(latest=Max("version"))["latest"] or 0) + 1


def _publish(
    study: Study,
    language: str,
    version: int,
    pages: list[dict[str, str]],
    questions: Sequence[dict[str, Any]],
    actor: Actor,
) -> ConsentText:
    text = ConsentText.objects.create(
        study=study,
        version=version,
        language=language,
        pages=pages,
        questions=list(questions),
        sha256=hashlib.sha256(_canonical(pages, questions)).hexdigest(),
    )
    record(
        actor=actor,
        action="publish_consent_text",
        subject=text,
        new={"version": text.version, "language": language, "sha256": text.sha256},
    )
    return text


def _canonical(pages: list[dict[str, str]], questions: Sequence[dict[str, Any]]) -> bytes:
    # A text without questions has the hash it had before texts could have some.
    content = {"pages": pages, "questions": list(questions)} if questions else pages
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
