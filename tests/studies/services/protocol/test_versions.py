from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import DatabaseError, transaction
from pytest_django import Settings

from studies import clock
from studies.design.parts import ArmPlan, ConsentWording, MusicProfile, Page, VisitPlan
from studies.design.protocol import four_arms
from studies.exceptions import AmendmentRefused, MoveRefused, ProtocolRefused, ReasonMissing
from studies.models.audit import AuditEntry
from studies.models.protocol import ProtocolVersion, VersionState
from studies.models.study import Arm, Role, Study
from studies.services.protocol.setup import close_study
from studies.services.protocol.versions import (
    activate_version,
    drop_version,
    read_protocol,
    save_draft,
    submit_version,
    version_in_hand,
    version_to_confirm,
)
from studies.services.trail.audit import SYSTEM, staff, verify_chain
from tests.factories import clinician_of, make_participant, make_staff, make_study

pytestmark = pytest.mark.django_db


def _states(study: Study) -> list[str]:
    return list(study.protocol_versions.order_by("number").values_list("state", flat=True))


def _amend(study: Study, **changes: object) -> ProtocolVersion:
    protocol = replace(study.plan, **changes)
    return save_draft(study=study, protocol=protocol, actor=SYSTEM)


def test_a_draft_study_follows_its_draft_and_keeps_one_version() -> None:
    study = make_study(is_open=False)
    own = replace(
        four_arms(20),
        arms=(ArmPlan("MUSIC", "music", "markov"), ArmPlan("CBT", "cbt")),
        block_sizes=(4, 6),
        texts=(ConsentWording("en", (Page("One", "Idea."),)),
               ConsentWording("zh-hans", (Page("一", "想法。"),))),
    )  # fmt: skip
    save_draft(study=study, protocol=own, actor=SYSTEM)
    save_draft(study=study, protocol=own, actor=SYSTEM)
    study.refresh_from_db()
    assert study.plan == own
    assert list(Arm.objects.filter(study=study).values_list("code", flat=True)) == ["MUSIC", "CBT"]
    texts = study.consent_texts.filter(language="en").order_by("version")
    assert [len(text.pages) for text in texts][-1] == 1
    assert texts.count() == 2
    assert _states(study) == ["draft"]
    assert AuditEntry.objects.filter(chain=study.code, action="draft_protocol").count() == 2


def test_opening_brings_version_one_into_force() -> None:
    study = make_study()
    version = study.protocol_versions.get()
    assert (version.number, version.state) == (1, VersionState.ACTIVE)
    assert version.sha256 == study.protocol_sha256 == study.plan.sha256
    assert version.submitted_at is not None
    assert version.active_at is not None


def test_what_was_submitted_is_immutable_in_the_database_itself() -> None:
    study = make_study()
    versions = ProtocolVersion.objects.filter(study=study)
    for change in ({"content": {}}, {"sha256": "0" * 64}, {"number": 7}, {"reason": "other"}):
        with pytest.raises(DatabaseError, match="immutable"), transaction.atomic():
            versions.update(**change)
    with pytest.raises(DatabaseError, match="immutable"), transaction.atomic():
        versions.delete()
    assert versions.get().content == study.protocol


def test_an_amendment_is_drafted_submitted_with_a_reason_and_brought_into_force() -> None:
    study = make_study()
    before = make_participant("allocated", study=study)
    _amend(study, night_minutes=45, visits=(*study.plan.visits, VisitPlan(26, ("psqi",), 13)))
    study.refresh_from_db()
    assert study.plan.night_minutes == 1
    with pytest.raises(ReasonMissing):
        submit_version(study=study, actor=SYSTEM, reason=" ")
    submitted = submit_version(study=study, actor=SYSTEM, reason="people asked for longer nights")
    study.refresh_from_db()
    assert (submitted.state, study.plan.night_minutes) == ("submitted", 1)
    activate_version(study=study, actor=SYSTEM, approved_on=date(2026, 3, 1))
    study.refresh_from_db()
    assert study.plan.night_minutes == 45
    assert study.protocol_sha256 == study.plan.sha256
    assert _states(study) == ["superseded", "active"]
    entry = AuditEntry.objects.get(chain=study.code, action="activate_protocol", new__number=2)
    assert entry.new["approved_on"] == "2026-03-01"
    assert entry.reason == "people asked for longer nights"
    # Planned visits stay as they were planned; whoever is allocated from now on has the new one.
    assert before.visits.count() == 3
    assert make_participant("allocated", study=study).visits.count() == 4
    assert verify_chain(study.code) == []


def test_an_approval_of_a_day_to_come_brings_nothing_into_force() -> None:
    study = make_study()
    _amend(study, night_minutes=9)
    submit_version(study=study, actor=SYSTEM, reason="longer nights")
    tomorrow = clock.today(study.zone) + timedelta(days=1)
    with pytest.raises(AmendmentRefused, match="still to come"):
        activate_version(study=study, actor=SYSTEM, approved_on=tomorrow)
    assert _states(study) == [VersionState.ACTIVE, VersionState.SUBMITTED]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"block_sizes": (8, 16)}, "never amended"),
        ({"slots_per_stratum": 500}, "never amended"),
        ({"visits": four_arms().visits[:2]}, "Planned visits are kept"),
        ({"texts": four_arms().texts[:1]}, "may change, but not disappear"),
        ({}, "nothing differs"),
    ],
)
def test_what_may_not_be_amended_is_refused_with_its_reasons(
    changes: dict[str, object], words: str
) -> None:
    study = make_study(protocol=four_arms())
    _amend(study, **changes)
    with pytest.raises(AmendmentRefused, match=words):
        submit_version(study=study, actor=SYSTEM, reason="because")
    assert version_in_hand(study).state == VersionState.DRAFT


def test_one_version_at_a_time_is_in_hand_and_a_dropped_one_stays_on_record() -> None:
    study = make_study()
    _amend(study, music=MusicProfile(60.0))
    submit_version(study=study, actor=SYSTEM, reason="calmer")
    with pytest.raises(AmendmentRefused, match="comes into force first"):
        _amend(study, night_minutes=20)
    with pytest.raises(ReasonMissing):
        drop_version(study=study, actor=SYSTEM, reason="")
    drop_version(study=study, actor=SYSTEM, reason="the committee said no")
    assert _states(study) == ["active", "superseded"]
    for act in (activate_version, drop_version):
        with pytest.raises(AmendmentRefused, match="no version was submitted"):
            act(study=study, actor=SYSTEM, **({"reason": "x"} if act is drop_version else {}))
    assert _amend(study, night_minutes=20).number == 3


def test_nothing_is_amended_after_the_study_ended() -> None:
    study = make_study()
    close_study(study=study, actor=SYSTEM, reason="done")
    with pytest.raises(AmendmentRefused, match="ended"):
        _amend(study, night_minutes=20)
    with pytest.raises(AmendmentRefused, match="ended"):
        submit_version(study=study, actor=SYSTEM, reason="x")


def test_states_cannot_be_skipped() -> None:
    version = make_study(is_open=False).protocol_versions.get()
    with pytest.raises(MoveRefused, match="protocol that is draft"):
        version.move_to(VersionState.ACTIVE)


def test_a_protocol_that_is_wrong_is_refused_with_every_fault() -> None:
    with pytest.raises(ProtocolRefused) as refusal:
        read_protocol({**four_arms().to_json(), "night_minutes": 0, "block_sizes": [4]})
    assert len(refusal.value.faults) == 2


@pytest.fixture
def of_two(settings: Settings) -> Study:
    """Return an open study of real people whose protocol asks for two people."""
    study = make_study(protocol=replace(four_arms(), two_people_open=True))
    settings.NOCTURNE_MODE = "real"
    return study


def test_an_amendment_of_a_study_that_two_people_open_is_confirmed_by_a_second_one(
    of_two: Study,
) -> None:
    first = staff(clinician_of(of_two))
    second = staff(make_staff(Role.COORDINATOR, study=of_two))
    before = of_two.plan
    # One person cannot first amend away that it takes two.
    _amend(of_two, two_people_open=False, night_minutes=45)
    submit_version(study=of_two, actor=first, reason="longer nights")
    for actor in (first, SYSTEM):
        with pytest.raises(AmendmentRefused, match="somebody else than who asked"):
            activate_version(study=of_two, actor=actor)
    with pytest.raises(AmendmentRefused, match="no version was submitted"):
        activate_version(study=of_two, actor=second, number=3)
    of_two.refresh_from_db()
    assert (of_two.plan, _states(of_two)) == (before, ["active", "submitted"])
    assert version_to_confirm(of_two).submitted_by == first.user
    activate_version(study=of_two, actor=second, approved_on=date(2026, 3, 1), number=2)
    of_two.refresh_from_db()
    assert _states(of_two) == ["superseded", "active"]
    assert of_two.plan.night_minutes == 45
    chain = AuditEntry.objects.filter(
        chain=of_two.code, subject_id=str(of_two.protocol_versions.get(number=2).pk)
    )
    acted = dict(chain.values_list("action", "actor"))
    assert acted["submit_protocol"] == first.name
    assert acted["activate_protocol"] == second.name
    # From now on one is enough, because two have said so.
    _amend(of_two, night_minutes=30)
    submit_version(study=of_two, actor=first, reason="shorter again")
    assert version_to_confirm(of_two) is None
    assert activate_version(study=of_two, actor=first).number == 3


def test_an_amendment_that_nobody_is_on_record_for_waits_for_nobody(of_two: Study) -> None:
    _amend(of_two, night_minutes=45)
    submit_version(study=of_two, actor=SYSTEM, reason="longer nights")
    second = staff(make_staff(Role.COORDINATOR, study=of_two))
    with pytest.raises(AmendmentRefused, match="nobody is on record as who asked"):
        activate_version(study=of_two, actor=second)
    drop_version(study=of_two, actor=second, reason="to be asked for by somebody")
    assert _states(of_two) == ["active", "superseded"]


def test_what_was_submitted_does_not_come_into_force_after_the_end() -> None:
    study = make_study()
    _amend(study, night_minutes=45)
    submit_version(study=study, actor=SYSTEM, reason="longer nights")
    close_study(study=study, actor=SYSTEM, reason="done")
    with pytest.raises(AmendmentRefused, match="ended"):
        activate_version(study=study, actor=SYSTEM)
