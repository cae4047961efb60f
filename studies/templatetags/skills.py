"""Words for the sleep window's figures and decisions."""

from django import template
from django.utils.translation import gettext_lazy

from studies.design.sleep_window import Decision
from studies.models.sleep_window import Exclusion
from studies.services.cbt.sleep_window import hours_and_minutes

register = template.Library()

DECISION_NAMES = {
    Decision.FIRST: gettext_lazy("first window"),
    Decision.EXTEND: gettext_lazy("longer"),
    Decision.HOLD: gettext_lazy("unchanged"),
    Decision.CUT: gettext_lazy("shorter"),
    Decision.TOO_FEW_NIGHTS: gettext_lazy("unchanged: too few nights"),
}


@register.filter
def decision_name(decision: str) -> str:
    """Return what a week decided, in words."""
    return str(DECISION_NAMES[Decision(decision)])


@register.filter
def exclusion_name(key: str) -> str:
    """Return a reason against a sleep window, in words."""
    return str(Exclusion(key).label)


@register.filter
def length_of_time(minutes: float | str) -> str:
    """Return minutes as people say them, like 7 h 30 min."""
    return hours_and_minutes(round(float(minutes)))
