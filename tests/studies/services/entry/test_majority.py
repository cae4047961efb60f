from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from studies import clock
from studies.models.audit import AuditEntry
from studies.models.contact import PersonKey
from studies.models.participant import Participant, ParticipantState
from studies.models.study import Study
from studies.selectors.worklist import Attention, worklist
from studies.services.entry.enrolment import invite_participant
from studies.services.entry.identity import erase_identity
from studies.services.entry.majority import agreements_missing, came_of_age
from studies.services.protocol.setup import close_study
from studies.services.trail.audit import SYSTEM, staff
from tests.factories import answer_visit, clinician_of, consent, decide, invite, make_study
from tests.studies.views.browsers import clinician_in

pytestmark = pytest.mark.django_db

WORDS = "Of age by now: their own consent is missing"
# Whoever this is true of today turns 18 within seventy days, and not within a week.
SOON = timedelta(days=70)


def minor(study: Study, *, age_years: int = 17, born_on: date | None = None) -> Participant:
    invitation = invite_participant(
        study=study,
        name="Ada Example",
        contact="ada@example.org",
        language="en",
        strata={"sex": "female"},
        age_years=age_years,
        born_on=born_on,
        actor=staff(clinician_of(study)),
    )
    consent(invitation)
    return invitation.participant


def almost_18(study: Study) -> date:
    return clock.today(study.zone).replace(day=1) - timedelta(days=365 * 17 + 330)


def attention_of(participant: Participant) -> Attention:
    study = participant.study
    rows = worklist(study, clinician_of(study), of_age=came_of_age(study))
    return next(row.attention for row in rows if row.participant == participant)


def test_who_comes_of_age_stands_on_the_worklist_until_they_consent_themselves() -> None:
    study = make_study()
    person = minor(study, born_on=almost_18(study))
    assert came_of_age(study) == set()
    with clock.at(clock.now() + SOON):
        assert came_of_age(study) == {person.pk}
        assert attention_of(person) == Attention.OF_AGE
        decide(person)
        assert came_of_age(study) == set()
        assert attention_of(person) != Attention.OF_AGE


def test_nobody_is_called_ready_to_be_allocated_without_a_consent_of_their_own() -> None:
    study = make_study()
    person = minor(study, born_on=almost_18(study))
    answer_visit(person, week=0)
    Participant.objects.update(contact_verified_at=clock.now())
    assert attention_of(person) == Attention.ALLOCATE
    with clock.at(clock.now() + SOON):
        assert attention_of(person) == Attention.OF_AGE


def test_without_a_birthday_one_is_of_age_when_it_is_certain() -> None:
    study = make_study()
    person, _younger = minor(study), minor(study, age_years=15)
    for days in (0, 360):
        with clock.at(clock.now() + timedelta(days=days)):
            assert came_of_age(study) == set()
    with clock.at(clock.now() + timedelta(days=367)):
        assert came_of_age(study) == {person.pk}


def test_the_list_says_what_each_persons_own_pages_say() -> None:
    study = make_study()
    born_on = almost_18(study)
    people = [
        minor(study, born_on=born_on),
        minor(study, age_years=16, born_on=born_on + timedelta(days=366)),
        minor(study),
        minor(study, age_years=18),
    ]
    for days in (0, 35, 70, 300, 367, 450, 800):
        with clock.at(clock.now() + timedelta(days=days)):
            asked = {p.pk for p in people if agreements_missing(p)}
            assert came_of_age(study) == asked, days


def test_who_takes_no_part_yet_or_whose_study_is_closed_is_not_waited_for() -> None:
    study = make_study()
    invited = invite(study, age_years=17).participant
    person = minor(study, born_on=almost_18(study))
    assert invited.state == ParticipantState.INVITED
    with clock.at(clock.now() + timedelta(days=400)):
        assert came_of_age(study) == {person.pk}
        close_study(study=study, actor=SYSTEM, reason="the end")
        study.refresh_from_db()
        assert came_of_age(study) == set()


def test_a_broken_seal_or_an_erased_identity_takes_the_list_from_nobody() -> None:
    study = make_study()
    person, broken, gone = (minor(study, born_on=almost_18(study)) for _ in range(3))
    PersonKey.objects.filter(participant=broken).update(sealed=b"x")
    erase_identity(participant=gone, actor=SYSTEM)
    with clock.at(clock.now() + SOON):
        assert came_of_age(study) == {person.pk}
    with clock.at(clock.now() + timedelta(days=367)):
        # Of whom no birthday can be read, the stated age still tells.
        assert came_of_age(study) == {person.pk, broken.pk, gone.pk}


def test_as_much_is_asked_for_many_as_for_one_and_nothing_is_kept() -> None:
    study = make_study()
    counts = []
    for _ in range(2):
        minor(study, born_on=almost_18(study))
        n_entries = AuditEntry.objects.count()
        with clock.at(clock.now() + SOON), CaptureQueriesContext(connection) as queries:
            came_of_age(study)
        counts.append(len(queries))
        assert AuditEntry.objects.count() == n_entries
        assert all(query["sql"].startswith("SELECT") for query in queries)
    assert counts == [3, 3]


def test_the_studys_page_says_so_to_staff() -> None:
    study = make_study()
    person = minor(study, born_on=almost_18(study))
    client = clinician_in(study)
    address = f"/clinic/{study.code}/"
    assert WORDS not in client.get(address).content.decode()
    with clock.at(clock.now() + SOON):
        page = client.get(address).content.decode()
    assert WORDS in page
    assert person.code in page
    assert str(almost_18(study)) not in page
