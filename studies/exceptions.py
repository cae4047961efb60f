"""What stands in the way of a step of the protocol; `code` is stable, the message is for staff."""


class StudyError(Exception):
    """Base of all refusals by the trial."""

    code = "study"


class ClockIsFixed(StudyError):
    """A real study runs on the real clock."""

    code = "clock_fixed"

    def __init__(self) -> None:
        super().__init__(
            "the clock moves in demonstration and test modes only, and this installation is real. "
            "Start one with ./run demo."
        )
