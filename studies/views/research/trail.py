"""The audit trail of a study, newest first, for those who look on; it tells no arm either."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from studies.models.audit import AuditEntry, AuditHead
from studies.models.study import Study
from studies.permissions import Ability, abilities_in, requires
from studies.services.conduct.deviations import NOTE_UNBLINDING

A_PAGE = 100
# While a study is blinded: nights, lessons and diaries would tell who gets what.
TELLS_NO_ARM = (
    "studies.study",
    "studies.site",
    "studies.membership",
    "studies.protocolversion",
    "studies.consenttext",
    "studies.participant",
    "studies.privatelink",
    "studies.consent",
    "studies.visit",
    "studies.assessment",
    "studies.adverseevent",
    "studies.actionitem",
    "studies.dataquery",
    "studies.deviation",
    "studies.reminder",
    "studies.reminderchoice",
)


@require_safe
@requires(Ability.READ_AUDIT)
def trail(request: HttpRequest, study: Study) -> HttpResponse:
    entries = AuditEntry.objects.filter(chain=study.code).order_by("-number")
    if study.is_blinded:
        entries = entries.filter(subject_type__in=TELLS_NO_ARM)
        # Only the arm with lessons has sleep windows that wait.
        entries = entries.exclude(action=NOTE_UNBLINDING)
    context = {
        "study": study,
        "abilities": abilities_in(request.user, study),
        "head": AuditHead.objects.filter(chain=study.code).first(),
        "page": Paginator(entries, A_PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "studies/clinic/trail.html", context)
