"""The signed copy of a consent: a PDF for whoever agreed, sealed with the participant's own key."""

import hashlib
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from studies.design.consent_copy import ConsentCopy, as_pdf
from studies.models.consent import Consent, ConsentRole
from studies.models.participant import Participant
from studies.services.entry.identity import has_identity, identity_of, open_for, seal_for


def sign_copy(consent: Consent, *, signed_as: str = "") -> None:
    """Write the copy of an answer that was just given, and keep it with the answer."""
    pdf = as_pdf(_content(consent, signed_as or _own_name(consent.participant)))
    consent.copy_sealed = seal_for(consent.participant, pdf)
    consent.copy_sha256 = hashlib.sha256(pdf).hexdigest()
    consent.save(update_fields=["copy_sealed", "copy_sha256"])


def copy_of(consent: Consent) -> bytes:
    """Return the signed copy as a PDF; raises IdentityErased."""
    return open_for(consent.participant, consent.copy_sealed)


def copies_of(participant: Participant) -> list[Consent]:
    """Return the answers of which there is a copy, the newest first."""
    signed = participant.consents.exclude(copy_sha256="").select_related("text")
    return list(signed.order_by("-answered_at", "-pk")) if has_identity(participant) else []


def _own_name(participant: Participant) -> str:
    return identity_of(participant)["name"] if has_identity(participant) else ""


def _content(consent: Consent, signed_as: str) -> ConsentCopy:
    text, participant = consent.text, consent.participant
    at = consent.answered_at.astimezone(ZoneInfo(participant.zone))
    with translation.override(text.language):
        languages = dict(settings.LANGUAGES)
        return ConsentCopy(
            title=participant.study.title,
            subtitle=_("Consent text, version %(version)d, %(language)s")
            % {"version": text.version, "language": languages.get(text.language, text.language)},
            pages=tuple((page["title"], page["body"]) for page in text.pages),
            signature=(
                (_("Signed as"), str(ConsentRole(consent.role).label)),
                (_("Name"), signed_as),
                (_("Participant"), participant.code),
                (_("When"), f"{at:%Y-%m-%d %H:%M} ({participant.zone})"),
                (_("How"), _("By private link and PIN, after the questions on the text")),
                (_("SHA-256 of the text"), text.sha256),
            ),
            agreed=_("I have read this text and agree."),
            foot=_("Page %(n)s"),
        )
