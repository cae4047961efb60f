import pytest

from studies.models.consent import Withdrawal
from studies.models.contact import ContactDetails
from studies.models.participant import ParticipantState
from studies.models.visit import Assessment, AssessmentState
from studies.selectors.outcomes import analysed_codes
from studies.services.conduct.withdrawal import withdraw_participant
from studies.services.trail.audit import SYSTEM, verify_chain
from tests.factories import make_participant

pytestmark = pytest.mark.django_db


def _states() -> set[str]:
    return set(Assessment.objects.filter(visit__week__gt=0).values_list("state", flat=True))


def test_stopping_the_intervention_leaves_the_questions() -> None:
    participant = make_participant("allocated")
    withdraw_participant(participant=participant, scope="intervention", reason="", actor=SYSTEM)
    participant.refresh_from_db()
    assert participant.state == ParticipantState.ALLOCATED
    assert _states() == {AssessmentState.SCHEDULED}
    assert participant.links.filter(revoked_at=None).exists()


def test_stopping_everything_cancels_visits_and_link_and_keeps_the_answers() -> None:
    participant = make_participant("allocated")
    withdraw_participant(participant=participant, scope="contact", reason="", actor=SYSTEM)
    participant.refresh_from_db()
    assert participant.state == ParticipantState.WITHDRAWN
    assert _states() == {AssessmentState.CANCELLED}
    assert not participant.links.filter(revoked_at=None).exists()
    assert analysed_codes(participant.study) == (participant.code,)
    assert ContactDetails.objects.exists()


def test_taking_the_data_back_erases_the_contact_and_leaves_the_analysis() -> None:
    participant = make_participant("week8")
    withdraw_participant(participant=participant, scope="data", reason="Ada", actor=SYSTEM)
    participant.refresh_from_db()
    assert participant.state == ParticipantState.WITHDRAWN
    assert analysed_codes(participant.study) == ()
    assert not ContactDetails.objects.exists()
    assert verify_chain(participant.study.code) == []


def test_withdrawing_twice_is_once_and_a_wider_scope_may_follow() -> None:
    participant = make_participant("allocated")
    for scope in ("intervention", "intervention", "contact", "data"):
        withdraw_participant(participant=participant, scope=scope, reason="", actor=SYSTEM)
    assert Withdrawal.objects.count() == 3


def test_a_scope_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="everything"):
        withdraw_participant(
            participant=make_participant(), scope="everything", reason="", actor=SYSTEM
        )
