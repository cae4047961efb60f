"""Walk the hash chains of the audit trail."""

import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from studies.models.audit import AuditHead
from studies.services.trail.audit import verify_chain
from studies.services.trail.audit_heads import disagreements


class Command(BaseCommand):
    """Says for each chain whether every entry is as it was written."""

    help = "Verify the audit trail's hash chains; exit status 1 when one is broken."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("chain", nargs="?", help="a study's code, or 'site'; all without it")
        parser.add_argument(
            "--against", type=Path, help="a file of heads that was written down before"
        )

    def handle(self, *, chain: str | None, against: Path | None, **_options: object) -> None:
        """Print one line a chain, then every break."""
        if against is not None:
            self._compare(against)
        heads = AuditHead.objects.order_by("chain")
        if chain is not None:
            heads = heads.filter(chain=chain)
            if not heads.exists():
                raise CommandError(f"A chain with entries was expected, got {chain!r}.")
        n_broken = 0
        for head in heads:
            breaks = verify_chain(head.chain)
            n_broken += bool(breaks)
            verdict = "BROKEN" if breaks else "holds"
            self.stdout.write(f"{head.chain}: {head.length} entries, {verdict}, head {head.hash}")
            for place in breaks:
                self.stdout.write(f"  entry {place.number}: {place.reason}")
        if n_broken:
            raise CommandError(f"{n_broken} chains do not hold. Keep the database as it is.")

    def _compare(self, file: Path) -> None:
        """Hold the chains against heads from outside the database."""
        try:
            saved = json.loads(file.read_text(encoding="utf-8"))["heads"]
            found = list(disagreements(saved))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise CommandError(
                f"A file of audit heads was expected, got {file}: {error}. Choose another one."
            ) from error
        for line in found:
            self.stdout.write(line)
        if found:
            raise CommandError(f"{len(found)} chains differ. Keep the database as it is.")
        self.stdout.write(f"{len(saved)} chains reach the heads of {file.name}.")
