"""Whether somebody is of age, and so whose agreement it takes."""

from datetime import date

from studies import clock
from studies.design.majority import is_of_age_on
from studies.design.windows import local_day
from studies.models.consent import ConsentRole, ConsentState
from studies.models.participant import Participant
from studies.services.entry.identity import has_identity, identity_of

BORN_ON = "born_on"


def is_of_age(participant: Participant) -> bool:
    """Return whether a participant agrees alone, today; a birthday lies with the identity."""
    limit = participant.study.plan.consent.permission_below_years
    if participant.age_years is None or participant.age_years >= limit:
        return True
    return is_of_age_on(
        clock.today(participant.zone),
        limit=limit,
        age_years=participant.age_years,
        stated_on=local_day(participant.enrolled_at, participant.zone),
        born_on=_born_on(participant),
    )


def own_role(participant: Participant) -> ConsentRole:
    """Return as what a participant answers for themselves."""
    return ConsentRole.CONSENT if is_of_age(participant) else ConsentRole.ASSENT


def agreements_missing(participant: Participant) -> list[ConsentRole]:
    """Return whose agreement to the present text is still needed; empty where consent holds."""
    own = own_role(participant)
    needed = [own] if own == ConsentRole.CONSENT else [own, ConsentRole.PERMISSION]
    given = participant.consents.filter(state=ConsentState.AGREED)
    held = set(given.values_list("role", flat=True))
    return [role for role in needed if role not in held]


def _born_on(participant: Participant) -> date | None:
    stated = identity_of(participant).get(BORN_ON) if has_identity(participant) else None
    return date.fromisoformat(stated) if stated else None
