import json

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction

from studies import clock
from studies.design.windows import morning_of
from studies.models.audit import AuditEntry, AuditHead
from studies.models.participant import Participant
from studies.models.user import User
from studies.services.allocation import arm_kind_of
from studies.services.cbt.diary import diary_for
from studies.services.cbt.messages import send_message
from studies.services.conduct.withdrawal import withdraw_participant
from studies.services.music.preferences import state_preferences
from studies.services.results.export import export_study
from studies.services.trail.audit import SYSTEM, record, staff, verify_chain
from tests.audit_triggers import MIGRATION
from tests.factories import clinician_of, make_participant, make_study
from tests.studies.services.learning import take_lesson

pytestmark = pytest.mark.django_db

# What is trial data and yet not named by an entry of its own, and why.
COVERED_BY_ANOTHER = {
    "studies.user": "accounts are the site's, not a study's",
    "studies.auditentry": "is the trail",
    "studies.audithead": "is the trail",
    "studies.arm": "made with the study, whose entry has the protocol's hash",
    "studies.allocationstream": "made with the opening, whose entry has the commitments",
    "studies.allocation": "the participant's entry has stratum and slot, and must not tell the arm",
    "studies.personkey": "made with the participant's identity; a key is nobody's to read",
    "studies.contactdetails": "made with the participant; the trail holds no identity",
    "studies.copymail": "waits since the consent, whose entry has the copy; its end has its own",
    "studies.withdrawal": "the participant's entry has the scope",
}


def _tamper(sql: str) -> None:
    put, take = MIGRATION.STATEMENTS[connection.vendor]
    with connection.cursor() as cursor:
        for statement in [*take, sql, *put]:
            cursor.execute(statement)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE studies_auditentry SET actor = 'somebody'",
        "DELETE FROM studies_auditentry",
        "TRUNCATE studies_auditentry",
    ],
)
def test_the_database_itself_refuses_to_change_the_trail(sql: str) -> None:
    make_study()
    if sql.startswith("TRUNCATE"):
        if connection.vendor == "sqlite":
            pytest.skip("SQLite has no TRUNCATE")
        # Nothing may be pending, or PostgreSQL refuses for that reason.
        connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        connection.cursor().execute(sql)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEntry.objects.first().save()


def test_an_untouched_chain_holds_and_chains_are_apart() -> None:
    first, second = make_study(), make_study()
    assert verify_chain(first.code) == verify_chain(second.code) == []
    numbers = AuditEntry.objects.filter(chain=first.code).values_list("number", flat=True)
    assert list(numbers) == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("UPDATE studies_auditentry SET actor = 'x' WHERE number = 3", "altered"),
        ("UPDATE studies_auditentry SET new = NULL WHERE number = 3", "altered"),
        ("UPDATE studies_auditentry SET reason = 'because' WHERE number = 3", "altered"),
        ("DELETE FROM studies_auditentry WHERE number = 3", "missing"),
        ("DELETE FROM studies_auditentry WHERE number >= 3", "cut off"),
    ],
)
def test_any_change_behind_the_triggers_is_found(sql: str, reason: str) -> None:
    study = make_study()
    _tamper(sql)
    assert any(reason in place.reason for place in verify_chain(study.code))


def test_an_entry_says_who_in_which_role_when_and_what() -> None:
    study = make_study()
    entry = AuditEntry.objects.get(chain=study.code, action="open_study")
    assert entry.actor == clinician_of(study).username
    assert entry.user == clinician_of(study)
    assert entry.role == "principal_investigator"
    assert entry.old == {"state": "draft"}
    assert entry.new["protocol_sha256"] == study.protocol_sha256
    assert abs((clock.now() - entry.at).total_seconds()) < 60


def test_what_belongs_to_no_study_goes_into_the_sites_chain() -> None:
    account = User.objects.create_user("somebody")
    entry = record(actor=staff(account), action="sign_in", subject=account)
    assert (entry.chain, entry.role) == ("site", "staff")
    assert record(actor=SYSTEM, action="x", subject=account).role == "system"
    assert verify_chain("site") == []


def test_a_rolled_back_step_leaves_no_entry_and_an_unbroken_chain() -> None:
    study = make_study()
    length = AuditHead.objects.get(chain=study.code).length
    with transaction.atomic():
        record(actor=SYSTEM, action="x", subject=study)
        transaction.set_rollback(True)
    assert AuditHead.objects.get(chain=study.code).length == length
    assert verify_chain(study.code) == []


def _one_of_everything() -> list[Participant]:
    study = make_study()
    # Nine of a block of twelve may have other arms: of ten people one has lessons, by any seed.
    people = [make_participant("allocated", study=study) for _ in range(10)]
    cbt = next(p for p in people if arm_kind_of(p) == "cbt")
    take_lesson(cbt)
    send_message(participant=cbt, text="I am Ada")
    diary_for(participant=cbt, morning_on=morning_of(clock.now(), cbt.zone))
    state_preferences(
        participant=cbt, styles={"jazz": 1}, instrument="harp", tempo_bpm=60, mode="major"
    )
    withdraw_participant(
        participant=people[-1], scope="data", reason="Ada moved away", actor=SYSTEM
    )
    export_study(study=study, actor=SYSTEM).file.close()
    return people


def test_every_table_of_trial_data_that_a_service_writes_has_its_entry() -> None:
    """A1: every create of trial data leaves an entry, or says which entry stands for it."""
    _one_of_everything()
    written = {
        model._meta.label_lower
        for model in apps.get_app_config("studies").get_models()
        if model.objects.exists()
    }
    named = set(AuditEntry.objects.values_list("subject_type", flat=True))
    assert written - named - set(COVERED_BY_ANOTHER) == set()
    assert not named & set(COVERED_BY_ANOTHER) - {"studies.user"}


def test_no_name_contact_arm_or_answer_text_is_ever_in_the_trail() -> None:
    _one_of_everything()
    everything = json.dumps(
        [
            [entry.actor, entry.old, entry.new, entry.reason, entry.subject_id]
            for entry in AuditEntry.objects.exclude(action="create_study")
        ]
    )
    for secret in ("Ada", "ada@example.org", "LSTM", "MCMG", "GAMC", "CBT"):
        assert secret not in everything


def test_a_row_with_an_own_save_is_not_needed_to_find_its_study() -> None:
    participant = make_participant("consented")
    visit = participant.visits.get()
    assessment: models.Model = visit.assessments.first()
    for subject in (participant, visit, assessment, participant.links.first()):
        assert record(actor=SYSTEM, action="x", subject=subject).chain == participant.study.code
