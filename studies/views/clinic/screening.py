"""Who was screened: the verdict of each attempt, without names."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from studies.models.study import Study
from studies.permissions import Ability, requires, sites_of
from studies.views.reasons import obstacles


@require_safe
@requires(Ability.INVITE)
def page(request: HttpRequest, study: Study) -> HttpResponse:
    sites = sites_of(request.user, study, Ability.INVITE)
    attempts = study.screenings.filter(site__in=sites).select_related("participant", "site")
    rules = study.plan.eligibility
    rows = [(a, obstacles(rules, {"age_years": a.age_years})) for a in attempts]
    return render(request, "studies/clinic/screening.html", {"study": study, "rows": rows})
