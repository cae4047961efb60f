"""Who learned an arm too early, and whether the investigators were told of it; never the arm."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from studies.models.participant import Participant
from studies.models.study import Study
from studies.models.unblinding import Unblinding
from studies.permissions import Ability, abilities_in, requires
from studies.services.closing.unblinding import Notice, tell_investigators
from studies.services.trail.audit import staff

WORDS = {
    Notice.SENT: _("Sent to the principal investigators."),
    Notice.NO_ADDRESS: _("Not sent: no principal investigator has an email address."),
    Notice.NO_SERVER: _("Not sent: this installation has no mail server."),
    Notice.SERVER_DOWN: _("Not sent: the mail server did not take it. Tell them yourself."),
}


@require_safe
@requires(Ability.BREAK_BLIND)
def page(request: HttpRequest, study: Study) -> HttpResponse:
    """Show every unblinding, with why and what follows, and what became of its notice."""
    context = {
        "study": study,
        "abilities": abilities_in(request.user, study),
        "rows": _rows(request, study).order_by("-unblinded_at", "-pk"),
    }
    return render(request, "studies/closing/unblindings.html", context)


@require_POST
@requires(Ability.BREAK_BLIND)
def send_again(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    """Mail a notice that did not go out once more."""
    row = get_object_or_404(_rows(request, study), pk=pk)
    became = tell_investigators(unblinding=row, actor=staff(request.user))
    (messages.success if became == Notice.SENT else messages.error)(request, WORDS[became])
    return redirect("studies:unblindings", study.code)


def untold(request: HttpRequest, study: Study) -> int:
    """Return of how many unblindings the investigators were not told, to those who may tell."""
    # Nearly always none, and then it is one question to the database.
    if not Unblinding.objects.filter(participant__study=study, told_at=None).exists():
        return 0
    return _rows(request, study).filter(told_at=None).count()


def _rows(request: HttpRequest, study: Study) -> QuerySet[Unblinding]:
    people = Participant.objects.visible_to(request.user, Ability.BREAK_BLIND)
    rows = Unblinding.objects.filter(participant__in=people.filter(study=study))
    return rows.select_related("participant__study")
