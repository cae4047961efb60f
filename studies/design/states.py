"""Which moves exist; every other one is refused by name.

The names are those of the state fields in `studies/models`; a test holds both together.
"""

from collections.abc import Mapping

from studies.design.errors import ForbiddenTransition

Moves = Mapping[str, frozenset[str]]

STUDY: Moves = {
    "draft": frozenset({"open"}),
    "open": frozenset({"closed"}),
    # The database is locked before anybody learns an arm; a lock may be opened, an arm not unread.
    "closed": frozenset({"locked"}),
    "locked": frozenset({"closed", "unblinded"}),
    "unblinded": frozenset(),
}
PARTICIPANT: Moves = {
    # Screening, where a protocol has some, comes before consent.
    "invited": frozenset({"consented", "declined", "ineligible", "withdrawn"}),
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
    "scheduled": frozenset({"open", "late", "missed", "cancelled"}),
    "open": frozenset({"in_progress", "late", "missed", "cancelled"}),
    "late": frozenset({"in_progress", "missed", "cancelled"}),
    # What was begun stays begun when the window closes: it can be handed in late.
    "in_progress": frozenset({"submitted", "missed", "cancelled"}),
    "submitted": frozenset(),
    # What was filled in on paper in time may be entered when its window has gone.
    "missed": frozenset({"in_progress"}),
    "cancelled": frozenset(),
}
PROTOCOL: Moves = {
    # Content changes in a draft only; what was submitted comes into force, or is dropped.
    "draft": frozenset({"submitted"}),
    "submitted": frozenset({"active", "superseded"}),
    "active": frozenset({"superseded"}),
    "superseded": frozenset(),
}
ADVERSE_EVENT: Moves = {
    "reported": frozenset({"triaged"}),
    "triaged": frozenset({"open", "resolved"}),
    "open": frozenset({"resolved"}),
    # What seemed over may come back, until somebody closes it.
    "resolved": frozenset({"open", "closed"}),
    "closed": frozenset(),
}
ACTION_ITEM: Moves = {
    "new": frozenset({"acknowledged", "escalated", "done"}),
    "acknowledged": frozenset({"escalated", "done"}),
    "escalated": frozenset({"done"}),
    "done": frozenset(),
}
QUERY: Moves = {
    "open": frozenset({"answered", "closed"}),
    # An answer that does not settle it opens it again.
    "answered": frozenset({"open", "closed"}),
    "closed": frozenset(),
}
DEVIATION: Moves = {
    "noted": frozenset({"assessed"}),
    "assessed": frozenset(),
}
LOCK: Moves = {
    # One person asks to open a lock, another one says yes or no.
    "locked": frozenset({"unlock_asked"}),
    "unlock_asked": frozenset({"unlocked", "locked"}),
    # What is locked again has a lock of its own.
    "unlocked": frozenset(),
}
ANALYSIS_PLAN: Moves = {
    # A locked plan never changes; a later version takes its place.
    "draft": frozenset({"locked"}),
    "locked": frozenset({"superseded"}),
    "superseded": frozenset(),
}
CONSENT: Moves = {
    # An answer to a text with questions takes understanding it first; a no does not.
    "issued": frozenset({"understood", "refused", "superseded"}),
    "understood": frozenset({"agreed", "refused", "superseded"}),
    "agreed": frozenset({"superseded", "revoked"}),
    # A child's no is final: no parent's yes can turn it.
    "refused": frozenset(),
    "superseded": frozenset(),
    "revoked": frozenset(),
}
MACHINES: Mapping[str, Moves] = {
    "lock": LOCK,
    "study": STUDY,
    "protocol": PROTOCOL,
    "participant": PARTICIPANT,
    "assessment": ASSESSMENT,
    "analysis_plan": ANALYSIS_PLAN,
    "consent": CONSENT,
    "adverse_event": ADVERSE_EVENT,
    "action_item": ACTION_ITEM,
    "query": QUERY,
    "deviation": DEVIATION,
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
