"""Which moves exist; every other one is refused by name.

The names are those of the state fields in `studies/models`; a test holds both together.
"""

from collections.abc import Mapping

from studies.design.errors import ForbiddenTransition

Moves = Mapping[str, frozenset[str]]

STUDY: Moves = {
    "draft": frozenset({"open"}),
    "open": frozenset({"closed"}),
    "closed": frozenset({"unblinded"}),
    "unblinded": frozenset(),
}
PARTICIPANT: Moves = {
    "invited": frozenset({"consented", "declined", "withdrawn"}),
    "consented": frozenset({"baseline_done", "ineligible", "withdrawn"}),
    # A corrected baseline decides eligibility again, until somebody is allocated.
    "baseline_done": frozenset({"allocated", "ineligible", "withdrawn"}),
    "allocated": frozenset({"completed", "withdrawn"}),
    # What was given can be taken back afterwards too.
    "completed": frozenset({"withdrawn"}),
    "declined": frozenset({"withdrawn"}),
    "ineligible": frozenset({"baseline_done", "withdrawn"}),
    "withdrawn": frozenset(),
}
ASSESSMENT: Moves = {
    "scheduled": frozenset({"open", "missed", "cancelled"}),
    "open": frozenset({"in_progress", "missed", "cancelled"}),
    "in_progress": frozenset({"submitted", "missed", "cancelled"}),
    "submitted": frozenset(),
    "missed": frozenset(),
    "cancelled": frozenset(),
}
PROTOCOL: Moves = {
    # Content changes in a draft only; what was submitted comes into force, or is dropped.
    "draft": frozenset({"submitted"}),
    "submitted": frozenset({"active", "superseded"}),
    "active": frozenset({"superseded"}),
    "superseded": frozenset(),
}
MACHINES: Mapping[str, Moves] = {
    "study": STUDY,
    "protocol": PROTOCOL,
    "participant": PARTICIPANT,
    "assessment": ASSESSMENT,
}


def require_move(machine: str, old: str, new: str) -> None:
    """Return nothing if a `machine` may move from `old` to `new`.

    Raises
    ------
    ForbiddenTransition
        The move does not exist.
    """
    allowed = MACHINES[machine][old]
    if new not in allowed:
        raise ForbiddenTransition(machine, old, new, allowed)
