"""What cannot be written in a format."""


class InteropError(Exception):
    """A table does not fit its format; the message says what was expected and what to do."""

    code = "interop"
