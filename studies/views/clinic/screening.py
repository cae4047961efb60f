"""Who was screened: the verdict of each attempt, without names; and answers that staff enter."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from studies.exceptions import ScreeningRefused
from studies.forms.screening import ScreeningForm
from studies.models.study import Study
from studies.permissions import Ability, requires, sites_of
from studies.services.entry.screening import answer_screening, screening_waits
from studies.services.trail.audit import staff
from studies.views.clinic.participant import participant_for
from studies.views.posting import posted
from studies.views.reasons import reasons_of_attempt


@require_safe
@requires(Ability.INVITE)
def page(request: HttpRequest, study: Study) -> HttpResponse:
    sites = sites_of(request.user, study, Ability.INVITE)
    attempts = study.screenings.filter(site__in=sites).select_related("participant", "site")
    plan = study.plan
    rows = [(attempt, reasons_of_attempt(attempt, plan)) for attempt in attempts]
    return render(request, "studies/clinic/screening.html", {"study": study, "rows": rows})


@requires(Ability.INVITE)
def enter(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    """Enter what a participant answered on the telephone or at the clinic, in their language."""
    participant = participant_for(request, study, code, Ability.INVITE)
    context = {"study": study, "participant": participant}
    if not screening_waits(participant):
        return render(request, "studies/clinic/screening_answers.html", context)
    plan = study.plan.screening
    form = ScreeningForm(posted(request), plan=plan, language=participant.language)
    if form.is_valid():
        try:
            answer_screening(
                participant=participant,
                answers=form.answers,
                cpss=form.cpss,
                answered_by="staff",
                actor=staff(request.user),
            )
            messages.success(request, _("The screening answers are kept."))
        except ScreeningRefused:
            messages.error(request, _("Somebody answered meanwhile. Nothing was changed."))
        return redirect("studies:participant", study.code, code)
    return render(request, "studies/clinic/screening_answers.html", {**context, "form": form})
