"""The page of the trail: what a reader asks for, and the monitor's signature under it."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from studies import clock
from studies.models.audit import AuditHead
from studies.models.participant import Participant
from studies.models.review import AuditReview
from studies.models.study import Role
from studies.services.closing.unblinding import report_unblinding
from studies.services.trail.audit import SYSTEM
from tests.factories import PASSWORD, make_participant, make_staff, make_study
from tests.studies.services.closing.test_locks import correct, sheet
from tests.studies.views.browsers import desk_of, short_plan
from therapy_site.demonstration import current_code

pytestmark = pytest.mark.django_db


@pytest.fixture
def participant() -> Participant:
    return make_participant("week4", study=make_study(protocol=short_plan()))


def shown(desk: Client, participant: Participant, **asked: str) -> list[str]:
    """Return the actions on the page, newest first."""
    response = desk.get(reverse("studies:trail", args=[participant.study.code]), asked)
    assert response.status_code == 200
    return [entry.action for entry in response.context["page"]]


def test_the_trail_tells_the_time_in_utc_wherever_the_study_is() -> None:
    study = make_study(zone="Asia/Shanghai")
    desk = desk_of(make_staff(Role.MONITOR, study=study))
    response = desk.get(reverse("studies:trail", args=[study.code]))
    [entry, *_older] = response.context["page"]
    assert f"<td>{entry.at:%Y-%m-%d %H:%M:%S}</td>" in response.content.decode()


def test_the_trail_is_filtered_by_what_a_reader_asks_for(participant: Participant) -> None:
    desk = desk_of(make_staff(Role.MONITOR, study=participant.study))
    assert shown(desk, participant, part="after_unblinding") == []
    assert shown(desk, participant, part="after_submission") == []
    correct(sheet(participant), SYSTEM)
    assert shown(desk, participant, part="after_submission") == ["correct_answer"]
    why = {"reason": "said so", "impact": "none", "actor": SYSTEM}
    report_unblinding(participant=participant, **why)
    assert shown(desk, participant, part="after_unblinding") == ["unblind_participant"]
    assert set(shown(desk, participant, action="allocate")) == {"allocate"}
    assert "invite_participant" in shown(desk, participant, code=participant.code)
    assert "open_study" not in shown(desk, participant, code=participant.code)
    assert shown(desk, participant, code="NQ-0000-0") == []
    assert set(shown(desk, participant, actor=participant.code)) >= {"submit_assessment"}
    tomorrow = clock.today(participant.study.zone) + timedelta(days=1)
    assert shown(desk, participant, since=f"{tomorrow}") == []
    # What cannot be read leaves nothing out.
    assert shown(desk, participant, since="soon", part="secret") != []


def test_a_monitor_signs_how_far_the_trail_was_read(participant: Participant) -> None:
    study = participant.study
    monitor = make_staff(Role.MONITOR, study=study)
    desk, address = desk_of(monitor), reverse("studies:trail_review", args=[study.code])
    read = {"note": "nothing to query", "up_to": AuditHead.objects.get(chain=study.code).length}
    for wrong in ({}, {"password": PASSWORD, "code": "000000"}):
        assert desk.post(address, {**read, **wrong}).status_code == 200
    assert not AuditReview.objects.exists()
    proof = {"password": PASSWORD, "code": current_code(monitor)}
    assert desk.post(address, {**read, **proof}).status_code == 302
    assert AuditReview.objects.get().up_to == read["up_to"]
    assert shown(desk, participant, part="unreviewed") == ["review_audit"]
