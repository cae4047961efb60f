"""When messages are read, as people say it."""

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from studies.models.study import Study

FIRST_TO_LAST = (0, 1, 2, 3, 4)


def office_hours(study: Study) -> str:
    """Return the protocol's office hours in words."""
    plan = study.plan.skills
    if tuple(sorted(plan.office_days)) == FIRST_TO_LAST:
        days = _("Monday to Friday")
    else:
        days = ", ".join(str(WEEKDAYS[day]) for day in sorted(plan.office_days))
    words = {"days": days, "start": plan.office_from, "end": plan.office_to}
    return _("%(days)s, %(start)s to %(end)s") % words
