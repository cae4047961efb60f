"""The whole trial in one test, by the product's services: from first draft to change rate."""

import csv
import io
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zipfile import ZipFile

import pytest

from generator.services.rendering import render_next
from studies import clock
from studies.models.participant import Participant, ParticipantState
from studies.models.study import ArmKind, Study, StudyState
from studies.services.allocation import allocate_participant, arm_of, rederive
from studies.services.closing.locks import lock_database
from studies.services.music.listening import record_listening
from studies.services.music.playlists import request_tonight
from studies.services.protocol.setup import close_study, create_study, open_study, unblind_study
from studies.services.results.analysis import report
from studies.services.results.export import export_study
from studies.services.trail.audit import staff, verify_chain
from studies.services.visits.scheduling import keep_calendar
from tests.factories import answer_visit, consent, invite, make_staff
from tests.generator.quick import quick_render
from tests.studies.services.learning import take_lesson

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
N_PARTICIPANTS = 8


@pytest.mark.django_db
def test_a_study_goes_from_its_first_draft_to_change_rates_by_arm() -> None:
    clinician, researcher = staff(make_staff("clinician")), staff(make_staff("researcher"))

    with clock.at(START):
        study = create_study(
            code="SLEEP-26", title="Sleep music", zone="Asia/Shanghai", actor=clinician
        )
        study = open_study(study=study, actor=clinician)
        people = [_enrol(study) for _ in range(N_PARTICIPANTS)]
        for participant in people:
            answer_visit(participant, week=0, level=3)
            participant.refresh_from_db()
            assert participant.state == ParticipantState.BASELINE_DONE
            allocate_participant(participant=participant, actor=clinician)
    arms = [arm_of(participant).code for participant in people]
    assert set(arms) <= {"CBT", "LSTM-ACM", "MCMG", "GAMC"}

    with clock.at(START + timedelta(hours=14)):
        for participant in people:
            _spend_the_evening(participant)

    for week, level in ((4, 2), (8, 1)):
        with clock.at(START + timedelta(weeks=week)):
            keep_calendar()
            for participant in people:
                answer_visit(participant, week=week, level=level)
    assert set(study.participants.values_list("state", flat=True)) == {ParticipantState.COMPLETED}

    blinded = report(study)
    assert blinded.arms == ("all",)
    cpss = blinded.cell("cpss", 8, "all")
    assert (cpss.description.n, cpss.description.mean) == (N_PARTICIPANTS, 14.0)
    assert cpss.rate_of_means.value == pytest.approx(100 * (42 - 14) / 42)

    with clock.at(START + timedelta(weeks=9)):
        study = close_study(study=study, actor=clinician)
        lock_database(study=study, actor=clinician)
        study = unblind_study(study=study, actor=researcher, reason="all data are in")
    assert study.state == StudyState.UNBLINDED
    by_arm = report(study)
    assert [by_arm.cell("psqi", 8, arm).description.n for arm in by_arm.arms] == [
        arms.count(arm) for arm in by_arm.arms
    ]

    with ZipFile(export_study(study=study, actor=researcher).file) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("SLEEP-26/scores.csv").decode())))
    totals = {(row["participant"], row["week"]) for row in rows if row["score"] == "total"}
    assert len(totals) == N_PARTICIPANTS * 3
    assert verify_chain("SLEEP-26") == []
    assert rederive(study) == []


def _enrol(study: Study) -> Participant:
    invitation = invite(study)
    consent(invitation)
    return invitation.participant


def _spend_the_evening(participant: Participant) -> None:
    if arm_of(participant).kind == ArmKind.CBT:
        take_lesson(participant)
        return
    night = request_tonight(participant=participant)
    render_next(worker="test", playlist_id=night.playlist_id, render=quick_render)
    session = record_listening(
        participant=participant, night_id=night.pk, client_id=uuid4(), intervals=[[0, 30]]
    )
    assert session.heard_s == 30
