"""What can be done with a response."""

from questionnaires.services.responses import (
    SavedAnswer,
    save_answer,
    start_response,
    submit_response,
)

__all__ = ["SavedAnswer", "save_answer", "start_response", "submit_response"]
