"""Bring the database up to date, and refuse what an installation must not be started on."""

import shutil

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from studies.models.study import Study

# A mix is about 10 MB an hour and night; below this, a demonstration does not even start well.
LEAST_FREE_BYTES = 300_000_000


class Command(BaseCommand):
    """Run before the web server is started; running it again changes nothing."""

    help = "Migrate the database and make the cache table; ./run demo and ./run serve do it too."

    def handle(self, **_options: object) -> None:
        """Refuse what cannot work, then prepare."""
        self._require_space()
        self._require_the_same_mode()
        try:
            call_command("migrate", verbosity=0, interactive=False)
            call_command("createcachetable", verbosity=0)
        except DatabaseError as error:
            raise CommandError(
                f"The database could not be prepared: {str(error).strip()}. "
                "Check DATABASE_URL, free disk space and the database's own log."
            ) from error
        self._refuse_synthetic_people()

    def _require_space(self) -> None:
        free = shutil.disk_usage(settings.NOCTURNE_VAR).free
        if free < LEAST_FREE_BYTES:
            raise CommandError(
                f"At least {LEAST_FREE_BYTES // 10**6} MB of free disk were expected in "
                f"{settings.NOCTURNE_VAR}, got {free // 10**6} MB. Free some space, or set "
                "NOCTURNE_VAR to a directory on another disk."
            )

    def _require_the_same_mode(self) -> None:
        """Keep a state directory in the mode it was made in, for life."""
        file = settings.NOCTURNE_VAR / "mode"
        if not file.exists():
            file.write_text(settings.NOCTURNE_MODE, encoding="ascii")
        mode = file.read_text(encoding="ascii").strip()
        if mode != settings.NOCTURNE_MODE:
            raise CommandError(
                f"A state directory of mode {settings.NOCTURNE_MODE} was expected, "
                f"{settings.NOCTURNE_VAR} is one of mode {mode}. Real people and synthetic ones "
                "never share one: set NOCTURNE_VAR to another directory."
            )

    def _refuse_synthetic_people(self) -> None:
        if settings.NOCTURNE_MODE == "real" and Study.objects.filter(is_synthetic=True).exists():
            raise CommandError(
                "A database without synthetic people was expected, this one holds a demonstration. "
                "Point DATABASE_URL or NOCTURNE_VAR to another one."
            )
