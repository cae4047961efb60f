"""A researcher's page: outcomes pooled or by arm, unblinding."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from studies.exceptions import StudyError, UnlockAsked
from studies.forms.research import UnblindForm
from studies.models.study import Study, StudyState
from studies.permissions import Ability, abilities_in, requires
from studies.services.protocol.setup import unblind_study
from studies.services.results.analysis import report
from studies.services.trail.audit import staff
from studies.views.posting import posted


@require_safe
@requires(Ability.SEE_OUTCOMES)
def outcomes(request: HttpRequest, study: Study) -> HttpResponse:
    context = {
        "study": study,
        "report": report(study),
        "abilities": abilities_in(request.user, study),
        "may_unblind": study.state == StudyState.LOCKED,
    }
    return render(request, "studies/research/outcomes.html", context)


@requires(Ability.UNBLIND)
def unblind(request: HttpRequest, study: Study) -> HttpResponse:
    form = UnblindForm(posted(request), study_code=study.code)
    if form.is_valid():
        try:
            reason = form.cleaned_data["reason"]
            unblind_study(study=study, actor=staff(request.user), reason=reason)
            messages.success(request, _("The study is unblinded. Outcomes are shown by arm."))
            return redirect("studies:outcomes", study.code)
        except UnlockAsked:
            words = _("Somebody asked to open the database again. It has to be answered first.")
            form.add_error(None, words)
        except StudyError:
            words = _("A study is unblinded when its database is locked, and only once.")
            form.add_error(None, words)
    return render(request, "studies/research/unblind.html", {"study": study, "form": form})
