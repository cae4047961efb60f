"""Whether somebody is of age, and so whose agreement it takes."""

from datetime import date

from django.db.models import Exists, OuterRef

from studies import clock
from studies.design.majority import is_of_age_on
from studies.design.windows import local_day
from studies.models.consent import Consent, ConsentRole, ConsentState
from studies.models.participant import TAKES_PART, Participant
from studies.models.study import Study, StudyState
from studies.services.entry.identity import has_identity, identity_of, one_field_of

BORN_ON = "born_on"


def is_of_age(participant: Participant) -> bool:
    """Return whether a participant agrees alone, today; a birthday lies with the identity."""
    limit = participant.study.plan.consent.permission_below_years
    if participant.age_years is None or participant.age_years >= limit:
        return True
    return _has_reached(limit, participant, _born_on(participant))


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


def came_of_age(study: Study) -> set[int]:
    """Return the keys of who takes part as a minor, and is of age by now: they consent themselves.

    Nothing of it is kept, for its day would tell a birthday for as long as the trail is kept; and
    only the birthdays of those who may be of age are looked at.
    """
    if study.state != StudyState.OPEN:
        return set()
    limit = study.plan.consent.permission_below_years
    agreed_alone = Consent.objects.filter(
        participant=OuterRef("pk"), role=ConsentRole.CONSENT, state=ConsentState.AGREED
    )
    minors = study.participants.filter(
        ~Exists(agreed_alone), state__in=TAKES_PART, age_years__lt=limit
    )
    minors = minors.only("study", "age_years", "enrolled_at", "zone")
    # Who was just about to turn a year older when their age was stated is the oldest of that age.
    perhaps = [person for person in minors if _has_reached(limit - 1, person, None)]
    known = one_field_of(perhaps, BORN_ON)
    return {p.pk for p in perhaps if _has_reached(limit, p, _day(known.get(p.pk)))}


def _has_reached(years: int, participant: Participant, born_on: date | None) -> bool:
    return is_of_age_on(
        clock.today(participant.zone),
        limit=years,
        age_years=participant.age_years,
        stated_on=local_day(participant.enrolled_at, participant.zone),
        born_on=born_on,
    )


def _born_on(participant: Participant) -> date | None:
    return _day(identity_of(participant).get(BORN_ON) if has_identity(participant) else None)


def _day(stated: str | None) -> date | None:
    return date.fromisoformat(stated) if stated else None
