"""Who may do what in a study: the one table of role x ability that the code and the tests read.

Duties are parted as a trial parts them: who looks after people reads no results, who reads results
looks after nobody, and nobody but the unblinded statistician comes near the allocation sequence.
A therapist's own abilities come from the arm with lessons; an administrator runs the machinery and
sees no data.

References
----------
ICH E6(R3) 4.1 (blinding) and 4.3.8 (access by duty, site and blinding).
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum


class RoleName(StrEnum):
    """What a member of staff does in a study."""

    PRINCIPAL_INVESTIGATOR = "principal_investigator"
    COORDINATOR = "coordinator"
    THERAPIST = "therapist"
    ASSESSOR = "assessor"
    RESEARCHER = "researcher"
    STATISTICIAN = "statistician"
    MONITOR = "monitor"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class Ability(StrEnum):
    """A thing that a role allows."""

    SET_UP = "set_up"
    CONFIRM_OPENING = "confirm_opening"
    SEE_PROTOCOL = "see_protocol"
    SIMULATE = "simulate"
    SEE_SEQUENCE = "see_sequence"
    INVITE = "invite"
    REVEAL_CONTACT = "reveal_contact"
    SEE_PARTICIPANTS = "see_participants"
    ALLOCATE = "allocate"
    WITHDRAW = "withdraw"
    CORRECT = "correct"
    ENTER_PAPER = "enter_paper"
    CLOSE = "close"
    SEE_OUTCOMES = "see_outcomes"
    EXPORT = "export"
    UNBLIND = "unblind"
    BREAK_BLIND = "break_blind"
    LOCK = "lock"
    SIGN = "sign"
    MANAGE_MEMBERS = "manage_members"
    SEE_PROGRESS = "see_progress"
    READ_AUDIT = "read_audit"
    REVIEW_AUDIT = "review_audit"
    TREAT = "treat"
    HANDLE_SAFETY = "handle_safety"
    QUERY = "query"
    SEE_ADHERENCE = "see_adherence"


ROLE_ABILITIES: Mapping[str, frozenset[Ability]] = {
    # Answers for the trial: sets it up, opens and closes it, says who works on it.
    RoleName.PRINCIPAL_INVESTIGATOR: frozenset(
        {
            Ability.SET_UP,
            Ability.CONFIRM_OPENING,
            Ability.SEE_PROTOCOL,
            Ability.SIMULATE,
            Ability.INVITE,
            Ability.REVEAL_CONTACT,
            Ability.SEE_PARTICIPANTS,
            Ability.ALLOCATE,
            Ability.WITHDRAW,
            Ability.CORRECT,
            Ability.ENTER_PAPER,
            Ability.CLOSE,
            Ability.BREAK_BLIND,
            Ability.LOCK,
            Ability.SIGN,
            Ability.MANAGE_MEMBERS,
            Ability.SEE_PROGRESS,
            Ability.READ_AUDIT,
            Ability.HANDLE_SAFETY,
            Ability.QUERY,
            Ability.SEE_ADHERENCE,
        }
    ),
    # Looks after people at a site, day by day.
    RoleName.COORDINATOR: frozenset(
        {
            Ability.CONFIRM_OPENING,
            Ability.SEE_PROTOCOL,
            Ability.INVITE,
            Ability.REVEAL_CONTACT,
            Ability.SEE_PARTICIPANTS,
            Ability.ALLOCATE,
            Ability.WITHDRAW,
            Ability.CORRECT,
            Ability.ENTER_PAPER,
            Ability.BREAK_BLIND,
            Ability.LOCK,
            Ability.SEE_PROGRESS,
            Ability.HANDLE_SAFETY,
            Ability.SEE_ADHERENCE,
        }
    ),
    # Guides people through the lessons, and so knows who has them.
    RoleName.THERAPIST: frozenset({Ability.SEE_PROTOCOL, Ability.TREAT}),
    # Sees people and their visits, stays blind to the arm.
    RoleName.ASSESSOR: frozenset({Ability.SEE_PROTOCOL, Ability.SEE_PARTICIPANTS}),
    # Reads results, pooled until the study is unblinded, and never looks after people.
    RoleName.RESEARCHER: frozenset(
        {
            Ability.SEE_PROTOCOL,
            Ability.SEE_OUTCOMES,
            Ability.EXPORT,
            Ability.CLOSE,
            Ability.UNBLIND,
            Ability.SEE_PROGRESS,
            Ability.SEE_ADHERENCE,
        }
    ),
    # Makes or imports the allocation sequence: the only one who may know a future slot.
    RoleName.STATISTICIAN: frozenset(
        {
            Ability.SEE_PROTOCOL,
            Ability.SIMULATE,
            Ability.SEE_SEQUENCE,
            Ability.SEE_PROGRESS,
        }
    ),
    # Looks at everything that blinded staff enter, changes nothing, signs what was read.
    RoleName.MONITOR: frozenset(
        {
            Ability.SEE_PROTOCOL,
            Ability.SEE_PARTICIPANTS,
            Ability.SEE_PROGRESS,
            Ability.READ_AUDIT,
            Ability.REVIEW_AUDIT,
            Ability.QUERY,
        }
    ),
    # Reads who did what, and no more.
    RoleName.AUDITOR: frozenset({Ability.SEE_PROTOCOL, Ability.SEE_PROGRESS, Ability.READ_AUDIT}),
    # Runs the machinery; sees counts, no people and no results.
    RoleName.ADMINISTRATOR: frozenset({Ability.MANAGE_MEMBERS, Ability.SEE_PROGRESS}),
}
# Who may know of a future slot can do nothing that such knowledge would bend.
BENT_BY_FORESIGHT = frozenset(
    {Ability.SET_UP, Ability.INVITE, Ability.SEE_PARTICIPANTS, Ability.ALLOCATE}
)


def abilities_of(roles: Iterable[str]) -> frozenset[Ability]:
    """Return everything that these roles allow together."""
    return frozenset().union(*(ROLE_ABILITIES[role] for role in roles))


def roles_with(ability: Ability) -> tuple[str, ...]:
    """Return the roles that allow this, in the order of the table."""
    return tuple(str(role) for role, allowed in ROLE_ABILITIES.items() if ability in allowed)


def roles_that_exclude(role: str, held: Iterable[str]) -> tuple[str, ...]:
    """Return which of the roles somebody holds already cannot be joined with this one."""
    return tuple(other for other in held if _excludes(role, other) or _excludes(other, role))


def _excludes(foreseeing: str, acting: str) -> bool:
    sees = Ability.SEE_SEQUENCE in ROLE_ABILITIES[foreseeing]
    return sees and bool(BENT_BY_FORESIGHT & ROLE_ABILITIES[acting])
