"""What waits today for somebody in the sleep-skills group: the diary, a lesson, a message.

A reminder says what is there. It counts nothing that was missed, and there are no streaks.
"""

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from studies.design.lessons import lesson_named
from studies.models.participant import Participant
from studies.services.cbt.lessons import lessons_for
from studies.services.cbt.messages import n_unread
from studies.services.cbt.sleep_window import bed_at, keep_window, window_in_force
from studies.views.participant.diary import mornings_of

Reminder = dict[str, object]


def reminders_of(participant: Participant) -> Iterator[Reminder]:
    """Yield today's lines of the task list."""
    yield _diary(participant)
    yield from _lesson(participant)
    if n_unread(participant):
        name, status = _("A message from your therapist"), pgettext("message", "New")
        yield {"name": name, "status": status, "url": reverse("studies:messages")}


def window_tonight(participant: Participant) -> str:
    """Return the sleep window as a sentence; empty where there is none."""
    keep_window(participant=participant)
    window = window_in_force(participant)
    if window is None:
        return ""
    times = {"bed": bed_at(window), "rise": window.rise_at}
    return _("Your sleep window: in bed from %(bed)s, up at %(rise)s.") % times


def _diary(participant: Participant) -> Reminder:
    today = mornings_of(participant)[0]
    is_done = bool(today["is_done"])
    return {
        "name": _("Sleep diary of this morning"),
        "status": _("Completed") if is_done else _("Incomplete"),
        "hint": "" if is_done else _("About 2 minutes"),
        "url": "" if is_done else reverse("studies:diary", args=[today["morning"]]),
        "is_done": is_done,
    }


def _lesson(participant: Participant) -> Iterator[Reminder]:
    rows = lessons_for(participant)
    current = next((row for row in rows if row.is_open and not row.is_done), None)
    if current is None:
        return
    minutes = lesson_named(current.announcement.key, participant.language).minutes
    yield {
        "name": current.announcement.title,
        "status": _("Incomplete"),
        "hint": _("Lesson, about %(minutes)d minutes") % {"minutes": minutes},
        "url": reverse("studies:lessons"),
    }
