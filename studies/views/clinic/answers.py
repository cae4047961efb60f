"""What somebody answered at a visit, as staff see it, and the correction of one answer."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from questionnaires.exceptions import IncompleteResponse, NothingToCorrect, RevisionOutdated
from questionnaires.forms import ItemForm, ReviewRow, flag_texts, review_rows
from questionnaires.instruments.errors import UnknownItem
from questionnaires.models import Response
from questionnaires.selectors import answers_of, flag_table, revisions_of, score_table, wording_for
from studies.exceptions import CorrectionNotAllowed
from studies.forms.clinic import CorrectionForm
from studies.models.participant import Participant
from studies.models.study import Study
from studies.models.visit import Assessment, AssessmentState
from studies.permissions import Ability, requires
from studies.services.trail.audit import staff
from studies.services.visits.correction import correct_assessment, obstacle_to_correcting
from studies.views.posting import posted


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of a response as a page shows it."""

    response: Response
    rows: list[ReviewRow]
    flags: list[str]
    scores: list[tuple[str, float | None]]


@require_safe
@requires(Ability.CORRECT)
def answers(request: HttpRequest, study: Study, code: str, pk: int) -> HttpResponse:
    """Show the newest revision, and below it every one that was corrected."""
    assessment = _assessment(request, study, code, pk)
    newest, *older = reversed([_shown(r) for r in revisions_of(assessment.response)])
    may_correct = not obstacle_to_correcting(assessment)
    context = {
        **_about(study, assessment),
        "newest": newest,
        "older": older,
        "url_prefix": _address(assessment) if may_correct else "",
        "language": get_language(),
    }
    return render(request, "studies/clinic/answers.html", context)


@requires(Ability.CORRECT)
def correct(request: HttpRequest, study: Study, code: str, pk: int, item: str) -> HttpResponse:
    """Ask for another answer to one item, and why."""
    assessment = _assessment(request, study, code, pk)
    form = _item_form(request, assessment.response, item)
    why = CorrectionForm(posted(request), initial={"revision": assessment.response.revision})
    if form.is_valid() & why.is_valid() and _correct(request, assessment, form, why):
        return redirect(_address(assessment))
    context = {**_about(study, assessment), "form": form, "why": why, "back": _address(assessment)}
    return render(request, "studies/clinic/correct.html", context)


def _correct(
    request: HttpRequest, assessment: Assessment, form: ItemForm, why: CorrectionForm
) -> bool:
    """Correct the answer; return whether this page is done with, errors are on the form."""
    try:
        correct_assessment(
            assessment=assessment,
            item_key=form.item.key,
            raw=form.raw,
            reason=why.cleaned_data["reason"],
            seen_revision=why.cleaned_data["revision"],
            actor=staff(request.user),
        )
    except NothingToCorrect:
        form.add_error(next(iter(form.fields)), _("This is the answer already."))
        return False
    except IncompleteResponse as incomplete:
        form.add_error(next(iter(form.fields)), _opens_another(form, incomplete))
        return False
    except RevisionOutdated:
        text = _("Somebody corrected these answers meanwhile. Nothing was changed: look again.")
        messages.error(request, text)
    except CorrectionNotAllowed:
        messages.error(request, _("These answers stay as they are. Nothing was changed."))
    else:
        messages.success(request, _("Corrected, and scored again."))
    return True


def _opens_another(form: ItemForm, incomplete: IncompleteResponse) -> str:
    labels = [form.wording.items[key].label for key in incomplete.missing]
    return _("With this answer, another question needs one first: %(items)s") % {
        "items": "; ".join(labels)
    }


def _item_form(request: HttpRequest, response: Response, key: str) -> ItemForm:
    try:
        item = response.definition.item(key)
    except UnknownItem as error:
        raise Http404 from error
    return ItemForm(
        response.definition,
        item,
        get_language(),
        posted(request),
        value=answers_of(response).get(key),
        wording=wording_for(response, get_language()),
    )


def _shown(response: Response) -> Revision:
    flags = flag_table([response.pk])[response.pk]
    wording = wording_for(response, get_language())
    return Revision(
        response,
        review_rows(response, get_language()),
        flag_texts(response.definition, flags, wording),
        [(name.replace("_", " "), value) for name, value in _scores(response).items()],
    )


def _scores(response: Response) -> dict[str, float | None]:
    """Return the scores in the order in which the instrument defines them."""
    values = score_table([response.pk])[response.pk]
    return {field.name: values[field.name] for field in response.definition.scores}


def _about(study: Study, assessment: Assessment) -> dict[str, object]:
    participant = assessment.visit.participant
    return {"study": study, "participant": participant, "assessment": assessment}


def _address(assessment: Assessment) -> str:
    participant = assessment.visit.participant
    code = participant.study.code
    return reverse("studies:answers", args=[code, participant.code, assessment.pk])


def _assessment(request: HttpRequest, study: Study, code: str, pk: int) -> Assessment:
    """Return an assessment that was handed in, of somebody whose answers the user may correct."""
    visible = Participant.objects.visible_to(request.user, Ability.CORRECT)
    own = Assessment.objects.filter(
        visit__participant__in=visible.filter(study=study, code=code),
        state=AssessmentState.SUBMITTED,
    )
    return get_object_or_404(
        own.select_related("visit__participant__study", "response", "paper"), pk=pk
    )
