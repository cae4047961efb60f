"""What stands in the way of a request for music; `code` is stable, the message is for staff."""


class GeneratorError(Exception):
    """Base of all refusals by the generator."""

    code = "generator"


class PlaylistIsFinal(GeneratorError):
    """Only a playlist that is waiting or in work can be cancelled."""

    code = "playlist_final"

    def __init__(self, *, playlist: object, state: str) -> None:
        super().__init__(
            f"a playlist that is waiting or in work was expected, got {playlist}, which is "
            f"{state}. There is nothing left to cancel."
        )


class PlaylistNotRetryable(GeneratorError):
    """Only a playlist that failed or was cancelled can be asked for again."""

    code = "playlist_not_retryable"

    def __init__(self, *, playlist: object, state: str) -> None:
        super().__init__(
            f"a playlist that failed or was cancelled was expected, got {playlist}, which is "
            f"{state}. Wait for it to finish, or request another one."
        )
