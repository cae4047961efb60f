"""Take a form once: a double click, a second tab, or going back and sending again add nothing."""

from collections.abc import Callable
from typing import TypeVar

from django.core.cache import cache
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from studies.exceptions import SentAlready
from studies.forms.once import OnceForm

SENT = _("This was sent already, and is here once. Nothing was added.")
# Longer than a page of staff stays open: their day ends after eight hours.
KEPT_S = 24 * 3600

Made = TypeVar("Made")


def once(request: HttpRequest, form: OnceForm, act: Callable[[], Made]) -> Made:
    """Return what `act` makes of this form, the first time; raises SentAlready every other time.

    What `act` refuses can be corrected and sent again. A form without a key is taken as it comes.
    """
    key = form.cleaned_data["form_key"]
    if key is None:
        return act()
    name = f"form:{request.user.pk}:{key}"
    # A cache that could not be written refuses nobody: only a key that is there is a second time.
    if not cache.add(name, True, KEPT_S) and cache.get(name):
        raise SentAlready
    try:
        return act()
    except Exception:
        cache.delete(name)
        raise
