"""What in a participant's answers is worth a look: the flags of their scores, in plain words."""

from dataclasses import dataclass

from django.utils.translation import get_language

from questionnaires.forms import flag_texts
from questionnaires.selectors import flag_table, wording_for
from studies.models.participant import Participant
from studies.models.visit import Assessment, AssessmentState


@dataclass(frozen=True, slots=True)
class Query:
    """An assessment with what is unusual about its answers."""

    assessment: Assessment
    flags: list[str]


def queries_of(participant: Participant) -> list[Query]:
    """Return the assessments with flags, by week; a flag is a question and no verdict."""
    submitted = Assessment.objects.filter(
        visit__participant=participant, state=AssessmentState.SUBMITTED
    ).select_related("visit", "response")
    rows = list(submitted.order_by("visit__week", "position"))
    flags = flag_table([row.response_id for row in rows])
    return [
        Query(row, _words(row, flags[row.response_id])) for row in rows if flags[row.response_id]
    ]


def _words(assessment: Assessment, flags: tuple[str, ...]) -> list[str]:
    response = assessment.response
    wording = wording_for(response, get_language())
    return flag_texts(response.definition, flags, wording)
