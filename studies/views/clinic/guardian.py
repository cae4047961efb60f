"""A minor's guardian, as staff name them; their link is shown once."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from studies.exceptions import GuardianNotNeeded
from studies.forms.clinic import GuardianForm
from studies.models.study import Study
from studies.permissions import Ability, requires
from studies.services.entry.guardians import (
    appoint_guardian,
    reissue_guardian_link,
    shares_contact,
)
from studies.services.trail.audit import staff
from studies.views.clinic.links import show_link_once
from studies.views.clinic.participant import participant_for
from studies.views.posting import posted

GUARDIAN_LINK = "studies:guardian_link"


@requires(Ability.INVITE)
def name_guardian(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    """Keep who may permit, and show the link that is theirs."""
    participant = participant_for(request, study, code, Ability.INVITE)
    form = GuardianForm(posted(request), initial={"language": participant.language})
    if form.is_valid():
        try:
            token = appoint_guardian(
                participant=participant, actor=staff(request.user), **form.cleaned_data
            )
        except GuardianNotNeeded:
            messages.info(request, _("No guardian is needed now."))
        else:
            show_link_once(request, token, GUARDIAN_LINK)
            if shares_contact(participant):
                messages.warning(request, _("Child and guardian have the same contact."))
        return redirect("studies:participant", study.code, code)
    context = {"study": study, "participant": participant, "form": form}
    return render(request, "studies/clinic/guardian.html", context)


@require_POST
@requires(Ability.INVITE)
def reissue(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    participant = participant_for(request, study, code, Ability.INVITE)
    try:
        token = reissue_guardian_link(participant=participant, actor=staff(request.user))
        show_link_once(request, token, GUARDIAN_LINK)
    except GuardianNotNeeded:
        messages.info(request, _("No guardian is needed now."))
    return redirect("studies:participant", study.code, code)
