import pytest
from django.db import connection

from studies.design.pseudonyms import is_valid
from studies.exceptions import (
    LanguageUnknown,
    NotEligible,
    ProtocolRefused,
    ReasonMissing,
    StudyNotOpen,
)
from studies.models.contact import ContactDetails
from studies.models.participant import Participant, ParticipantState
from studies.models.study import Study
from studies.services.entry.enrolment import invite_participant, reveal_contact
from studies.services.trail.audit import staff
from tests.factories import clinician_of, invite, make_study

pytestmark = pytest.mark.django_db


def _invite(study: Study, **changes: object) -> Participant:
    told = {
        "name": "李明",
        "contact": "li@example.org",
        "language": "zh-hans",
        "strata": {"sex": "male"},
        "age_years": 14,
    }
    actor = staff(clinician_of(study))
    return invite_participant(study=study, actor=actor, **{**told, **changes}).participant


def test_an_invited_participant_is_a_code_in_a_stratum() -> None:
    participant = _invite(make_study())
    assert is_valid(participant.code)
    assert (participant.state, participant.stratum) == (ParticipantState.INVITED, "sex=male")
    assert (participant.language, participant.zone) == ("zh-hans", "Asia/Shanghai")


def test_name_and_contact_are_nowhere_in_the_database_in_clear() -> None:
    _invite(make_study())
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 -- our own tables
            rows = repr([[bytes(c) if isinstance(c, memoryview) else c for c in r] for r in cursor])
            assert "李明" not in rows
            assert "li@example.org" not in rows


def test_reading_a_contact_wants_a_reason_and_is_recorded() -> None:
    study = make_study()
    participant, actor = _invite(study), staff(clinician_of(study))
    with pytest.raises(ReasonMissing):
        reveal_contact(participant=participant, actor=actor, reason=" ")
    found = reveal_contact(participant=participant, actor=actor, reason="missed a visit")
    assert found == {"name": "李明", "contact": "li@example.org"}
    assert ContactDetails.objects.get().participant == participant


@pytest.mark.parametrize("age_years", [11, 19])
def test_an_age_outside_the_protocol_is_refused_with_the_reason(age_years: int) -> None:
    with pytest.raises(NotEligible, match="age_years 12-18 expected"):
        _invite(make_study(), age_years=age_years)
    assert not Participant.objects.exists()


@pytest.mark.parametrize("strata", [{}, {"sex": "unknown"}, {"sex": "male", "site": "x"}])
def test_a_stratum_that_does_not_exist_is_refused(strata: dict[str, str]) -> None:
    with pytest.raises(ProtocolRefused):
        _invite(make_study(), strata=strata)


def test_a_language_the_site_does_not_speak_is_refused() -> None:
    with pytest.raises(LanguageUnknown, match="en, zh-hans"):
        _invite(make_study(), language="fr")


def test_nobody_is_invited_into_a_draft() -> None:
    with pytest.raises(StudyNotOpen, match="draft"):
        _invite(make_study(is_open=False))


def test_codes_differ() -> None:
    study = make_study()
    assert len({invite(study).participant.code for _ in range(20)}) == 20
