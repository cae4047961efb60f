"""I am not OK: where help is now, and one button that tells the study team.

No PIN is asked for on a device that is signed in. The page never says that somebody watches.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from studies.forms.conduct import NotOkForm
from studies.models.participant import Participant
from studies.services.conduct.items import say_not_ok
from studies.views.office_hours import office_hours
from studies.views.participant.session import night_page
from studies.views.posting import posted

TOLD = "told"


@night_page
def page(request: HttpRequest, participant: Participant) -> HttpResponse:
    form = NotOkForm(posted(request))
    if form.is_valid():
        say_not_ok(participant=participant, words=form.cleaned_data["words"])
        request.session[TOLD] = True
        return redirect("studies:not_ok")
    context = {
        "participant": participant,
        "form": form,
        "lines": participant.study.plan.safety.lines_in(participant.language),
        "hours": office_hours(participant.study),
        "is_told": request.session.pop(TOLD, False),
    }
    return render(request, "studies/participant/not_ok.html", context)
