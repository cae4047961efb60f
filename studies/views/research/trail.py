"""The audit trail of a study, newest first, for those who look on; it tells no arm either."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from studies.exceptions import ReviewRefused
from studies.forms.review import ReviewForm, TrailForm
from studies.models.audit import AuditHead
from studies.models.study import Study
from studies.permissions import Ability, abilities_in, requires
from studies.selectors.audit_trail import entries_of, last_reviewed
from studies.services.trail.audit import staff
from studies.services.trail.reviews import reviews_of, sign_review
from studies.views.posting import posted
from studies.views.proof import too_many_tries

A_PAGE = 100


@require_safe
@requires(Ability.READ_AUDIT)
def trail(request: HttpRequest, study: Study) -> HttpResponse:
    form = TrailForm(request.GET)
    asked = request.GET.copy()
    asked.pop("page", None)
    entries = entries_of(study, form.wanted)
    context = {
        "study": study,
        "abilities": abilities_in(request.user, study),
        "head": AuditHead.objects.filter(chain=study.code).first(),
        "page": Paginator(entries, A_PAGE).get_page(request.GET.get("page")),
        "form": form,
        "asked": asked.urlencode(),
        "reviews": reviews_of(study),
    }
    return render(request, "studies/clinic/trail.html", context)


@sensitive_post_parameters("password", "code")
@requires(Ability.REVIEW_AUDIT)
def review(request: HttpRequest, study: Study) -> HttpResponse:
    """Sign how far the trail was read, and what was found."""
    if refusal := too_many_tries(request):
        return refusal
    head = AuditHead.objects.get(chain=study.code)
    form = ReviewForm(posted(request), user=request.user, initial={"up_to": head.length})
    if form.is_valid():
        read = {key: form.cleaned_data[key] for key in ("up_to", "note")}
        try:
            sign_review(study=study, actor=staff(request.user), **read)
            messages.success(request, _("Signed."))
            return redirect("studies:trail", study.code)
        except ReviewRefused:
            form.add_error(None, _("These entries were reviewed already. Look at the trail again."))
    context = {"study": study, "form": form, "after": last_reviewed(study), "head": head}
    return render(request, "studies/research/trail_review.html", context)
