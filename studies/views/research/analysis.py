"""A researcher's pages of the analysis: the plan, its versions and lock, the runs and reports."""

import mimetypes
from uuid import UUID

from csp.constants import NONE
from csp.decorators import csp_replace
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from studies.exceptions import RunRefused
from studies.forms.analysis import LockForm, PlanForm
from studies.models.analysis import AnalysisRun
from studies.models.study import Study
from studies.permissions import Ability, abilities_in, requires
from studies.services.planning.plans import (
    chosen_content,
    deviations,
    draft_of,
    lock_plan,
    locked_plan,
    save_plan,
)
from studies.services.results.runs import cancel_analysis, file_of, request_analysis
from studies.services.trail.audit import staff
from studies.views.posting import posted
from studies.views.research.job_progress import progress_of

# A report is a page of its own, with its own style and drawings and without any script.
REPORT_POLICY = {
    "default-src": [NONE],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["data:"],
    "script-src": [NONE],
    "connect-src": [NONE],
    "form-action": [NONE],
}
RUNS_SHOWN = 20


@require_safe
@requires(Ability.SEE_OUTCOMES)
def page(request: HttpRequest, study: Study) -> HttpResponse:
    runs = list(study.analysis_runs.select_related("plan")[:RUNS_SHOWN])
    context = {
        "study": study,
        "abilities": abilities_in(request.user, study),
        "draft": draft_of(study),
        "locked": locked_plan(study),
        "versions": study.analysis_plans.order_by("-number"),
        "runs": runs,
        "under_way": next((run for run in runs if run.is_under_way), None),
        "language": (get_language() or "en").replace("-", "_"),
    }
    return render(request, "studies/research/analysis.html", context)


@requires(Ability.UNBLIND)
def plan(request: HttpRequest, study: Study) -> HttpResponse:
    form = PlanForm(
        posted(request),
        protocol=study.plan,
        content=chosen_content(study),
        wants_reason=locked_plan(study) is not None,
    )
    if form.is_valid():
        reason = form.cleaned_data.get("reason", "")
        save_plan(study=study, content=form.content(), actor=staff(request.user), reason=reason)
        messages.success(request, _("The analysis plan is kept as a draft."))
        return redirect("studies:analysis", study.code)
    return render(request, "studies/research/analysis_plan.html", {"study": study, "form": form})


@requires(Ability.UNBLIND)
def lock(request: HttpRequest, study: Study) -> HttpResponse:
    draft = draft_of(study)
    if draft is None:
        return redirect("studies:analysis", study.code)
    form = LockForm(posted(request))
    if form.is_valid():
        lock_plan(study=study, actor=staff(request.user))
        messages.success(request, _("The analysis plan is locked."))
        return redirect("studies:analysis", study.code)
    context = {"study": study, "form": form, "draft": draft, "departures": deviations(draft)}
    return render(request, "studies/research/analysis_lock.html", context)


@require_POST
@requires(Ability.SEE_OUTCOMES)
def run(request: HttpRequest, study: Study) -> HttpResponse:
    try:
        request_analysis(study=study, actor=staff(request.user))
    except RunRefused:
        messages.info(request, _("An analysis is under way already."))
    return redirect("studies:analysis", study.code)


@require_POST
@requires(Ability.SEE_OUTCOMES)
def cancel(request: HttpRequest, study: Study, key: UUID) -> HttpResponse:
    found = get_object_or_404(AnalysisRun, pk=key, study=study)
    try:
        cancel_analysis(run=found, actor=staff(request.user))
        messages.success(request, _("The analysis is cancelled."))
    except RunRefused:
        messages.info(request, _("The analysis has ended already."))
    return redirect("studies:analysis", study.code)


@require_safe
@requires(Ability.SEE_OUTCOMES)
def status(_request: HttpRequest, study: Study, key: UUID) -> JsonResponse:
    """Tell a page how far a run is."""
    found = get_object_or_404(AnalysisRun, pk=key, study=study)
    return progress_of(found)


@require_safe
@requires(Ability.SEE_OUTCOMES)
@csp_replace(REPORT_POLICY)
def file(_request: HttpRequest, study: Study, key: UUID, name: str) -> FileResponse:
    """Send one file of a run; a report opens as a page, everything else is kept."""
    found = get_object_or_404(AnalysisRun, pk=key, study=study)
    path = file_of(found, name)
    if path is None:
        raise Http404
    return FileResponse(
        path.open("rb"),
        as_attachment=path.suffix not in (".html", ".pdf"),
        filename=f"{study.code}-{name}",
        content_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
    )
