import pytest

from studies.exceptions import NotEligible
from studies.models.audit import AuditEntry
from studies.models.participant import Participant, Screening
from tests.factories import invite, make_study
from tests.studies.views.browsers import clinician_in

pytestmark = pytest.mark.django_db


def test_a_refused_attempt_is_kept_with_its_reasons_and_without_a_name() -> None:
    study = make_study()
    with pytest.raises(NotEligible):
        invite(study, age_years=30)
    attempt = Screening.objects.get()
    assert attempt.reasons == ["age_years 12-18 expected, got 30"]
    assert attempt.participant is None
    assert not Participant.objects.exists()
    entry = AuditEntry.objects.get(action="screen")
    assert entry.new["reasons"] == attempt.reasons
    assert "ada@" not in attempt.blind_index + str(entry.new)


def test_another_attempt_with_the_same_contact_is_flagged_not_refused() -> None:
    study = make_study()
    with pytest.raises(NotEligible):
        invite(study, age_years=30)
    participant = invite(study, age_years=15).participant
    attempt = participant.screening
    assert (attempt.repeats, attempt.refused_before) == (1, True)
    elsewhere = invite(make_study(), age_years=15).participant.screening
    assert (elsewhere.repeats, elsewhere.refused_before) == (0, False)


def test_staff_see_every_attempt_and_what_is_worth_a_look() -> None:
    study = make_study()
    with pytest.raises(NotEligible):
        invite(study, age_years=30)
    participant = invite(study, age_years=15).participant
    page = clinician_in(study).get(f"/clinic/{study.code}/screening/").content.decode()
    assert "12 to 18 expected, got 30" in page
    assert participant.code in page
    assert "This contact was screened before, and refused" in page
    assert "Ada Example" not in page
