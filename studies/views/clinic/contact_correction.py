"""A contact that is not right: staff enter the right one; the wrong one is not shown."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from studies.exceptions import IdentityErased
from studies.forms.clinic import CorrectContactForm
from studies.models.access import Holder
from studies.models.participant import Participant
from studies.models.study import Study
from studies.permissions import Ability, requires
from studies.services.entry.contact_correction import correct_contact, has_guardian
from studies.services.entry.guardians import shares_contact
from studies.services.trail.audit import staff
from studies.views.clinic.guardian import GUARDIAN_LINK
from studies.views.clinic.links import show_link_once
from studies.views.clinic.participant import participant_for
from studies.views.editing import edits_data
from studies.views.posting import posted


@requires(Ability.REVEAL_CONTACT)
@edits_data
def page(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    participant = participant_for(request, study, code, Ability.REVEAL_CONTACT)
    form = CorrectContactForm(posted(request), has_guardian=has_guardian(participant))
    if form.is_valid() and _correct(request, participant, form):
        return redirect("studies:participant", study.code, code)
    context = {"study": study, "participant": participant, "form": form}
    return render(request, "studies/clinic/contact_correction.html", context)


def _correct(request: HttpRequest, participant: Participant, form: CorrectContactForm) -> bool:
    typed = form.cleaned_data
    try:
        token = correct_contact(participant=participant, actor=staff(request.user), **typed)
    except IdentityErased:
        form.add_error(None, _("Name and contact were erased. There is nothing to correct."))
        return False
    is_own = typed["holder"] == Holder.PARTICIPANT
    messages.success(
        request,
        _("Corrected. Verify the new contact.") if is_own else _("Corrected."),
    )
    if token:
        show_link_once(request, token, "studies:private_link" if is_own else GUARDIAN_LINK)
    if shares_contact(participant):
        messages.warning(request, _("Child and guardian have the same contact."))
    return True
