"""Write the whole installation to one archive."""

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from therapy_site.backup import write_archive


class Command(BaseCommand):
    """Back up database and nights; the site may go on working meanwhile."""

    help = "Write database, nights and, if asked, secrets to one archive with checksums."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the archive's path, and whether the keys go in."""
        parser.add_argument("archive", type=Path, help="the file to write, e.g. night.tar.gz")
        parser.add_argument(
            "--with-secrets", action="store_true", help="put the keys in as well; guard the file"
        )

    def handle(self, *, archive: Path, with_secrets: bool, **_options: object) -> None:
        """Write the archive, and say what it needs to be of use."""
        archive = archive.absolute()
        if archive.exists():
            raise CommandError(f"A new file was expected, {archive} exists. Choose another name.")
        if not archive.parent.is_dir():
            raise CommandError(f"An existing directory was expected, {archive.parent} is none.")
        manifest = write_archive(archive, with_secrets=with_secrets)
        n_rows, size = sum(manifest.rows.values()), archive.stat().st_size
        self.stdout.write(f"{archive}: {n_rows} rows, {len(manifest.files)} files, {size} bytes.")
        if with_secrets:
            self.stdout.write("The keys are in it: whoever has this file reads every identity.")
        else:
            self.stdout.write(
                "The keys are not in it. Names, contacts and future allocations can be read only "
                "together with the secrets directory: keep a copy of that in another place."
            )
