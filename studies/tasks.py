"""The scheduler's door to the trial."""

import logging

from celery import shared_task
from django.conf import settings

from studies.services.music.playlists import request_due
from studies.services.trail.audit_heads import write_todays_heads
from studies.services.visits.scheduling import keep_calendar

KEEP_CALENDAR = "studies.keep_calendar"
KEEP_AUDIT_HEADS = "studies.keep_audit_heads"
logger = logging.getLogger(__name__)


@shared_task(name=KEEP_CALENDAR)
def keep_calendar_task() -> None:
    """Open and miss visits by the clock; ask ahead for tonight's music. Running twice is once."""
    turned = keep_calendar()
    n_asked = request_due()
    if turned.opened or turned.missed or n_asked:
        logger.info(
            "calendar: %d opened, %d missed, %d mixes asked for",
            turned.opened,
            turned.missed,
            n_asked,
        )


@shared_task(name=KEEP_AUDIT_HEADS)
def keep_audit_heads_task() -> None:
    """Write the ends of the audit chains outside the database. Running twice a day is once."""
    if write_todays_heads(settings.NOCTURNE_VAR) is not None:
        logger.info("audit heads of the day written")
