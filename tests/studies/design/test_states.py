from itertools import product

import pytest

from studies.design.errors import ForbiddenTransition
from studies.design.states import (
    ACTION_ITEM,
    ADVERSE_EVENT,
    ANALYSIS_PLAN,
    ASSESSMENT,
    CONSENT,
    DEVIATION,
    LOCK,
    MACHINES,
    PARTICIPANT,
    PROTOCOL,
    QUERY,
    STUDY,
    Moves,
    require_move,
)
from studies.exceptions import MoveRefused
from studies.models.analysis import PlanState
from studies.models.consent import ConsentState
from studies.models.deviation import DeviationState
from studies.models.lock import LockState
from studies.models.participant import ParticipantState
from studies.models.protocol import VersionState
from studies.models.query import QueryState
from studies.models.safety import EventState, ItemState
from studies.models.state import StateMachine
from studies.models.study import StudyState
from studies.models.visit import AssessmentState

PAIRS = [
    (machine, old, new) for machine, moves in MACHINES.items() for old in moves for new in moves
]


@pytest.mark.parametrize(
    ("moves", "names"),
    [
        (LOCK, LockState),
        (STUDY, StudyState),
        (PROTOCOL, VersionState),
        (PARTICIPANT, ParticipantState),
        (ASSESSMENT, AssessmentState),
        (CONSENT, ConsentState),
        (ADVERSE_EVENT, EventState),
        (ACTION_ITEM, ItemState),
        (QUERY, QueryState),
        (DEVIATION, DeviationState),
        (ANALYSIS_PLAN, PlanState),
    ],
)
def test_the_tables_speak_of_the_states_that_rows_have(moves: Moves, names: type) -> None:
    assert set(moves) == set(names.values)
    assert set().union(*moves.values()) <= set(moves)


@pytest.mark.parametrize(("machine", "old", "new"), PAIRS)
def test_a_move_is_allowed_or_refused_by_name(machine: str, old: str, new: str) -> None:
    if new in MACHINES[machine][old]:
        require_move(machine, old, new)
    else:
        with pytest.raises(ForbiddenTransition, match=f"a {machine} that is {old}"):
            require_move(machine, old, new)


@pytest.mark.parametrize("model", StateMachine.__subclasses__(), ids=lambda model: model.machine)
def test_a_row_refuses_every_move_that_its_machine_has_not(model: type[StateMachine]) -> None:
    moves = MACHINES[model.machine]
    for old, new in product(moves, moves):
        if new not in moves[old]:
            row = model(state=old)
            with pytest.raises(MoveRefused, match=f"a {model.machine} that is {old}"):
                row.move_to(new)
            assert row.state == old


def test_every_machine_has_its_rows() -> None:
    assert sorted(model.machine for model in StateMachine.__subclasses__()) == sorted(MACHINES)


@pytest.mark.parametrize(
    ("machine", "final"), [("study", "unblinded"), ("assessment", "cancelled")]
)
def test_final_states_stay(machine: str, final: str) -> None:
    with pytest.raises(ForbiddenTransition, match="nothing: it is final"):
        require_move(machine, final, "open")


def test_nobody_is_allocated_without_baseline_and_no_study_goes_backwards() -> None:
    assert "allocated" not in PARTICIPANT["consented"] | PARTICIPANT["invited"]
    assert "open" not in STUDY["closed"] | STUDY["locked"] | STUDY["unblinded"]
    assert "unblinded" not in STUDY["closed"]
    assert "open" not in ASSESSMENT["submitted"]
