"""Seconds as people say them."""

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

register = template.Library()
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400


@register.filter
def duration(seconds: float | None) -> str:
    """Return a length of time in its largest whole unit: "12 seconds", "3 hours"."""
    if seconds is None:
        return _("never")
    if seconds < MINUTE_S:
        count = int(seconds)
        return ngettext("%(count)d second", "%(count)d seconds", count) % {"count": count}
    if seconds < HOUR_S:
        count = int(seconds // MINUTE_S)
        return ngettext("%(count)d minute", "%(count)d minutes", count) % {"count": count}
    if seconds < DAY_S:
        count = int(seconds // HOUR_S)
        return ngettext("%(count)d hour", "%(count)d hours", count) % {"count": count}
    count = int(seconds // DAY_S)
    return ngettext("%(count)d day", "%(count)d days", count) % {"count": count}
