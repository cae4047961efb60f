"""Enter what a participant answered on paper, when no screen was to be had.

The paper's own day says whether it was in time; when it was entered, and by whom, stands beside it.
An item that was left blank on the paper is kept as declined: nobody answers it in their place.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.db import transaction

from questionnaires.models import Response
from questionnaires.services import start_response
from studies import clock
from studies.design.windows import local_day
from studies.exceptions import PaperRefused
from studies.models.participant import ParticipantState
from studies.models.study import StudyState
from studies.models.visit import Assessment, AssessmentState, PaperForm
from studies.selectors.locks import lock_on
from studies.services.trail.audit import Actor, record
from studies.services.visits.answers import keep_answers, keep_refusal
from studies.services.visits.assessment import hand_in
from studies.services.visits.scheduling import turn_page

ENTERABLE = (AssessmentState.OPEN, AssessmentState.LATE, AssessmentState.MISSED)
# Whoever knows the arms must not touch the answers.
GOES_ON = {StudyState.OPEN, StudyState.CLOSED}
NOON = time(12)


@transaction.atomic
def enter_from_paper(
    *,
    assessment: Assessment,
    answers: Mapping[str, object],
    blank: Collection[str],
    filled_on: date,
    actor: Actor,
) -> Assessment:
    """Enter a whole form at once and hand it in, as of the day that stands on the paper.

    Parameters
    ----------
    assessment : Assessment
        Open, late, or missed: one that somebody is answering on a screen is left to them.
    answers : mapping
        Item key to the answer as written.
    blank : collection of str
        Keys of the items that were left blank.
    filled_on : date
        In the participant's zone: from the day on which the visit opened up to today, and not after
        the last day on which it takes answers.
    actor : Actor
        Who enters it.

    Raises
    ------
    PaperRefused
        Something stands in the way (`code`: state, withdrawn, study, locked, day).
    AnswerRefused, IncompleteResponse
        An answer does not fit, or an item has neither answer nor blank. Nothing is kept then.
    """
    assessment = turn_page(assessment)
    if obstacle := obstacle_to_entering(assessment):
        raise obstacle
    _refuse_day(assessment, filled_on)
    participant = assessment.visit.participant
    old, response = assessment.state, assessment.response or _begin(assessment)
    assessment.move_to(AssessmentState.IN_PROGRESS, response=response)
    paper = PaperForm.objects.create(
        assessment=assessment,
        filled_on=filled_on,
        filled_at=min(_noon(filled_on, participant.zone), clock.now()),
        entered_by=actor.name,
        entered_at=clock.now(),
    )
    record(
        actor=actor,
        action="enter_from_paper",
        subject=assessment,
        old={"state": old},
        new={"state": assessment.state, "response": response.pk, "filled_on": paper.filled_on},
    )
    about = {"subject": assessment, "participant": participant, "response": response}
    keep_answers(**about, answers=answers, actor=actor)
    for key in blank:
        keep_refusal(**about, item_key=key, actor=actor)
    return hand_in(assessment, actor)


def obstacle_to_entering(assessment: Assessment) -> PaperRefused | None:
    """Return what stands in the way of entering a form on paper; ``None`` for nothing."""
    participant = assessment.visit.participant
    study = participant.study
    if assessment.state not in ENTERABLE:
        expected = f"an assessment that is {', '.join(ENTERABLE)}"
        return PaperRefused("state", expected, f"one that is {assessment.state}")
    if participant.state == ParticipantState.WITHDRAWN:
        return PaperRefused("withdrawn", "a participant in the study", "one who withdrew")
    if study.state not in GOES_ON:
        return PaperRefused("study", "a study that goes on", f"one that is {study.state}")
    if lock := lock_on(assessment):
        return PaperRefused("locked", "an assessment that is not locked", f"one of {lock.level}")
    return None


def days_on_paper(assessment: Assessment) -> tuple[date, date]:
    """Return the first and the last day that a form of this visit can have been filled in on."""
    visit = assessment.visit
    zone = visit.participant.zone
    today = local_day(clock.now(), zone)
    # The end is the first moment that is too late: the day before it is the last.
    last = local_day(visit.ends_at - datetime.resolution, zone) if visit.ends_at else today
    return local_day(visit.opens_at, zone), min(last, today)


def _begin(assessment: Assessment) -> Response:
    language = assessment.visit.participant.language
    return start_response(instrument=assessment.instrument, language=language, at=clock.now())


def _refuse_day(assessment: Assessment, filled_on: date) -> None:
    first, last = days_on_paper(assessment)
    if not first <= filled_on <= last:
        expected = f"a day from {first} to {last}"
        raise PaperRefused("day", expected, str(filled_on))


def _noon(day: date, zone: str) -> datetime:
    return datetime.combine(day, NOON, tzinfo=ZoneInfo(zone))
