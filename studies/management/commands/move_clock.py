"""Move the clock of a demonstration or a test installation, for all its processes at once."""

from datetime import timedelta

from django.core.management.base import BaseCommand, CommandError, CommandParser

from studies import clock
from studies.exceptions import ClockIsFixed
from studies.services.visits.scheduling import keep_calendar


class Command(BaseCommand):
    """Days pass in a moment."""

    help = "Move the trial's clock ahead (demonstration and test modes only)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--days", type=float, default=0.0, help="days to move ahead")
        parser.add_argument("--hours", type=float, default=0.0, help="hours to move ahead")

    def handle(self, *, days: float, hours: float, **_options: object) -> None:
        """Move, then let the calendar follow."""
        by = timedelta(days=days, hours=hours)
        if by < timedelta(0):
            raise CommandError(
                f"0 or more days were expected, got {by}. The clock goes forwards only: answers "
                "that were given would lie in the future."
            )
        try:
            moment = clock.move(by)
        except ClockIsFixed as refusal:
            raise CommandError(str(refusal)) from refusal
        turned = keep_calendar()
        self.stdout.write(
            f"It is now {moment:%Y-%m-%d %H:%M} UTC; {turned.opened} assessments opened, "
            f"{turned.missed} missed."
        )
