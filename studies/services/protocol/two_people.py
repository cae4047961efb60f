"""What takes two people: one asks for a version of the protocol, another one confirms it."""

from django.conf import settings
from django.utils.translation import gettext as _

from studies.models.protocol import ProtocolVersion
from studies.models.study import Study
from studies.services.trail.audit import Actor


def takes_two(study: Study) -> bool:
    """Return whether a version comes into force by two only.

    The protocol in force says so, of a study of real people: an amendment that lets one person
    decide is itself confirmed by a second one.
    """
    is_real = settings.NOCTURNE_MODE == "real" and not study.is_synthetic
    return is_real and study.plan.two_people_open


def missing_person(study: Study, asked: ProtocolVersion | None, actor: Actor) -> list[str]:
    """Return who is missing for this version to come into force; empty where nobody is."""
    if not takes_two(study):
        return []
    if asked is None:
        return [_("one person asks for it, and a second one confirms it")]
    if asked.submitted_by is None:
        return [_("nobody is on record as who asked: give it up, and ask again")]
    if actor.user is None or asked.submitted_by == actor.user:
        return [_("somebody else than who asked has to confirm it")]
    return []
