import pytest

from studies.models.participant import ParticipantState
from studies.selectors.progress import progress_of, progress_of_all
from tests.factories import make_participant, make_study

pytestmark = pytest.mark.django_db


def test_people_and_visits_are_counted() -> None:
    study = make_study()
    for at in ("invited", "baseline_done", "allocated", "week4"):
        make_participant(at, study=study)
    progress = progress_of(study)
    assert dict(progress.by_state)[str(ParticipantState.ALLOCATED.label)] == 2
    assert progress.n_participants == 4
    assert [(v.week, v.n_submitted, v.n_to_come) for v in progress.visits] == [
        (0, 6, 0), (4, 2, 2), (8, 0, 4),
    ]  # fmt: skip


def test_every_state_has_a_line_and_an_empty_study_is_all_zeros() -> None:
    progress = progress_of(make_study())
    assert len(progress.by_state) == len(ParticipantState)
    assert (progress.n_participants, progress.visits) == (0, ())


def test_all_studies_newest_first() -> None:
    first, second = make_study(), make_study()
    assert [progress.study for progress in progress_of_all()] == [second, first]
