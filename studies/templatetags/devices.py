"""What a page tells a participant's own device."""

from django import template
from django.utils.crypto import salted_hmac

from studies.models.participant import Participant

register = template.Library()

SALT = "nocturne.device"
TAG_LENGTH = 20


@register.filter
def device_tag(participant: Participant) -> str:
    """Return a tag that is always this person's, and tells nobody who they are.

    A device keeps it beside unsent answers, so that they are never sent in somebody else's name.
    """
    return salted_hmac(SALT, str(participant.pk)).hexdigest()[:TAG_LENGTH]
