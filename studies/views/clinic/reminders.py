"""Why a mail did, did not, or will go out: reminders, and signed copies.

Nothing of it tells an arm. Staff mail a copy again or keep that they handed it over.
"""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from studies.design.reminders import Subject, Why
from studies.exceptions import CopyMailRefused
from studies.models.consent import ConsentRole, CopyMail, CopyMailState
from studies.models.reminder import ReminderState
from studies.models.study import Study
from studies.permissions import Ability, abilities_in, requires
from studies.services.conduct.reminders import (
    NO_SERVER,
    REFUSED,
    SERVER_DOWN,
    Prospect,
    outlook,
    wants_none,
)
from studies.services.entry.copy_mail import (
    LEFT,
    NO_ADDRESS,
    UNREACHED,
    copy_mails_of,
    hand_copy_over,
    mail_copy_again,
    may_be_settled,
)
from studies.services.trail.audit import staff
from studies.templatetags.dates import moment
from studies.views.clinic.participant import participant_for

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
# Days that a demonstration played through, or that its clock was moved over.
PLAYED = gettext_lazy("Not sent: nobody is mailed while days are only played through")
TRIED = {
    SERVER_DOWN: gettext_lazy("The mail server did not answer"),
    REFUSED: gettext_lazy("The mail server refused the address"),
}

DROPPED = {
    NO_ADDRESS: gettext_lazy("Not sent: there is no email address. Hand it over"),
    UNREACHED: gettext_lazy("Not sent: the mail server did not take it"),
    LEFT: gettext_lazy("Not sent: not taking part any more"),
}
SETTLING = {
    "mailed": (mail_copy_again, gettext_lazy("The copy goes out with the next round.")),
    "handed": (hand_copy_over, gettext_lazy("Kept: the copy was handed over.")),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One reminder in words."""

    at: datetime
    about: str
    verdict: str
    is_sent: bool


@dataclass(frozen=True, slots=True)
class CopyLine:
    """The mail of one signed copy in words, and what staff may do about it."""

    key: int
    what: str
    holder: str
    verdict: str
    is_settled: bool
    may_be_mailed: bool
    may_be_handed: bool


@require_safe
@requires(Ability.SEE_PARTICIPANTS)
def page(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    participant = participant_for(request, study, code)
    with timezone.override(participant.zone):
        context = {
            "study": study,
            "participant": participant,
            "lines": [
                _line(prospect, is_synthetic=study.is_synthetic)
                for prospect in outlook(participant)
            ],
            "is_stopped": wants_none(participant),
            "copies": [_copy_line(row) for row in copy_mails_of(participant)],
            "abilities": abilities_in(request.user, study),
        }
        return render(request, "studies/clinic/reminders.html", context)


@require_POST
@requires(Ability.INVITE)
def settle_copy(request: HttpRequest, study: Study, code: str, pk: int) -> HttpResponse:
    """Mail a signed copy again, or keep that it was handed over."""
    participant = participant_for(request, study, code, Ability.INVITE)
    row = get_object_or_404(CopyMail, consent__participant=participant, pk=pk)
    settle, said = SETTLING["handed" if "handed" in request.POST else "mailed"]
    try:
        settle(row=row, actor=staff(request.user))
        messages.success(request, said)
    except CopyMailRefused:
        messages.error(request, _("This copy goes its way already. Nothing was changed."))
    return redirect("studies:reminders", study.code, code)


def _line(prospect: Prospect, *, is_synthetic: bool) -> Line:
    row = prospect.row
    is_sent = row is not None and row.state == ReminderState.SENT
    verdict = _verdict(prospect, is_synthetic=is_synthetic)
    return Line(prospect.at, str(SUBJECTS[prospect.step.subject]), verdict, is_sent)


def _verdict(prospect: Prospect, *, is_synthetic: bool) -> str:
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
    if prospect.why == Why.PAST and is_synthetic:
        return str(PLAYED)
    return str(REASONS[prospect.why])


def _copy_line(row: CopyMail) -> CopyLine:
    may = may_be_settled(row)
    return CopyLine(
        key=row.pk,
        what=ConsentRole(row.consent.role).label,
        holder=row.get_holder_display(),
        verdict=_copy_verdict(row),
        is_settled=row.state in {CopyMailState.SENT, CopyMailState.HANDED},
        may_be_mailed=may and row.state != CopyMailState.WAITING,
        may_be_handed=may,
    )


def _copy_verdict(row: CopyMail) -> str:
    if row.state == CopyMailState.SENT:
        return _("Sent %(at)s") % {"at": moment(row.sent_at)}
    if row.state == CopyMailState.HANDED:
        return _("Handed over")
    if row.state == CopyMailState.DROPPED:
        return str(DROPPED[row.reason])
    if not settings.NOCTURNE_SENDS_MAIL:
        return _("Waits: this installation has no mail server")
    if row.next_try_at is None:
        return _("Goes out with the next round")
    words = {"n": row.attempts, "at": moment(row.next_try_at)}
    return _("Tried %(n)d times, not again before %(at)s") % words
