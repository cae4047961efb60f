"""Names and contacts are kept until a day that is said when the study closes, and then erased.

One person's do not wait for that day: who asks to be forgotten is, also under the database lock.
What was answered stays, under a code that leads to nobody any more; so does the audit trail, which
never held a name.
"""

from datetime import date

from django.db import transaction

from studies import clock
from studies.exceptions import ErasureRefused
from studies.models.participant import Participant
from studies.models.retention import ContactRetention
from studies.models.study import Study, StudyState
from studies.services.cbt.messages import erase_words
from studies.services.entry.access import revoke_links
from studies.services.entry.identity import erase_identity, has_identity
from studies.services.trail.audit import SYSTEM, Actor, record


@transaction.atomic
def set_erasure_day(*, study: Study, erase_on: date, actor: Actor) -> ContactRetention:
    """Say on which day the names and contacts of a study that ended are erased.

    Raises
    ------
    ErasureRefused
        The study still needs its people, the day has passed, or they are erased already.
    """
    study = Study.objects.select_for_update().get(pk=study.pk)
    if study.state in {StudyState.DRAFT, StudyState.OPEN}:
        raise ErasureRefused(
            f"a study that ended was expected, got one that is {study.state}. Close it first."
        )
    today = clock.today(study.zone)
    if erase_on <= today:
        raise ErasureRefused(
            f"a day after {today} was expected, got {erase_on}. Choose a later one."
        )
    before = ContactRetention.objects.filter(study=study).first()
    if before is not None and before.erased_at is not None:
        raise ErasureRefused(f"contacts of {study.code} were expected, they are erased already.")
    retention, _is_new = ContactRetention.objects.update_or_create(
        study=study, defaults={"erase_on": erase_on}
    )
    record(
        actor=actor,
        action="set_erasure_day",
        subject=retention,
        old=None if before is None else {"erase_on": before.erase_on},
        new={"erase_on": erase_on},
    )
    return retention


@transaction.atomic
def erase_contact(*, participant: Participant, actor: Actor) -> None:
    """Erase who one person of a locked study is, at once and for good; their data stay.

    Twice is once. Raises ErasureRefused while the database is open: a withdrawal of the data erases
    the contact then, and leaves the answers out besides.
    """
    participant = Participant.objects.select_for_update(of=("self",)).get(pk=participant.pk)
    study = participant.study
    if not study.is_locked:
        raise ErasureRefused(
            f"a locked database was expected, got {study.code}, which is {study.state}. Record a "
            "withdrawal of the data instead."
        )
    if has_identity(participant):
        _forget(participant, actor, "asked to be forgotten")


def erase_due_contacts() -> int:
    """Erase the contacts of every study whose day has come; return of how many people."""
    waiting = ContactRetention.objects.filter(erased_at=None).select_related("study")
    due = [one for one in waiting if one.erase_on <= clock.today(one.study.zone)]
    return sum(_erase(retention) for retention in due)


@transaction.atomic
def _erase(retention: ContactRetention) -> int:
    retention = ContactRetention.objects.select_for_update().get(pk=retention.pk)
    if retention.erased_at is not None:
        return 0
    people = [p for p in Participant.objects.filter(study=retention.study) if has_identity(p)]
    for participant in people:
        _forget(participant, SYSTEM, "contacts erased")
    retention.erased_at, retention.n_erased = clock.now(), len(people)
    retention.save(update_fields=["erased_at", "n_erased"])
    record(
        actor=SYSTEM,
        action="erase_contacts",
        subject=retention,
        new={"n_erased": retention.n_erased, "erase_on": retention.erase_on},
        reason="the day that was set has come",
    )
    return retention.n_erased


def _forget(participant: Participant, actor: Actor, reason: str) -> None:
    revoke_links(participant=participant, actor=actor, reason=reason)
    erase_words(participant=participant, actor=actor)
    erase_identity(participant=participant, actor=actor)
