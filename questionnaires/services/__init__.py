"""What can be done with a response."""

from questionnaires.services.corrections import Correction, correct_answer
from questionnaires.services.responses import (
    Given,
    SavedAnswer,
    decline_answer,
    save_answer,
    save_answers,
    start_response,
    submit_response,
)

__all__ = [
    "Correction",
    "Given",
    "SavedAnswer",
    "correct_answer",
    "decline_answer",
    "save_answer",
    "save_answers",
    "start_response",
    "submit_response",
]
