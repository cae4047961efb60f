"""The flow of participants, drawn from where they are now; one column while blinded."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from studies.models.study import Study
from studies.permissions import Ability, abilities_in, requires
from studies.selectors.flow import flow_of


@require_safe
@requires(Ability.SEE_PROGRESS)
def flow(request: HttpRequest, study: Study) -> HttpResponse:
    abilities = abilities_in(request.user, study)
    context = {"study": study, "abilities": abilities, "flow": flow_of(study)}
    return render(request, "studies/research/flow.html", context)
