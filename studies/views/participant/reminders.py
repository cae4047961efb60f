"""Reminders as their reader sees them: on or off, with one tap in the mail, or on their page."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt

from studies.exceptions import LinkUnknown
from studies.models.participant import Participant
from studies.selectors.schedule import visits_to_come
from studies.services.conduct.reminder_mail import participant_for
from studies.services.conduct.reminders import choose_reminders, wants_none
from studies.services.trail.audit import participant_actor
from studies.views.participant.session import participant_page, speak


# Mail programs send this form themselves (RFC 8058), without a page before it. Whoever has the
# signed address can stop reminders, and nothing else.
@csrf_exempt
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """Stop the reminders of a mail's reader; looking changes nothing, so a mail scanner may."""
    try:
        participant = participant_for(token)
    except LinkUnknown:
        context = {"code": "link_unknown"}
        return render(
            request, "studies/entry/closed_link.html", context, status=HTTPStatus.NOT_FOUND
        )
    speak(request, participant.language)
    if request.method == "POST":
        actor = participant_actor(participant)
        choose_reminders(participant=participant, is_stopped=True, actor=actor)
    context = {"is_stopped": wants_none(participant)}
    return render(request, "studies/entry/mail_stop.html", context)


@participant_page
def choice(request: HttpRequest, participant: Participant) -> HttpResponse:
    if request.method == "POST":
        choose_reminders(
            participant=participant,
            is_stopped=request.POST.get("reminders") == "off",
            actor=participant_actor(participant),
        )
        return redirect("studies:my_reminders")
    context = {
        "participant": participant,
        "is_stopped": wants_none(participant),
        "has_days": bool(visits_to_come(participant)),
    }
    return render(request, "studies/participant/reminders.html", context)
