"""An assessment on paper: the form to print, and the page to enter it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from questionnaires.exceptions import IncompleteResponse
from questionnaires.forms import Sheet
from questionnaires.instruments.errors import AnswerRefused
from questionnaires.selectors import definition_named, wording_of
from studies.exceptions import PaperRefused
from studies.forms.paper import PaperDayForm
from studies.models.participant import Participant
from studies.models.study import Study
from studies.models.visit import Assessment
from studies.permissions import Ability, requires
from studies.services.trail.audit import staff
from studies.services.visits.paper import days_on_paper, enter_from_paper, obstacle_to_entering
from studies.services.visits.scheduling import keep_calendar
from studies.templatetags.dates import day as in_words
from studies.views.posting import posted


@require_safe
@requires(Ability.ENTER_PAPER)
def paper_form(request: HttpRequest, study: Study, code: str, pk: int) -> HttpResponse:
    """Show the form in the participant's language, to be printed before or after its window."""
    assessment = _assessment(request, study, code, pk)
    language = assessment.visit.participant.language
    instrument = definition_named(assessment.instrument)
    wording = wording_of(assessment.instrument, language)
    with override(language):
        sheet = Sheet(instrument, language, wording=wording)
        context = {**_about(study, assessment), "sheet": sheet, "wording": wording}
        return render(request, "studies/clinic/paper_form.html", context)


@requires(Ability.ENTER_PAPER)
def enter_paper(request: HttpRequest, study: Study, code: str, pk: int) -> HttpResponse:
    """Take all answers of a paper form at once."""
    assessment = _assessment(request, study, code, pk)
    keep_calendar(participant=assessment.visit.participant)
    assessment.refresh_from_db()
    if obstacle_to_entering(assessment):
        return _refused(request, assessment)
    language, days = get_language(), days_on_paper(assessment)
    wording = wording_of(assessment.instrument, language)
    instrument = definition_named(assessment.instrument)
    sheet = Sheet(instrument, language, posted(request), wording=wording)
    first, last = map(in_words, days)
    when = _("Enter a day from %(first)s to %(last)s") % {"first": first, "last": last}
    day = PaperDayForm(posted(request), days=days, words=when)
    if day.is_valid() & sheet.is_valid():
        return _enter(request, assessment, day, sheet)
    context = {**_about(study, assessment), "day": day, "sheet": sheet, "language": language}
    return render(request, "studies/clinic/paper_entry.html", context)


def _enter(
    request: HttpRequest, assessment: Assessment, day: PaperDayForm, sheet: Sheet
) -> HttpResponse:
    try:
        enter_from_paper(
            assessment=assessment,
            answers=sheet.answers,
            blank=sheet.blank,
            filled_on=day.cleaned_data["filled_on"],
            actor=staff(request.user),
        )
    except (PaperRefused, AnswerRefused, IncompleteResponse):
        # Somebody was faster, or the window turned between the page and its answer.
        return _refused(request, assessment)
    messages.success(request, _("Entered and scored. Compare it with the paper once more."))
    return redirect("studies:answers", *_place(assessment), assessment.pk)


def _refused(request: HttpRequest, assessment: Assessment) -> HttpResponse:
    text = _("This questionnaire does not take a form on paper now. Nothing was entered.")
    messages.error(request, text)
    return redirect("studies:participant", *_place(assessment))


def _about(study: Study, assessment: Assessment) -> dict[str, object]:
    participant = assessment.visit.participant
    return {"study": study, "participant": participant, "assessment": assessment}


def _place(assessment: Assessment) -> tuple[str, str]:
    participant = assessment.visit.participant
    return participant.study.code, participant.code


def _assessment(request: HttpRequest, study: Study, code: str, pk: int) -> Assessment:
    visible = Participant.objects.visible_to(request.user, Ability.ENTER_PAPER)
    own = Assessment.objects.filter(visit__participant__in=visible.filter(study=study, code=code))
    return get_object_or_404(own.select_related("visit__participant__study", "response"), pk=pk)
