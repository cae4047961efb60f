"""Walk the hash chains of the audit trail."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from studies.models.audit import AuditHead
from studies.services.audit import verify_chain


class Command(BaseCommand):
    """Says for each chain whether every entry is as it was written."""

    help = "Verify the audit trail's hash chains; exit status 1 when one is broken."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("chain", nargs="?", help="a study's code, or 'site'; all without it")

    def handle(self, *, chain: str | None, **_options: object) -> None:
        """Print one line a chain, then every break."""
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
