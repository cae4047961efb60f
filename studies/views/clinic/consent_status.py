"""Whose agreement a participant has, and whose is still missing, as staff see it."""

from dataclasses import dataclass

from studies.models.access import Holder, PrivateLink
from studies.models.consent import Consent, Guardian
from studies.models.participant import Participant
from studies.selectors.participants import live_link
from studies.services.entry.consent import ASKABLE
from studies.services.entry.majority import agreements_missing, is_of_age


@dataclass(frozen=True, slots=True)
class ConsentStatus:
    """What the participant's page says about consent."""

    answers: tuple[Consent, ...]
    missing: tuple[str, ...]
    needs_guardian: bool
    has_guardian: bool
    guardian_link: PrivateLink | None


def consent_status(participant: Participant) -> ConsentStatus:
    """Return where this participant's consent stands today."""
    is_askable = participant.state in ASKABLE
    missing = agreements_missing(participant) if is_askable else []
    answers = participant.consents.select_related("text").order_by("pk")
    return ConsentStatus(
        answers=tuple(answers),
        missing=tuple(str(role.label) for role in missing),
        needs_guardian=is_askable and not is_of_age(participant),
        has_guardian=Guardian.objects.filter(participant=participant).exists(),
        guardian_link=live_link(participant, Holder.GUARDIAN),
    )
