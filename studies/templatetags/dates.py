"""Days and moments as people write them; the pattern is part of the translation."""

from datetime import date, datetime, timedelta

from django import template
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import pgettext

register = template.Library()


@register.filter
def day(value: date) -> str:
    """Return a date as `22 Nov 2026`."""
    return date_format(_local(value), pgettext("date format", "j M Y"))


@register.filter
def last_day(end: datetime) -> date:
    """Return the last day of a window that ends with the first moment of the day after it."""
    return localtime(end - timedelta(microseconds=1)).date()


@register.filter
def short_day(value: date) -> str:
    """Return a date without its year, as `22 November`."""
    return date_format(_local(value), pgettext("date format", "j F"))


@register.filter
def weekday(value: date) -> str:
    """Return a date with its day of the week, as `Sunday 22 November`."""
    return date_format(_local(value), pgettext("date format", "l j F"))


@register.filter
def moment(value: datetime) -> str:
    """Return a date and a time of day, as `22 Nov 2026, 09:30`."""
    return date_format(_local(value), pgettext("date format", "j M Y, H:i"))


def _local(value: date) -> date:
    return localtime(value) if isinstance(value, datetime) else value
