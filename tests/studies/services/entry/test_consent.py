import pytest

from studies.exceptions import ConsentOutdated, MoveRefused
from studies.models.consent import Consent, ConsentText
from studies.models.participant import ParticipantState
from studies.models.visit import AssessmentState, Visit
from studies.services.entry.consent import current_text, give_consent, publish_consent_text
from studies.services.trail.audit import staff
from tests.factories import clinician_of, invite, make_study

pytestmark = pytest.mark.django_db
PAGES = [{"title": "New", "body": "A text that was approved."}]


def test_agreeing_opens_baseline() -> None:
    participant = invite(make_study()).participant
    consent = give_consent(participant=participant, text=current_text(participant), agreed=True)
    participant.refresh_from_db()
    assert (consent.agreed, participant.state) == (True, ParticipantState.CONSENTED)
    visit = Visit.objects.get(participant=participant)
    assert (visit.week, visit.closes_at) == (0, None)
    assert list(visit.assessments.values_list("instrument", "state")) == [
        ("psqi", AssessmentState.OPEN),
        ("cpss", AssessmentState.OPEN),
    ]


def test_refusing_ends_it_and_cannot_be_turned() -> None:
    participant = invite(make_study()).participant
    text = current_text(participant)
    give_consent(participant=participant, text=text, agreed=False)
    participant.refresh_from_db()
    assert participant.state == ParticipantState.DECLINED
    with pytest.raises(MoveRefused):
        give_consent(participant=participant, text=text, agreed=True)
    assert not Visit.objects.exists()


def test_the_same_answer_twice_is_one_answer() -> None:
    participant = invite(make_study()).participant
    text = current_text(participant)
    first = give_consent(participant=participant, text=text, agreed=True)
    assert give_consent(participant=participant, text=text, agreed=True) == first
    assert Consent.objects.count() == Visit.objects.count() == 1


def test_a_text_in_another_language_or_study_is_not_the_one_asked() -> None:
    participant = invite(make_study(), language="zh-hans").participant
    assert current_text(participant).language == "zh-hans"
    other = ConsentText.objects.get(study=participant.study, language="en")
    with pytest.raises(ConsentOutdated):
        give_consent(participant=participant, text=other, agreed=True)


def test_a_new_version_is_published_in_a_draft_only() -> None:
    study = make_study(is_open=False)
    actor = staff(clinician_of(study))
    text = publish_consent_text(study=study, language="en", pages=PAGES, actor=actor)
    assert (text.version, len(text.sha256)) == (2, 64)
    with pytest.raises(MoveRefused, match="a draft was expected"):
        publish_consent_text(study=make_study(), language="en", pages=PAGES, actor=actor)
