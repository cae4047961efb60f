"""Whether somebody can be reached: staff send or say a code, or give their word."""

from smtplib import SMTPException

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from studies.exceptions import ContactNotMailable, IdentityErased
from studies.forms.clinic import MAIL, SAY, ContactCheckForm
from studies.models.participant import Participant
from studies.models.study import Study
from studies.permissions import Ability, requires
from studies.services.entry.contact_check import confirm_contact, mail_code, speak_code
from studies.services.trail.audit import Actor, staff
from studies.views.clinic.participant import participant_for
from studies.views.posting import posted


@requires(Ability.INVITE)
def page(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    participant = participant_for(request, study, code, Ability.INVITE)
    form = ContactCheckForm(posted(request))
    spoken = ""
    if form.is_valid():
        actor, way = staff(request.user), form.cleaned_data["way"]
        if way == SAY:
            spoken = speak_code(participant=participant, actor=actor)
        elif way == MAIL:
            _mail(request, participant, actor)
        else:
            confirm_contact(
                participant=participant, actor=actor, reason=form.cleaned_data["reason"]
            )
        if not spoken:
            return redirect("studies:participant", study.code, code)
    context = {"study": study, "participant": participant, "form": form, "spoken": spoken}
    return render(request, "studies/clinic/contact_check.html", context)


def _mail(request: HttpRequest, participant: Participant, actor: Actor) -> None:
    try:
        mail_code(participant=participant, actor=actor)
        messages.success(request, _("A code was mailed. It works for ten minutes."))
    except (ContactNotMailable, IdentityErased):
        messages.error(request, _("The contact is no email address. Say a code instead."))
    except (SMTPException, OSError):
        messages.error(request, _("The mail could not be sent. Say a code instead."))
