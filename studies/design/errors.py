"""Errors of the trial's design; each says what was expected, what came and what to do."""

from collections.abc import Sequence


class DesignError(ValueError):
    """Base of all errors of this package."""


class ProtocolError(DesignError):
    """A protocol contradicts itself or lacks a part."""


class ProtocolFaults(ProtocolError):
    """Everything that is wrong with a protocol, each fault a sentence."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__(" ".join(self.faults))


class ForbiddenTransition(DesignError):
    """A state cannot follow another."""

    def __init__(self, machine: str, old: str, new: str, allowed: frozenset[str]) -> None:
        self.machine, self.old, self.new = machine, old, new
        follows = ", ".join(sorted(allowed)) or "nothing: it is final"
        super().__init__(
            f"a {machine} that is {old} can become {follows}; got {new}. "
            "Reload the page to see where it is now."
        )


class SealBroken(DesignError):
    """A sealed value cannot be opened."""

    def __init__(self) -> None:
        super().__init__(
            "a value sealed with one of this installation's keys was expected, got one that none "
            "of them opens. Restore the key file that belongs to this database."
        )


class LessonError(DesignError):
    """A lesson file is missing, or lacks a part."""


class WindowError(DesignError):
    """A sleep window, or its rule, is out of range."""


class CourseError(DesignError):
    """The CBT arm's settings contradict themselves or are out of range."""
