"""What in a participant's answers is worth a look: flags and missing totals, in plain words."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from questionnaires.forms import flag_texts
from questionnaires.selectors import flag_table, score_table, wording_for
from studies.models.participant import Participant
from studies.models.visit import Assessment, AssessmentState

TOTAL = "total"
# Flags of how somebody answered, which no correction of what they answered takes away.
ABOUT_MANNER = {"straight_line", "fast"}


@dataclass(frozen=True, slots=True)
class Query:
    """An assessment with what is unusual about its answers."""

    assessment: Assessment
    flags: list[str]


def queries_of(participant: Participant) -> list[Query]:
    """Return the assessments with something to look at, by week: questions and no verdicts.

    What was mended by a correction is no question any more; how the participant answered stays one.
    """
    submitted = Assessment.objects.filter(
        visit__participant=participant, state=AssessmentState.SUBMITTED
    ).select_related("visit", "response")
    rows = list(submitted.order_by("visit__week", "position"))
    measured = [row.response_id for row in rows]
    scores = score_table(measured)
    flags = flag_table([*measured, *(row.response.original_id or row.response_id for row in rows)])
    queries = [Query(row, _words(row, flags, scores[row.response_id])) for row in rows]
    return [query for query in queries if query.flags]


def _words(
    assessment: Assessment, flags: Mapping[object, tuple[str, ...]], scores: Mapping[str, object]
) -> list[str]:
    response = assessment.response
    sent = flags[response.original_id or response.pk]
    manner = [flag for flag in sent if flag in ABOUT_MANNER]
    both = tuple(dict.fromkeys((*manner, *flags[response.pk])))
    words = []
    if both:
        words = flag_texts(response.definition, both, wording_for(response, get_language()))
    if TOTAL in scores and scores[TOTAL] is None:
        words.append(_("no total: too many answers are missing"))
    return words
