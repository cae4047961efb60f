"""Who takes part, and how recruitment goes; no page of these tells an arm."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from studies.models.participant import Participant
from studies.models.study import Study
from studies.permissions import Ability, abilities_in, requires
from studies.selectors.adherence import adherence_of, recruitment_of

A_PAGE = 50
GLYPHS = ("·", "◔", "◑", "●")


@require_safe
@requires(Ability.SEE_ADHERENCE)
def adherence(request: HttpRequest, study: Study) -> HttpResponse:
    people = Participant.objects.visible_to(request.user, Ability.SEE_ADHERENCE)
    begun = people.filter(study=study, visits__week__gt=0).distinct().order_by("code")
    page = Paginator(begun, A_PAGE).get_page(request.GET.get("page"))
    weeks = study.plan.treated_until_week
    context = {
        "study": study,
        "abilities": abilities_in(request.user, study),
        "page": page,
        "weeks": range(1, weeks + 1),
        "rows": adherence_of(list(page.object_list), weeks),
        "glyphs": GLYPHS,
    }
    return render(request, "studies/research/adherence.html", context)


@require_safe
@requires(Ability.SEE_PROGRESS)
def recruitment(request: HttpRequest, study: Study) -> HttpResponse:
    context = {
        "study": study,
        "abilities": abilities_in(request.user, study),
        "report": recruitment_of(study),
    }
    return render(request, "studies/research/recruitment.html", context)
