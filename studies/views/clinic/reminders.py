"""Why a reminder did, did not, or will go out; without a word that would tell an arm."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from studies.design.reminders import Subject, Why
from studies.models.participant import Participant
from studies.models.reminder import ReminderState
from studies.models.study import Study
from studies.permissions import Ability, requires
from studies.services.conduct.reminders import (
    NO_SERVER,
    REFUSED,
    SERVER_DOWN,
    Prospect,
    outlook,
    wants_none,
)
from studies.templatetags.dates import moment

SUBJECTS = {
    Subject.VISIT: gettext_lazy("Questionnaires"),
    Subject.EVENING: gettext_lazy("Not seen for days"),
    Subject.DIARY: gettext_lazy("Morning diary"),
}
REASONS = {
    Why.DUE: gettext_lazy("Goes out with the next round"),
    Why.PAST: gettext_lazy("Did not go out: nothing was sent while its days lasted"),
    Why.ENDED: gettext_lazy("Does not go out: not taking part now"),
    Why.STOPPED: gettext_lazy("Does not go out: the participant wants no reminders"),
    Why.NOTHING_WAITS: gettext_lazy("Does not go out: nothing waits to be done"),
    Why.NO_ADDRESS: gettext_lazy(
        "Does not go out: there is no email address. Call, or ask for one"
    ),
    Why.QUIET: gettext_lazy("Waits: quiet hours"),
    Why.CAPPED: gettext_lazy("Waits: enough reminders for now"),
    NO_SERVER: gettext_lazy("Does not go out: this installation has no mail server"),
}
TRIED = {
    SERVER_DOWN: gettext_lazy("The mail server did not answer"),
    REFUSED: gettext_lazy("The mail server refused the address"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One reminder in words."""

    at: datetime
    about: str
    verdict: str
    is_sent: bool


@require_safe
@requires(Ability.SEE_PARTICIPANTS)
def page(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    visible = Participant.objects.visible_to(request.user).select_related("study")
    participant = get_object_or_404(visible, study=study, code=code)
    with timezone.override(participant.zone):
        context = {
            "study": study,
            "participant": participant,
            "lines": [_line(prospect) for prospect in outlook(participant)],
            "is_stopped": wants_none(participant),
        }
        return render(request, "studies/clinic/reminders.html", context)


def _line(prospect: Prospect) -> Line:
    row = prospect.row
    is_sent = row is not None and row.state == ReminderState.SENT
    return Line(prospect.at, str(SUBJECTS[prospect.step.subject]), _verdict(prospect), is_sent)


def _verdict(prospect: Prospect) -> str:
    row = prospect.row
    if row is not None and row.state == ReminderState.SENT:
        return _("Sent %(at)s") % {"at": moment(row.sent_at)}
    if row is not None and row.reason in TRIED:
        words = {"what": TRIED[row.reason], "n": row.attempts, "at": moment(row.next_try_at)}
        return _("%(what)s. Tried %(n)d times, not again before %(at)s") % words
    if prospect.why == Why.TO_COME:
        return _("To come, if something waits then")
    if prospect.why == Why.PAST and row is not None and row.reason:
        return str(REASONS[row.reason])
    return str(REASONS[prospect.why])
