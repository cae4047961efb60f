import pytest
from django.db import DatabaseError, transaction

from studies.exceptions import PlanRefused, ReasonMissing
from studies.models.analysis import AnalysisPlanVersion, PlanState
from studies.models.audit import AuditEntry
from studies.services.planning.plans import (
    chosen_content,
    deviations,
    draft_of,
    lock_before_unblinding,
    lock_plan,
    locked_plan,
    read_plan,
    save_plan,
)
from studies.services.planning.proposal import proposed_plan
from studies.services.trail.audit import SYSTEM
from tests.factories import make_study
from tests.studies.services.ending import end

pytestmark = pytest.mark.django_db


def with_level(content, level):
    return dict(content) | {"level": level}


def test_the_proposal_of_a_protocol_is_a_plan_that_can_be_read():
    study = make_study()
    plan = read_plan(proposed_plan(study.plan))
    assert plan.primary.outcome == "psqi"
    assert plan.primary.visit == "8"
    assert plan.reference_arm == "CBT"
    assert plan.arms == ("CBT", "LSTM-ACM", "MCMG", "GAMC")
    assert plan.randomisation.sizes == tuple(study.plan.block_sizes)
    assert [(m.outcome, m.visit) for m in plan.mediators] == [("cpss", "4")]
    assert len(plan.reliability["cpss"]) == 14


def test_a_draft_is_kept_once_and_locked_for_good_with_an_entry_each():
    study = make_study()
    save_plan(study=study, content=chosen_content(study), actor=SYSTEM)
    save_plan(study=study, content=with_level(chosen_content(study), 0.9), actor=SYSTEM)
    version = lock_plan(study=study, actor=SYSTEM)
    assert (version.number, version.state, version.content["level"]) == (1, "locked", 0.9)
    assert version.is_before_unblinding
    actions = AuditEntry.objects.filter(subject_type="studies.analysisplanversion")
    assert list(actions.order_by("number").values_list("action", flat=True)) == [
        "draft_analysis_plan", "draft_analysis_plan", "lock_analysis_plan",
    ]  # fmt: skip
    with pytest.raises(PlanRefused, match="a draft"):
        lock_plan(study=study, actor=SYSTEM)


def test_the_database_itself_refuses_to_change_or_delete_a_locked_plan():
    study = make_study()
    save_plan(study=study, content=chosen_content(study), actor=SYSTEM)
    version = lock_plan(study=study, actor=SYSTEM)
    rows = AnalysisPlanVersion.objects.filter(pk=version.pk)
    with pytest.raises(DatabaseError, match="immutable"), transaction.atomic():
        rows.update(content={})
    with pytest.raises(DatabaseError, match="immutable"), transaction.atomic():
        rows.delete()


def test_changing_a_locked_plan_wants_a_reason_and_makes_a_new_version():
    study = make_study()
    save_plan(study=study, content=chosen_content(study), actor=SYSTEM)
    first = lock_plan(study=study, actor=SYSTEM)
    changed = with_level(chosen_content(study), 0.9)
    with pytest.raises(ReasonMissing):
        save_plan(study=study, content=changed, actor=SYSTEM)
    save_plan(study=study, content=changed, actor=SYSTEM, reason="reviewers asked")
    second = lock_plan(study=study, actor=SYSTEM)
    first.refresh_from_db()
    assert (first.state, second.number) == (PlanState.SUPERSEDED, 2)
    assert deviations(second) == [], "while blinded a plan may change"


@pytest.mark.parametrize(
    ("part", "value"),
    [("visits", []), ("primary", {"outcome": "mood", "visit": 8}), ("level", 2), ("nonsense", 1)],
)
def test_what_is_no_plan_is_refused_and_leaves_nothing(part, value):
    study = make_study()
    with pytest.raises(PlanRefused):
        save_plan(study=study, content=chosen_content(study) | {part: value}, actor=SYSTEM)
    assert draft_of(study) is None


def test_unblinding_locks_the_plan_as_it_stands():
    study = make_study()
    save_plan(study=study, content=with_level(chosen_content(study), 0.9), actor=SYSTEM)
    study = end(study)
    locked = locked_plan(study)
    assert locked.is_before_unblinding
    assert locked.content["level"] == 0.9
    assert lock_before_unblinding(study=study, actor=SYSTEM) == locked


def test_unblinding_without_a_plan_locks_what_the_protocol_proposes():
    study = end(make_study())
    assert locked_plan(study).content == read_plan(proposed_plan(study.plan)).as_data()


def test_what_is_locked_after_unblinding_carries_its_deviations_with_their_reason():
    study = end(make_study())
    changed = with_level(chosen_content(study), 0.9)
    save_plan(study=study, content=changed, actor=SYSTEM, reason="a journal wants 90 %")
    late = lock_plan(study=study, actor=SYSTEM)
    assert not late.is_before_unblinding
    assert deviations(late) == [
        {"part": "level", "planned": 0.95, "analysed": 0.9, "reason": "a journal wants 90 %"}
    ]
