import numpy as np
import pytest

from studies.selectors.outcomes import outcomes_of
from studies.services.allocation import arm_of
from studies.services.closing.locks import lock_database
from studies.services.protocol.setup import close_study, unblind_study
from studies.services.trail.audit import SYSTEM
from tests.factories import make_participant, make_study

pytestmark = pytest.mark.django_db


def test_outcomes_are_aligned_by_participant_and_missing_ones_are_nan() -> None:
    study = make_study()
    done = make_participant("week8", study=study)
    begun = make_participant("allocated", study=study)
    outcomes = outcomes_of(study)
    assert outcomes.codes == tuple(sorted([done.code, begun.code]))
    place = {code: row for row, code in enumerate(outcomes.codes)}
    week8 = outcomes.scores("cpss", "total", 8)
    assert week8[place[done.code]] == 14
    assert np.isnan(week8[place[begun.code]])
    assert np.isnan(outcomes.scores("nothing", "total", 0)).all()


def test_the_arm_is_told_after_unblinding_only() -> None:
    study = make_study()
    people = [make_participant("allocated", study=study) for _ in range(3)]
    assert set(outcomes_of(study).arms) == {"all"}
    study = close_study(study=study, actor=SYSTEM, reason="test")
    assert set(outcomes_of(study).arms) == {"all"}
    lock_database(study=study, actor=SYSTEM)
    study = unblind_study(study=study, actor=SYSTEM, reason="test")
    outcomes = outcomes_of(study)
    assert dict(zip(outcomes.codes, outcomes.arms, strict=True)) == {
        person.code: arm_of(person).code for person in people
    }
