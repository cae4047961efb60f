"""What may go wrong when a response is kept; each error names the obstacle and carries a code."""

from uuid import UUID


class ResponseError(Exception):
    """Something that was asked of a response cannot be done."""

    code = "response_error"


class ResponseLocked(ResponseError):
    """The response was handed in; its answers, scores and times stay as they are."""

    code = "response_locked"

    def __init__(self, response_id: UUID) -> None:
        self.response_id = response_id
        super().__init__(
            f"expected a draft, got the submitted response {response_id}. "
            "A correction is a new revision with its reason."
        )


class IncompleteResponse(ResponseError):
    """Required items have no answer yet."""

    code = "response_incomplete"

    def __init__(self, missing: tuple[str, ...]) -> None:
        self.missing = missing
        super().__init__(
            f"expected every required item answered, {len(missing)} are missing: "
            f"{', '.join(missing)}. Answer them, then submit again."
        )


class NaiveMoment(ResponseError):
    """A moment came without its time zone."""

    code = "naive_moment"

    def __init__(self, moment: object) -> None:
        super().__init__(
            f"expected an aware moment in UTC, got {moment!r}. Pass the trial's clock."
        )


class KeptForever(ResponseError):
    """The row is written once; what came of it rests on it."""

    code = "kept_forever"

    def __init__(self, what: object) -> None:
        super().__init__(
            f"expected a new {what}, got a change to one that is kept. Load a new one."
        )


class WordingInUse(ResponseError):
    """People have answered to the words in force, and the new ones differ."""

    code = "wording_in_use"

    def __init__(self, instrument: str, language: str, n_responses: int) -> None:
        super().__init__(
            f"expected the words of {instrument} in {language} that are in force, got others; "
            f"{n_responses} responses were begun with those in force. Old and new answers may not "
            "compare: ask the statistician, then load them with --replace. Responses already begun "
            "keep their words."
        )


class NothingToCorrect(ResponseError):
    """The response is still a draft, or says already what it should."""

    code = "nothing_to_correct"

    def __init__(self, got: str) -> None:
        super().__init__(
            f"expected a submitted response and another answer, got {got}. "
            "Answer a draft on its own page; correct only what is wrong."
        )


class RevisionOutdated(ResponseError):
    """Somebody else corrected the response meanwhile."""

    code = "revision_outdated"

    def __init__(self, seen: int, newest: int) -> None:
        super().__init__(
            f"expected a correction of revision {newest}, got one of revision {seen}. "
            "Look at the newest revision, then decide again."
        )
