"""Where a participant is: whose clock their days, nights and reminders follow."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from studies.forms.zone import ZoneForm
from studies.models.participant import Participant
from studies.services.trail.audit import participant_actor
from studies.services.visits.zone import change_zone
from studies.views.participant.session import participant_page
from studies.views.posting import posted


@participant_page
def place(request: HttpRequest, participant: Participant) -> HttpResponse:
    """Show the place whose time counts, and take another one."""
    form = ZoneForm(posted(request), initial={"zone": participant.zone})
    if form.is_valid():
        zone, actor = form.cleaned_data["zone"], participant_actor(participant)
        change_zone(participant=participant, zone=zone, actor=actor)
        return redirect("studies:today")
    context = {"participant": participant, "form": form}
    return render(request, "studies/participant/zone.html", context)
