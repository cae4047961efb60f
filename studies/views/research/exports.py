"""A researcher's page of exports: ask for one, follow it, download it."""

from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from studies.exceptions import RunRefused
from studies.models.export import ExportRun
from studies.models.study import Study
from studies.permissions import Ability, abilities_in, requires
from studies.services.results.export import filename_of
from studies.services.results.exports import cancel_export, open_export, request_export
from studies.services.trail.audit import staff
from studies.views.research.job_progress import progress_of

RUNS_SHOWN = 10


@require_safe
@requires(Ability.EXPORT)
def page(request: HttpRequest, study: Study) -> HttpResponse:
    runs = list(study.export_runs.all()[:RUNS_SHOWN])
    context = {
        "study": study,
        "abilities": abilities_in(request.user, study),
        "runs": runs,
        "under_way": next((run for run in runs if run.is_under_way), None),
    }
    return render(request, "studies/research/exports.html", context)


@require_POST
@requires(Ability.EXPORT)
def run(request: HttpRequest, study: Study) -> HttpResponse:
    try:
        request_export(study=study, actor=staff(request.user))
    except RunRefused:
        messages.info(request, _("An export is under way already."))
    return redirect("studies:exports", study.code)


@require_POST
@requires(Ability.EXPORT)
def cancel(request: HttpRequest, study: Study, key: UUID) -> HttpResponse:
    found = get_object_or_404(ExportRun, pk=key, study=study)
    try:
        cancel_export(run=found, actor=staff(request.user))
        messages.success(request, _("The export is cancelled."))
    except RunRefused:
        messages.info(request, _("The export has ended already."))
    return redirect("studies:exports", study.code)


@require_safe
@requires(Ability.EXPORT)
def status(_request: HttpRequest, study: Study, key: UUID) -> JsonResponse:
    """Tell a page how far an export is."""
    found = get_object_or_404(ExportRun, pk=key, study=study)
    return progress_of(found)


@require_POST
@requires(Ability.EXPORT)
def file(request: HttpRequest, study: Study, key: UUID) -> FileResponse:
    """Send the file; a POST, because every download is kept in the audit trail."""
    found = get_object_or_404(ExportRun, pk=key, study=study)
    content = open_export(run=found, actor=staff(request.user))
    if content is None:
        raise Http404
    return FileResponse(
        content,
        as_attachment=True,
        filename=filename_of(study, found.cut_at),
        content_type="application/zip",
    )
