"""Where a participant is, entered by staff: whose clock their days and visits follow."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from studies.forms.zone import ZoneForm
from studies.models.participant import Participant
from studies.models.study import Study
from studies.permissions import Ability, requires
from studies.services.trail.audit import staff
from studies.services.visits.zone import change_zone
from studies.views.posting import posted


@requires(Ability.INVITE)
def page(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    """Show the place whose time counts, and take another one."""
    visible = Participant.objects.visible_to(request.user, Ability.INVITE)
    participant = get_object_or_404(visible.filter(study=study), code=code)
    form = ZoneForm(posted(request), initial={"zone": participant.zone})
    if form.is_valid():
        zone, actor = form.cleaned_data["zone"], staff(request.user)
        change_zone(participant=participant, zone=zone, actor=actor)
        messages.success(request, _("Saved. Visits that have not opened moved along."))
        return redirect("studies:participant", study.code, code)
    context = {"study": study, "participant": participant, "form": form}
    return render(request, "studies/clinic/place.html", context)
