"""The mail of a reminder: calm, without a name, an arm or a diagnosis; one tap stops them all.

Its identifier follows from the reminder's key, so a mail that a dying connection may or may not
have taken, and that is sent once more, is recognised as the same one.
"""

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.urls import reverse
from django.utils import translation
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from studies.design.reminders import Subject
from studies.exceptions import IdentityErased, LinkUnknown
from studies.models.participant import Participant
from studies.services.entry.identity import identity_of

SALT = "nocturne.reminders"
ID_LENGTH = 40


def address_of(participant: Participant) -> str:
    """Return the participant's email address; nothing where they gave none that can be one."""
    try:
        contact = identity_of(participant).get("contact", "").strip()
        validate_email(contact)
    except (IdentityErased, ValidationError):
        return ""
    return contact


def compose(*, participant: Participant, subject: Subject, key: str, to: str) -> EmailMessage:
    """Return the mail in the participant's language."""
    stop = (
        f"{settings.NOCTURNE_SITE_URL}{reverse('studies:mail_stop', args=[token(participant, to)])}"
    )
    page = f"{settings.NOCTURNE_SITE_URL}{reverse('studies:today')}"
    help_page = f"{settings.NOCTURNE_SITE_URL}{reverse('studies:help')}"
    with translation.override(participant.language):
        lines = [
            _("Hello,"),
            _words(subject),
            _("Your page: %(page)s (or open your private link)") % {"page": page},
            _("If you are not well, here is help: %(page)s") % {"page": help_page},
            _("You want no more reminders? One tap: %(page)s") % {"page": stop},
        ]
        title = _("Something waits for you")
    return EmailMessage(
        subject=title,
        body="\n\n".join(lines) + "\n",
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[to],
        headers={
            "Message-ID": f"<{_message_id(key)}@nocturne.invalid>",
            "Auto-Submitted": "auto-generated",
            "List-Unsubscribe": f"<{stop}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )


def token(participant: Participant, to: str) -> str:
    """Return what stops this participant's reminders, and nothing else, from the mail to `to`."""
    return _signer(to).sign(str(participant.pk))


def participant_for(mail_token: str) -> Participant:
    """Return whose reminders a token stops; raises LinkUnknown, also when the address changed."""
    pk, _colon, _signature = mail_token.partition(":")
    rows = Participant.objects.select_related("study")
    found = rows.filter(pk=pk).first() if pk.isdecimal() and pk.isascii() else None
    if found is None:
        raise LinkUnknown
    try:
        _signer(address_of(found)).unsign(mail_token)
    except signing.BadSignature:
        raise LinkUnknown from None
    return found


def _signer(address: str) -> signing.Signer:
    # For one address: whoever reads a mistyped one can stop nothing once it is corrected.
    return signing.Signer(salt=f"{SALT}:{address}")


def _words(subject: Subject) -> str:
    if subject == Subject.VISIT:
        return _(
            "There are a few questions for you. You can stop after any of them and go on later."
        )
    if subject == Subject.DIARY:
        return _("How was last night? It takes less than a minute.")
    return _("We have not seen you for some days. There is something on your page for tonight.")


def _message_id(key: str) -> str:
    return salted_hmac(SALT, key, algorithm="sha256").hexdigest()[:ID_LENGTH]
