"""Seal identities and people's own words with the newest identity key."""

from django.core.management.base import BaseCommand

from studies.services.cbt.rotation import rotate_words
from studies.services.entry.identity import rotate_identity_keys


class Command(BaseCommand):
    """Goes through everybody; stopped half-way, it goes on where it was."""

    help = (
        "Seal identities anew after a new key was put in front of NOCTURNE_IDENTITY_KEYS; "
        "afterwards the old key can be taken out."
    )

    def handle(self, **_options: object) -> None:
        """Print how much was sealed anew."""
        people, words = rotate_identity_keys(), rotate_words()
        self.stdout.write(
            f"{people.renewed} identities sealed anew, {people.current} were current; "
            f"{words} texts sealed anew. Keys after the first can be taken out now."
        )
