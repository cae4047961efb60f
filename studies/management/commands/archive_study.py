"""Write the archive of a study whose database is locked."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from studies.exceptions import StudyError
from studies.models.study import Study
from studies.services.closing.archive import archive_study
from studies.services.trail.audit import SYSTEM


class Command(BaseCommand):
    """One ZIP with everything that is kept; it verifies itself."""

    help = "Write the archive of a study: data, protocol, audit trail, signatures, checksums."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("code", help="the study's code")
        parser.add_argument("--out", type=Path, required=True, help="the file to write")

    def handle(self, *, code: str, out: Path, **_options: object) -> None:
        """Write it, or leave nothing behind."""
        study = Study.objects.filter(code=code).first()
        if study is None:
            raise CommandError(f"A study's code was expected, got {code!r}. See the studies page.")
        if out.exists():
            raise CommandError(f"A new file was expected, {out} exists already. Choose another.")
        try:
            sha256 = archive_study(study=study, target=out, actor=SYSTEM)
        except (StudyError, OSError) as error:
            out.unlink(missing_ok=True)
            raise CommandError(str(error)) from error
        self.stdout.write(f"{out}: {out.stat().st_size} bytes, SHA-256 {sha256}")
