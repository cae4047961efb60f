import pytest

from studies.design.roles import (
    ROLE_ABILITIES,
    Ability,
    RoleName,
    abilities_of,
    roles_that_exclude,
    roles_with,
)
from studies.models.study import Role


def test_the_table_has_every_role_and_the_database_the_same_ones() -> None:
    assert set(ROLE_ABILITIES) == set(RoleName) == set(Role.values)


def test_every_ability_is_somebodys() -> None:
    assert abilities_of(ROLE_ABILITIES) == set(Ability)


def test_nobody_but_the_unblinded_statistician_may_know_a_future_slot() -> None:
    assert roles_with(Ability.SEE_SEQUENCE) == ("statistician",)


@pytest.mark.parametrize("role", ["monitor", "auditor"])
def test_who_looks_on_changes_nothing(role: str) -> None:
    looks = {Ability.SEE_PROTOCOL, Ability.SEE_PARTICIPANTS, Ability.SEE_PROGRESS}
    # Neither a monitor's question nor their signature changes an answer.
    looks |= {Ability.QUERY, Ability.REVIEW_AUDIT}
    assert ROLE_ABILITIES[role] <= looks | {Ability.READ_AUDIT}


def test_an_administrator_sees_no_data() -> None:
    assert ROLE_ABILITIES["administrator"] == {Ability.MANAGE_MEMBERS, Ability.SEE_PROGRESS}


@pytest.mark.parametrize(
    ("role", "held", "excluded"),
    [
        ("statistician", ["coordinator", "auditor"], ("coordinator",)),
        ("assessor", ["statistician"], ("statistician",)),
        ("statistician", ["researcher"], ()),
        ("coordinator", ["monitor", "therapist"], ()),
    ],
)
def test_foreseeing_slots_and_looking_after_people_exclude_each_other(
    role: str, held: list[str], excluded: tuple[str, ...]
) -> None:
    assert roles_that_exclude(role, held) == excluded
