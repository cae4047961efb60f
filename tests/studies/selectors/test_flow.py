"""The flow of participants: everybody is somewhere, once, at every step."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from studies.models.participant import Participant
from studies.selectors.flow import Flow, flow_of
from studies.services.allocation import arm_of
from studies.services.closing.locks import lock_database
from studies.services.conduct.withdrawal import withdraw_participant
from studies.services.protocol.setup import close_study, unblind_study
from studies.services.trail.audit import SYSTEM
from studies.templatetags.flow_chart import flow_chart
from tests.factories import consent, invite, make_participant, make_study
from tests.studies.views.browsers import researcher_in, short_plan

pytestmark = pytest.mark.django_db


def _leave(person: Participant, scope: str) -> None:
    withdraw_participant(participant=person, scope=scope, reason="", actor=SYSTEM)


@pytest.fixture
def flow() -> Flow:
    study = make_study(protocol=short_plan())
    for stage in ("invited", "consented", "baseline_done", "allocated", "week4", "week8"):
        make_participant(stage, study=study)
    consent(invite(study), agreed=False)
    _leave(make_participant("consented", study=study), "contact")
    _leave(make_participant("allocated", study=study), "intervention")
    _leave(make_participant("week4", study=study), "contact")
    _leave(make_participant("week4", study=study), "data")
    return flow_of(study)


def test_the_flow_counts_everybody_once_at_every_step(flow: Flow) -> None:
    assert flow.n_invited == 11
    assert dict(flow.out) == {"declined": 1, "left before allocation": 1}
    assert (flow.n_on_the_way, flow.n_allocated) == (3, 6)
    assert flow.n_invited == flow.n_allocated + flow.n_on_the_way + sum(n for _l, n in flow.out)
    (pool,) = flow.arms
    assert (pool.arm, pool.n_stopped, pool.n_left, pool.n_took_data_back) == ("all", 1, 2, 1)
    assert pool.n_analysed == 5
    told = [(v.week, v.n_done, v.n_missed, v.n_to_come) for v in pool.visits]
    assert told == [(4, 4, 0, 2), (8, 1, 2, 3)]
    assert all(v.n_done + v.n_missed + v.n_to_come == pool.n_allocated for v in pool.visits)


def test_the_drawing_has_every_number_and_no_box_over_another(flow: Flow) -> None:
    drawn = flow_chart(flow)
    words = " ".join(line for box in drawn["boxes"] for _y, line in box.lines)
    for part in ("Invited: 11", "declined: 1", "on the way: 3", "Allocated: 6", "Analysed: 5"):
        assert part in words
    for number, box in enumerate(drawn["boxes"]):
        assert 0 <= box.x < box.x + box.width <= drawn["width"]
        for other in drawn["boxes"][:number]:
            apart_x = box.x >= other.x + other.width or other.x >= box.x + box.width
            assert apart_x or box.y >= other.bottom or other.y >= box.bottom


def test_arms_are_told_apart_after_unblinding_and_not_before() -> None:
    study = make_study(protocol=short_plan())
    people = [make_participant("allocated", study=study) for _ in range(3)]
    page = f"/clinic/{study.code}/flow/"
    client = researcher_in(study)
    assert "LSTM-ACM" not in client.get(page).content.decode()
    close_study(study=study, actor=SYSTEM, reason="over")
    lock_database(study=study, actor=SYSTEM)
    study = unblind_study(study=study, actor=SYSTEM, reason="the plan is signed")
    counted = {arm.arm: arm.n_allocated for arm in flow_of(study).arms}
    arms = [arm_of(person).code for person in people]
    assert counted == {arm.code: arms.count(arm.code) for arm in study.arms.all()}
    assert "LSTM-ACM" in client.get(page).content.decode()


def test_more_people_cost_no_more_queries() -> None:
    study = make_study(protocol=short_plan())
    counts = []
    for n_more in (1, 4):
        for _ in range(n_more):
            make_participant("allocated", study=study)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            flow_of(study)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 6


def test_an_empty_study_is_all_zeros() -> None:
    flow = flow_of(make_study())
    assert (flow.n_invited, flow.n_allocated, flow.n_on_the_way) == (0, 0, 0)
    assert flow_chart(flow)["height"] > 0
