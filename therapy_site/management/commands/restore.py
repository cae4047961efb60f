"""Make this installation what an archive says."""

from argparse import ArgumentParser
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand

from therapy_site.backup import check_archive, restore_archive
from therapy_site.environment import private_directory
from therapy_site.lock import take_lock


class Command(BaseCommand):
    """Restore an archive into an empty, stopped installation, and prove that it worked."""

    help = "Restore an archive: checksums first, then row counts and audit chains afterwards."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the archive's path, and how far to go."""
        parser.add_argument("archive", type=Path, help="a file written by `manage.py backup`")
        parser.add_argument(
            "--verify", action="store_true", help="only check the archive; change nothing"
        )
        parser.add_argument(
            "--force", action="store_true", help="replace everything in this installation"
        )

    def handle(self, *, archive: Path, verify: bool, force: bool, **_options: object) -> None:
        """Check or restore."""
        if verify:
            manifest = check_archive(archive)
            self.stdout.write(f"The archive of {manifest.created_at} is whole.")
            return
        with take_lock(private_directory(settings.NOCTURNE_VAR / "run") / "up.lock"):
            manifest = restore_archive(archive, force=force)
        self.stdout.write(
            f"Restored the installation of {manifest.created_at}: {sum(manifest.rows.values())} "
            "rows as backed up, every audit chain unbroken."
        )
