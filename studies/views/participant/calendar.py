"""The days of the questions to come, as a file for the participant's own calendar.

A calendar is often shared with a family or a school: the file says when something waits, and not
what, nor of which study.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from studies import clock
from studies.design.calendar_file import Days, calendar_file
from studies.models.participant import Participant
from studies.models.visit import Visit
from studies.selectors.schedule import visits_to_come
from studies.templatetags.dates import last_day, short_day
from studies.views.participant.session import participant_page

SALT = "nocturne.calendar"
ID_LENGTH = 40
TYPE = "text/calendar; charset=utf-8"
NAME = "days.ics"


@require_safe
@participant_page
def days(_request: HttpRequest, participant: Participant) -> HttpResponse:
    """Send the windows that are open or to come; who has none goes back to their page."""
    found = [_days(visit) for visit in visits_to_come(participant)]
    if not found:
        return redirect("studies:today")
    headers = {"Content-Disposition": f'attachment; filename="{NAME}"'}
    text = calendar_file(found, written_at=clock.now())
    return HttpResponse(text, content_type=TYPE, headers=headers)


def _days(visit: Visit) -> Days:
    until = {"first": short_day(visit.opens_at), "last": short_day(last_day(visit.closes_at))}
    return Days(
        uid=f"{_uid(visit)}@nocturne.invalid",
        begins_at=visit.opens_at,
        ends_at=visit.closes_at,
        title=_("A few questions wait for you"),
        words=_("Open your private page on any day from %(first)s to %(last)s.") % until,
    )


def _uid(visit: Visit) -> str:
    """Return a name for these days that tells nobody whose they are."""
    return salted_hmac(SALT, str(visit.pk), algorithm="sha256").hexdigest()[:ID_LENGTH]
