"""What can be done with a response."""

from questionnaires.services.responses import (
    Given,
    SavedAnswer,
    decline_answer,
    save_answer,
    start_response,
    submit_response,
)

__all__ = [
    "Given",
    "SavedAnswer",
    "decline_answer",
    "save_answer",
    "start_response",
    "submit_response",
]
