"""The scheduler's door to the trial."""

import logging

from celery import shared_task

from studies.services.playlists import request_due
from studies.services.scheduling import keep_calendar

KEEP_CALENDAR = "studies.keep_calendar"
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
