"""The scheduler's door to the trial."""

import logging
from uuid import UUID

from celery import shared_task
from django.conf import settings

from studies.services.closing.contacts import erase_due_contacts
from studies.services.conduct.deviations import find_deviations
from studies.services.conduct.items import escalate_overdue
from studies.services.conduct.reminders import send_due_reminders
from studies.services.conduct.watching import look_at_answers
from studies.services.entry.copy_mail import send_copies
from studies.services.music.preparing import prepare_nights
from studies.services.results import analysing, exporting, exports, runs
from studies.services.trail.audit_heads import write_todays_heads
from studies.services.visits.scheduling import keep_calendar

KEEP_CALENDAR = "studies.keep_calendar"
PREPARE_NIGHTS = "studies.prepare_nights"
SEND_REMINDERS = "studies.send_reminders"
LOOK_AFTER = "studies.look_after"
KEEP_AUDIT_HEADS = "studies.keep_audit_heads"
ERASE_CONTACTS = "studies.erase_contacts"
logger = logging.getLogger(__name__)


@shared_task(name=KEEP_CALENDAR)
def keep_calendar_task() -> None:
    """Open and miss visits by the clock. Running twice is once."""
    turned = keep_calendar()
    if turned.opened or turned.missed:
        logger.info("calendar: %d opened, %d missed", turned.opened, turned.missed)


@shared_task(name=PREPARE_NIGHTS)
def prepare_nights_task() -> None:
    """Prepare the coming nights' music, and what stands in for it. Running twice is once."""
    done = prepare_nights()
    if done.n_asked or done.n_changed or done.n_pooled:
        logger.info(
            "nights: %d asked for, %d changed, %d mixes for the pools",
            done.n_asked,
            done.n_changed,
            done.n_pooled,
        )


@shared_task(name=SEND_REMINDERS)
def send_reminders_task() -> None:
    """Send the reminders that are due now, and signed copies that wait. Running twice is once."""
    done = send_due_reminders()
    if done.sent or done.failed:
        logger.info("reminders: %d sent, %d could not be", done.sent, done.failed)
    copies = send_copies()
    if copies.sent or copies.failed:
        logger.info("copies: %d sent, %d could not be", copies.sent, copies.failed)


@shared_task(name=LOOK_AFTER)
def look_after_task() -> None:
    """Open what safety rules ask for, pass on what is overdue, note deviations. Twice is once."""
    opened, late, noted = look_at_answers(), escalate_overdue(), find_deviations()
    if opened or late or noted:
        logger.info("safety: %d opened, %d passed on, %d deviations", opened, late, noted)


@shared_task(name=KEEP_AUDIT_HEADS)
def keep_audit_heads_task() -> None:
    """Write the ends of the audit chains outside the database. Running twice a day is once."""
    if write_todays_heads(settings.NOCTURNE_VAR) is not None:
        logger.info("audit heads of the day written")


@shared_task(name=ERASE_CONTACTS)
def erase_contacts_task() -> None:
    """Erase the names and contacts of studies whose day has come. Running twice is once."""
    if n_erased := erase_due_contacts():
        logger.info("contacts of %d people erased", n_erased)


@shared_task(name=runs.RUN_ANALYSIS)
def run_analysis_task(run_id: str) -> None:
    """Carry out an analysis; a call that comes twice finds nothing to do."""
    analysing.run_next(UUID(run_id))


@shared_task(name=runs.SWEEP_ANALYSES)
def sweep_analyses_task() -> None:
    """Wake a worker for analyses that wait or were left behind."""
    runs.sweep()


@shared_task(name=exports.RUN_EXPORT)
def run_export_task(run_id: str) -> None:
    """Write an export; a call that comes twice finds nothing to do."""
    exporting.run_next(UUID(run_id))


@shared_task(name=exports.SWEEP_EXPORTS)
def sweep_exports_task() -> None:
    """Wake a worker for exports that wait or were left behind; remove old files."""
    exports.sweep()
