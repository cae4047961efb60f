from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pytest_django import Settings

from questionnaires.selectors import wording_of
from questionnaires.services.importing import import_instrument
from studies.design.protocol import four_arms
from studies.exceptions import (
    AmendmentRefused,
    MoveRefused,
    ProtocolRefused,
    ReasonMissing,
    StudyNotReady,
)
from studies.forms.protocol import VisitsStep
from studies.models.audit import AuditEntry
from studies.models.study import Arm, Role, Study, StudyState
from studies.services.allocation import commitments_of
from studies.services.closing.locks import lock_database
from studies.services.protocol.setup import (
    ask_to_open,
    close_study,
    create_study,
    open_study,
    reasons_not_to_open,
    unblind_study,
    waits_to_open,
)
from studies.services.protocol.versions import drop_version, save_draft
from studies.services.trail.audit import SYSTEM, staff
from tests.factories import PASSWORD, clinician_of, make_participant, make_staff, make_study
from tests.questionnaires.instruments.test_redcap import MOOD, dictionary
from tests.studies.views.browsers import clinician_in, desk_of
from therapy_site.demonstration import current_code

pytestmark = pytest.mark.django_db


def bring_mood() -> None:
    """Import an instrument of a site's own, with English words."""
    import_instrument(
        key="mood",
        dictionary=dictionary(MOOD),
        name="mood.csv",
        language="en",
        licence="Letter 17",
        by="site",
        at=datetime(2026, 3, 2, tzinfo=UTC),
    )


def test_a_draft_has_the_templates_arms_texts_and_its_clinician() -> None:
    study = make_study(is_open=False)
    assert study.state == StudyState.DRAFT
    assert [(arm.code, arm.kind, arm.composer) for arm in Arm.objects.filter(study=study)] == [
        ("CBT", "cbt", ""),
        ("LSTM-ACM", "music", "lstm_acm"),
        ("MCMG", "music", "markov"),
        ("GAMC", "music", "genetic"),
    ]
    assert set(study.consent_texts.values_list("language", flat=True)) == {"en", "zh-hans"}
    assert study.memberships.get().role == Role.PRINCIPAL_INVESTIGATOR


@pytest.mark.parametrize(("mode", "is_synthetic"), [("demo", True), ("real", False)])
def test_everybody_in_a_demonstration_is_synthetic(
    mode: str, is_synthetic: bool, settings: Settings
) -> None:
    settings.NOCTURNE_MODE = mode
    assert make_study(is_open=False).is_synthetic is is_synthetic


def test_opening_freezes_the_protocol_and_seals_a_sequence_for_each_stratum() -> None:
    study = make_study()
    assert study.state == StudyState.OPEN
    assert study.protocol_sha256 == study.plan.sha256
    assert set(commitments_of(study)) == {"sex=female", "sex=male", "sex=other"}
    assert all(len(commitment) == 64 for commitment in commitments_of(study).values())


def test_two_studies_never_share_a_sequence() -> None:
    assert not set(commitments_of(make_study()).values()) & set(
        commitments_of(make_study()).values()
    )


def test_a_study_opens_once() -> None:
    study = make_study()
    with pytest.raises(StudyNotReady, match="not a draft any more"):
        open_study(study=study, actor=staff(clinician_of(study)))


def test_a_real_installation_refuses_functional_wording_and_lists_it(
    settings: Settings,
) -> None:
    study = make_study(is_open=False)
    assert reasons_not_to_open(study) == []
    settings.NOCTURNE_MODE = "real"
    with pytest.raises(StudyNotReady, match="working labels") as refusal:
        ask_to_open(study=study, actor=staff(clinician_of(study)))
    assert len(refusal.value.reasons) == 4
    Study.objects.filter(pk=study.pk).update(is_synthetic=True)
    assert open_study(study=study, actor=staff(clinician_of(study))).state == StudyState.OPEN


def test_a_missing_translation_of_the_consent_text_stands_in_the_way() -> None:
    study = make_study(is_open=False)
    study.consent_texts.filter(language="zh-hans").delete()
    assert reasons_not_to_open(study) == ["there is no consent text in zh-hans"]


def test_a_protocol_that_was_broken_by_hand_stands_in_the_way() -> None:
    study = make_study(is_open=False)
    Study.objects.filter(pk=study.pk).update(protocol={**study.protocol, "block_sizes": [4]})
    study.refresh_from_db()
    assert "larger than 4" in reasons_not_to_open(study)[0]


def test_a_protocol_of_ones_own_is_taken_and_a_wrong_one_refused() -> None:
    own = replace(four_arms(), night_minutes=45, block_sizes=(12, 16))
    assert make_study(protocol=own).plan == own
    with pytest.raises(ProtocolRefused, match="got"):
        create_study(
            code="X", title="X", zone="UTC", protocol={"arms": []}, actor=staff(make_staff())
        )
    assert not Study.objects.filter(code="X").exists()


def test_closing_early_wants_a_reason_and_cancels_what_is_to_come() -> None:
    participant = make_participant("allocated")
    study, actor = participant.study, staff(clinician_of(participant.study))
    with pytest.raises(StudyNotReady, match="4 assessments are still to come"):
        close_study(study=study, actor=actor)
    study = close_study(study=study, actor=actor, reason="the sponsor ended it")
    states = participant.visits.exclude(week=0).values_list("assessments__state", flat=True)
    assert (study.state, set(states)) == (StudyState.CLOSED, {"cancelled"})


def test_unblinding_wants_a_locked_study_and_a_reason() -> None:
    study = make_study()
    actor = staff(clinician_of(study))
    with pytest.raises(ReasonMissing):
        unblind_study(study=study, actor=actor, reason="  ")
    with pytest.raises(MoveRefused, match="study that is open can become closed"):
        unblind_study(study=study, actor=actor, reason="curious")
    close_study(study=study, actor=actor)
    with pytest.raises(MoveRefused, match="study that is closed can become locked"):
        unblind_study(study=study, actor=actor, reason="too early")
    lock_database(study=study, actor=actor)
    study = unblind_study(study=study, actor=actor, reason="all data are in")
    assert not study.is_blinded
    with pytest.raises(MoveRefused, match="final"):
        unblind_study(study=study, actor=actor, reason="again")


def test_a_protocol_may_ask_for_an_imported_instrument_that_has_its_words(
    settings: Settings,
) -> None:
    bring_mood()
    plan = four_arms()
    visits = tuple(
        replace(visit, instruments=(*visit.instruments, "mood")) for visit in plan.visits
    )
    study = make_study(is_open=False, protocol=replace(plan, visits=visits))
    assert reasons_not_to_open(study) == []
    settings.NOCTURNE_MODE = "real"
    reasons = [reason for reason in reasons_not_to_open(study) if "MOOD" in reason]
    assert len(reasons) == 1
    assert "manage.py load_wording mood --language zh-hans FILE --licence NOTE" in reasons[0]


def test_the_wizard_offers_what_the_site_has_imported() -> None:
    bring_mood()
    plan = four_arms()
    step = VisitsStep(protocol=plan, sites=["1"])
    assert dict(step.fields["instruments_0"].choices)["mood"] == "MOOD"
    chosen = {
        f"{name}_{number}": value
        for number, visit in enumerate(plan.visits)
        for name, value in (
            ("week", visit.week),
            ("window", visit.window_days),
            ("instruments", ["mood"]),
        )
    }
    step = VisitsStep(chosen, protocol=plan, sites=["1"])
    assert step.is_valid()
    assert [visit["instruments"] for visit in step.parts()["visits"]] == [["mood"]] * 3
    assert "sleep_diary" not in dict(step.fields["instruments_0"].choices)


def test_the_trail_says_with_which_words_a_study_began() -> None:
    study = make_study()
    opened = AuditEntry.objects.get(chain=study.code, action="open_study")
    words = wording_of("psqi", "zh-hans").sha256
    assert opened.new["wordings"]["psqi"]["zh-hans"] == words
    assert set(opened.new["wordings"]) == {"psqi", "cpss"}


@pytest.fixture
def real(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Study:
    """Return a draft of a real installation that has every licensed text."""
    monkeypatch.setattr("studies.services.protocol.setup.functional_instruments", lambda _code: [])
    study = make_study(is_open=False)
    settings.NOCTURNE_MODE = "real"
    return study


def test_a_study_of_real_people_is_opened_by_two(real: Study) -> None:
    first = staff(clinician_of(real))
    second = staff(make_staff(Role.COORDINATOR, study=real))
    for actor in (first, second, SYSTEM):
        with pytest.raises(StudyNotReady, match="one person asks"):
            open_study(study=real, actor=actor)
    ask_to_open(study=real, actor=first)
    ask_to_open(study=real, actor=second)
    assert waits_to_open(real).submitted_by == first.user
    for actor in (first, SYSTEM):
        with pytest.raises(StudyNotReady, match="somebody else than who asked"):
            open_study(study=real, actor=actor)
    with pytest.raises(AmendmentRefused, match="comes into force first"):
        save_draft(study=real, protocol=four_arms(20), actor=first)
    assert open_study(study=real, actor=second).state == StudyState.OPEN
    assert waits_to_open(Study.objects.get(pk=real.pk)) is None


def test_what_came_up_since_somebody_asked_stands_in_the_way(real: Study) -> None:
    ask_to_open(study=real, actor=staff(clinician_of(real)))
    real.consent_texts.filter(language="zh-hans").delete()
    with pytest.raises(StudyNotReady, match="no consent text in zh-hans"):
        open_study(study=real, actor=staff(make_staff(Role.COORDINATOR, study=real)))


def test_a_request_is_given_up_for_a_reason_and_the_draft_goes_on(real: Study) -> None:
    actor = staff(clinician_of(real))
    ask_to_open(study=real, actor=actor)
    drop_version(study=real, actor=actor, reason="the nights are too short")
    assert waits_to_open(real) is None
    save_draft(study=real, protocol=four_arms(20), actor=actor)
    ask_to_open(study=Study.objects.get(pk=real.pk), actor=actor)
    versions = real.protocol_versions.order_by("number").values_list("number", "state")
    assert list(versions) == [(1, "superseded"), (2, "submitted")]


def test_one_person_opens_where_the_protocol_says_nothing_of_two(real: Study) -> None:
    alone = replace(real.plan, two_people_open=False)
    save_draft(study=real, protocol=alone, actor=SYSTEM)
    study = Study.objects.get(pk=real.pk)
    assert open_study(study=study, actor=SYSTEM).state == StudyState.OPEN


def test_the_second_person_proves_who_they_are(real: Study) -> None:
    first = clinician_in(real)
    page = f"/clinic/{real.code}/open/confirm/"
    assert first.get(page).status_code == 302
    first.post(f"/clinic/{real.code}/open/")
    assert "A second person confirms it" in first.get(f"/clinic/{real.code}/").content.decode()
    account = make_staff(Role.COORDINATOR, study=real)
    second = desk_of(account)
    assert page in second.get(f"/clinic/{real.code}/").content.decode()
    wrong = second.post(page, {"password": PASSWORD, "code": "000000"})
    assert "The password or the code is not right" in wrong.content.decode()
    assert Study.objects.get(pk=real.pk).state == StudyState.DRAFT
    proof = {"password": PASSWORD, "code": current_code(account)}
    assert second.post(page, proof).status_code == 302
    assert Study.objects.get(pk=real.pk).state == StudyState.OPEN
