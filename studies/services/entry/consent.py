"""Consent: publish a text, give or refuse consent."""

import hashlib
import json

from django.conf import settings
from django.db import transaction

from studies import clock
from studies.design.texts import consent_pages
from studies.exceptions import ConsentOutdated, MoveRefused
from studies.models.consent import Consent, ConsentText
from studies.models.participant import Participant, ParticipantState
from studies.models.study import Study, StudyState
from studies.services.trail.audit import Actor, participant_actor, record
from studies.services.visits.scheduling import schedule_baseline


@transaction.atomic
def publish_consent_text(
    *, study: Study, language: str, pages: list[dict[str, str]], actor: Actor
) -> ConsentText:
    """Add the next version of the text in one language; a study that opened keeps its text."""
    study = Study.objects.select_for_update().get(pk=study.pk)
    if study.state != StudyState.DRAFT:
        raise MoveRefused(
            f"a draft was expected, got {study.code}, which is {study.state}. "
            "The text that people agreed to stays as it is."
        )
    latest = ConsentText.objects.filter(study=study, language=language).order_by("version").last()
    text = ConsentText.objects.create(
        study=study,
        version=latest.version + 1 if latest else 1,
        language=language,
        pages=pages,
        sha256=hashlib.sha256(_canonical(pages)).hexdigest(),
    )
    record(
        actor=actor,
        action="publish_consent_text",
        subject=text,
        new={"version": text.version, "language": language, "sha256": text.sha256},
    )
    return text


def publish_template_texts(*, study: Study, actor: Actor) -> None:
    """Give a new study the template's text in every language of the site."""
    for language, _name in settings.LANGUAGES:
        publish_consent_text(
            study=study, language=language, pages=consent_pages(language), actor=actor
        )


def missing_consent_languages(study: Study) -> list[str]:
    """Return the site's languages in which the study has no consent text."""
    present = set(study.consent_texts.values_list("language", flat=True))
    return [language for language, _name in settings.LANGUAGES if language not in present]


def current_text(participant: Participant) -> ConsentText:
    """Return the text that this participant is asked to agree to."""
    texts = ConsentText.objects.filter(study=participant.study, language=participant.language)
    return texts.order_by("version").last()


@transaction.atomic
def give_consent(*, participant: Participant, text: ConsentText, agreed: bool) -> Consent:
    """Keep the participant's answer; agreeing opens baseline, refusing ends it.

    The same answer sent twice is one answer.
    """
    participant = Participant.objects.select_for_update().get(pk=participant.pk)
    given = Consent.objects.filter(participant=participant, text=text, agreed=agreed).first()
    if given is not None:
        return given
    if text != current_text(participant):
        raise ConsentOutdated
    actor = participant_actor(participant)
    old = participant.state
    participant.move_to(ParticipantState.CONSENTED if agreed else ParticipantState.DECLINED)
    consent = Consent.objects.create(
        participant=participant, text=text, agreed=agreed, answered_at=clock.now()
    )
    if agreed:
        schedule_baseline(participant=participant, actor=actor)
    record(
        actor=actor,
        action="give_consent" if agreed else "refuse_consent",
        subject=consent,
        old={"state": old},
        new={"state": participant.state, "version": text.version, "sha256": text.sha256},
    )
    return consent


def _canonical(pages: list[dict[str, str]]) -> bytes:
    return json.dumps(pages, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
