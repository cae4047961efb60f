"""What the questionnaires keep: responses with answers and scores, and the words of a site."""

from questionnaires.models.definition import (
    ImportedInstrument,
    definition_keys,
    definition_named,
)
from questionnaires.models.response import Answer, Delivery, Response, ResponseState, Score
from questionnaires.models.wording import SiteWording

__all__ = [
    "Answer",
    "Delivery",
    "ImportedInstrument",
    "Response",
    "ResponseState",
    "Score",
    "SiteWording",
    "definition_keys",
    "definition_named",
]
