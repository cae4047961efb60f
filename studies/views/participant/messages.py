"""The sleep-skills group: messages to and from the therapist."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from studies.forms.skills import MessageForm
from studies.models.participant import Participant
from studies.services.cbt.messages import read_thread, send_message
from studies.views.office_hours import office_hours
from studies.views.participant.skills_pages import skills_page
from studies.views.posting import posted


@skills_page
def thread(request: HttpRequest, participant: Participant) -> HttpResponse:
    form = MessageForm(posted(request))
    if form.is_valid():
        send_message(participant=participant, text=form.cleaned_data["text"])
        return redirect("studies:messages")
    context = {
        "participant": participant,
        "form": form,
        "lines": read_thread(participant=participant),
        "hours": office_hours(participant.study),
    }
    return render(request, "studies/participant/messages.html", context)
