"""The code that shows that the study team can reach a participant."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from studies.exceptions import ContactCodeRefused
from studies.forms.participant import ContactCodeForm
from studies.models.participant import Participant
from studies.services.entry.contact_check import enter_code
from studies.views.participant.session import participant_page
from studies.views.posting import posted


@participant_page
def page(request: HttpRequest, participant: Participant) -> HttpResponse:
    """Take the code; whoever was reached already has nothing to enter."""
    if participant.contact_verified_at is not None:
        return redirect("studies:today")
    form = ContactCodeForm(posted(request))
    if form.is_valid():
        try:
            enter_code(participant=participant, code=form.cleaned_data["code"])
            return redirect("studies:today")
        except ContactCodeRefused:
            refusal = _("This code does not fit, or its time is over. Ask for a new one")
            form.add_error("code", refusal)
    context = {"participant": participant, "form": form}
    return render(request, "studies/participant/contact.html", context)
