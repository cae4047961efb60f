import numpy as np
import pytest

from studies.design.synthetic import Person, person
from studies.services.allocation import arm_kind_of
from studies.services.demonstration.mornings import WEEKS_AT_MOST, weeks_written
from tests.factories import make_participant, make_study

pytestmark = pytest.mark.django_db


def _person(seed: int) -> Person:
    return person(np.random.default_rng(seed))


def test_how_long_somebody_writes_depends_on_the_person_and_not_on_the_arm() -> None:
    study = make_study()
    people = [make_participant("allocated", study=study) for _ in range(4)]
    seen = {}
    for someone in people:
        kind = arm_kind_of(someone)
        place = seen[kind] = seen.get(kind, 0) + 1
        weeks = [weeks_written(someone, _person(seed)) for seed in range(6)]
        if place == 2:
            assert set(weeks) == {WEEKS_AT_MOST}
        else:
            assert weeks == [1 + round(3 * (_person(seed).adherence - 0.25) / 0.4)
                             for seed in range(6)]  # fmt: skip
