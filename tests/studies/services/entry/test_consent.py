from datetime import date, timedelta

import pytest

from studies import clock
from studies.design.protocol import four_arms
from studies.exceptions import ConsentNotUnderstood, ConsentOutdated, MoveRefused
from studies.models.audit import AuditEntry
from studies.models.consent import Consent, ConsentRole, ConsentState, ConsentText
from studies.models.participant import Participant, ParticipantState
from studies.models.visit import AssessmentState, Visit
from studies.services.conduct.agreement import answer_consent, take_permission_back
from studies.services.entry.consent import (
    answer_questions,
    current_text,
    give_consent,
    publish_consent_text,
)
from studies.services.entry.enrolment import invite_participant
from studies.services.entry.majority import agreements_missing
from studies.services.protocol.versions import activate_version, save_draft, submit_version
from studies.services.trail.audit import SYSTEM, staff, verify_chain
from tests.factories import (
    clinician_of,
    consent,
    decide,
    invite,
    make_participant,
    make_study,
    permit,
    understand,
)

pytestmark = pytest.mark.django_db
PAGES = [{"title": "New", "body": "A text that was approved."}]


def state_of(participant: Participant) -> str:
    return Participant.objects.get(pk=participant.pk).state


def adult() -> Participant:
    return invite(make_study(), age_years=18).participant


def amend_text(participant: Participant) -> None:
    """Bring an amended text into force, in both languages."""
    study = participant.study
    plain = study.plan.to_json()
    for text in plain["texts"]:
        text["pages"][0]["body"] += " A new sentence."
    protocol = type(study.plan).from_json(plain)
    save_draft(study=study, protocol=protocol, actor=SYSTEM)
    submit_version(study=study, actor=SYSTEM, reason="a new risk is known")
    activate_version(study=study, actor=SYSTEM)


# --- An adult ---------------------------------------------------------------------------------


def test_an_adults_yes_opens_baseline() -> None:
    participant = adult()
    answer = decide(participant)
    assert (answer.role, answer.state) == (ConsentRole.CONSENT, ConsentState.AGREED)
    assert state_of(participant) == ParticipantState.CONSENTED
    visit = Visit.objects.get(participant=participant)
    assert (visit.week, visit.closes_at) == (0, None)
    assert list(visit.assessments.values_list("instrument", "state")) == [
        ("psqi", AssessmentState.OPEN),
        ("cpss", AssessmentState.OPEN),
    ]


def test_the_same_answer_twice_is_one_answer() -> None:
    participant = adult()
    assert decide(participant) == decide(participant)
    assert Consent.objects.count() == Visit.objects.count() == 1


def test_a_yes_counts_only_after_the_questions_were_answered_rightly() -> None:
    participant = adult()
    text = current_text(participant)
    with pytest.raises(ConsentNotUnderstood, match="all 4 questions"):
        give_consent(participant=participant, text=text, agreed=True)
    rights = [question["answer"] for question in text.questions]
    wrong = [rights[0] % 3 + 1, *rights[1:]]
    assert answer_questions(participant=participant, text=text, chosen=wrong) == [1]
    with pytest.raises(ConsentNotUnderstood):
        give_consent(participant=participant, text=text, agreed=True)
    assert not Visit.objects.exists()
    assert answer_questions(participant=participant, text=text, chosen=rights) == []
    answer = give_consent(participant=participant, text=text, agreed=True)
    assert (answer.tries, answer.state) == (2, ConsentState.AGREED)


def test_a_no_needs_no_questions_and_cannot_be_turned() -> None:
    participant = adult()
    text = current_text(participant)
    give_consent(participant=participant, text=text, agreed=False)
    assert state_of(participant) == ParticipantState.DECLINED
    with pytest.raises(MoveRefused):
        give_consent(participant=participant, text=text, agreed=True)
    assert not Visit.objects.exists()


def test_a_text_in_another_language_or_study_is_not_the_one_asked() -> None:
    participant = invite(make_study(), language="zh-hans", age_years=18).participant
    assert current_text(participant).language == "zh-hans"
    other = ConsentText.objects.get(study=participant.study, language="en")
    foreign = ConsentText.objects.get(study=make_study(), language="zh-hans")
    for text in (other, foreign):
        with pytest.raises(ConsentOutdated):
            give_consent(participant=participant, text=text, agreed=True)


# --- A minor and a guardian -------------------------------------------------------------------


@pytest.mark.parametrize("who_is_first", ["child", "guardian"])
def test_a_minor_comes_in_when_both_have_said_yes_in_either_order(who_is_first: str) -> None:
    participant = invite(make_study()).participant
    steps = [decide, permit] if who_is_first == "child" else [permit, decide]
    steps[0](participant)
    assert state_of(participant) == ParticipantState.INVITED
    assert not Visit.objects.exists()
    steps[1](participant)
    assert state_of(participant) == ParticipantState.CONSENTED
    assert Visit.objects.count() == 1
    roles = participant.consents.filter(state=ConsentState.AGREED).values_list("role", flat=True)
    assert sorted(roles) == [ConsentRole.ASSENT, ConsentRole.PERMISSION]


def test_a_childs_no_is_final_whatever_the_guardian_says() -> None:
    participant = invite(make_study()).participant
    permit(participant)
    decide(participant, agreed=False)
    assert state_of(participant) == ParticipantState.DECLINED
    with pytest.raises(MoveRefused):
        decide(participant)
    other = invite(make_study()).participant
    decide(other, agreed=False)
    with pytest.raises(MoveRefused):
        give_consent(
            participant=other,
            text=current_text(other),
            agreed=True,
            role=ConsentRole.PERMISSION,
        )
    assert state_of(other) == ParticipantState.DECLINED


def test_without_the_guardian_the_childs_yes_is_not_enough() -> None:
    participant = invite(make_study()).participant
    decide(participant)
    permit(participant, agreed=False)
    assert state_of(participant) == ParticipantState.DECLINED
    assert participant.state_reason == "permission refused"
    assert not Visit.objects.exists()


def test_a_minor_cannot_answer_as_an_adult() -> None:
    participant = invite(make_study()).participant
    with pytest.raises(ConsentOutdated):
        give_consent(
            participant=participant,
            text=current_text(participant),
            agreed=True,
            role=ConsentRole.CONSENT,
        )


def test_the_protocol_says_from_which_age_a_guardian_is_needed() -> None:
    plain = four_arms().to_json() | {"consent": {"permission_below_years": 15}}
    study = make_study(protocol=type(four_arms()).from_json(plain))
    older, younger = (invite(study, age_years=age).participant for age in (15, 14))
    assert agreements_missing(older) == [ConsentRole.CONSENT]
    assert agreements_missing(younger) == [ConsentRole.ASSENT, ConsentRole.PERMISSION]


def test_a_permission_taken_back_stops_everything() -> None:
    participant = make_participant("allocated")
    take_permission_back(participant=participant)
    assert state_of(participant) == ParticipantState.WITHDRAWN
    states = set(participant.consents.values_list("state", flat=True))
    assert states == {ConsentState.REVOKED}
    assert not participant.links.filter(revoked_at=None).exists()
    with pytest.raises(MoveRefused, match="a permission that holds"):
        take_permission_back(participant=participant)
    assert verify_chain(participant.study.code) == []


def test_the_trail_says_who_answered_as_what() -> None:
    participant = make_participant("consented")
    given = AuditEntry.objects.filter(action__in=["give_consent", "give_permission"])
    assert {(entry.actor, entry.role, entry.new["role"]) for entry in given} == {
        (participant.code, "participant", "assent"),
        (f"guardian of {participant.code}", "guardian", "permission"),
    }
    assert not AuditEntry.objects.filter(new__icontains="Grace").exists()


# --- Asked again ------------------------------------------------------------------------------


def test_a_new_version_asks_everybody_again_and_the_old_answers_stay_on_record() -> None:
    participant = make_participant("allocated")
    amend_text(participant)
    assert current_text(participant).version == 2
    assert agreements_missing(participant) == [ConsentRole.ASSENT, ConsentRole.PERMISSION]
    assert state_of(participant) == ParticipantState.ALLOCATED
    understand(participant)
    decide(participant)
    assert agreements_missing(participant) == [ConsentRole.PERMISSION]
    permit(participant)
    assert agreements_missing(participant) == []
    old = participant.consents.filter(text__version=1).values_list("state", flat=True)
    assert set(old) == {ConsentState.SUPERSEDED}
    assert Visit.objects.filter(participant=participant, week=0).count() == 1


def test_an_old_text_cannot_be_agreed_to_any_more() -> None:
    participant = invite(make_study()).participant
    old = current_text(participant)
    amend_text(participant)
    with pytest.raises(ConsentOutdated):
        give_consent(participant=participant, text=old, agreed=True)


def test_a_no_to_the_new_version_ends_it_and_keeps_the_answers() -> None:
    participant = make_participant("allocated")
    amend_text(participant)
    answer_consent(
        participant=participant,
        text=current_text(participant),
        agreed=False,
        role=ConsentRole.ASSENT,
    )
    assert state_of(participant) == ParticipantState.WITHDRAWN
    assert participant.withdrawals.get().scope == "contact"


def test_an_amendment_of_something_else_asks_nobody_again() -> None:
    participant = make_participant("consented")
    plain = participant.study.plan.to_json() | {"night_minutes": 45}
    study = participant.study
    save_draft(study=study, protocol=type(study.plan).from_json(plain), actor=SYSTEM)
    submit_version(study=study, actor=SYSTEM, reason="longer nights")
    activate_version(study=study, actor=SYSTEM)
    assert agreements_missing(participant) == []
    assert current_text(participant).version == 1


def test_who_comes_of_age_is_asked_for_a_consent_of_their_own() -> None:
    study = make_study()
    born_on = clock.today(study.zone).replace(day=1) - timedelta(days=365 * 17 + 330)
    invitation = invite_participant(
        study=study,
        name="Ada Example",
        contact="ada@example.org",
        language="en",
        strata={"sex": "female"},
        age_years=17,
        born_on=born_on,
        actor=staff(clinician_of(study)),
    )
    participant = invitation.participant
    consent(invitation)
    assert agreements_missing(participant) == []
    with clock.at(clock.now() + timedelta(days=70)):
        assert agreements_missing(participant) == [ConsentRole.CONSENT]
        decide(participant)
        assert agreements_missing(participant) == []
    states = dict(participant.consents.values_list("role", "state"))
    assert states == {
        "assent": ConsentState.SUPERSEDED,
        "permission": ConsentState.SUPERSEDED,
        "consent": ConsentState.AGREED,
    }


def test_a_birthday_lies_under_seal() -> None:
    study = make_study()
    invite_participant(
        study=study,
        name="Ada Example",
        contact="ada@example.org",
        language="en",
        strata={"sex": "female"},
        age_years=15,
        born_on=date(2010, 5, 17),
        actor=SYSTEM,
    )
    assert not AuditEntry.objects.filter(new__icontains="2010-05-17").exists()


def test_a_text_is_published_for_a_draft_only() -> None:
    study = make_study(is_open=False)
    actor = staff(clinician_of(study))
    text = publish_consent_text(study=study, language="en", pages=PAGES, actor=actor)
    assert (text.version, len(text.sha256)) == (2, 64)
    with pytest.raises(MoveRefused, match="a draft was expected"):
        publish_consent_text(study=make_study(), language="en", pages=PAGES, actor=actor)
