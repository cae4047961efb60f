"""What a study's nights are rendered with; another renderer or composers, for a stated reason."""

import json
from collections.abc import Callable
from dataclasses import asdict

from django.core.management.base import BaseCommand, CommandError, CommandParser

from studies.exceptions import StudyError
from studies.models.study import Study
from studies.models.user import User
from studies.services.music.renderer import pin_composers, pin_of, pin_renderer
from studies.services.trail.audit import staff


class Command(BaseCommand):
    """Show a study's renderer and composers, or fix others."""

    help = (
        "Print the pin of a study's renderer and composers. With --reason, fix the renderer that "
        "NOCTURNE_RENDERER_PIN names, else the built-in voices, and the composers installed here, "
        "for all nights that no worker has begun; --composers-only leaves the sound as it is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("study", help="the study's code")
        parser.add_argument("--reason", default="", help="why another renderer is needed")
        parser.add_argument("--user", default="", help="who decides it: a member of staff")
        parser.add_argument(
            "--composers-only", action="store_true", help="fix new composers and nothing else"
        )

    def handle(
        self, *, study: str, reason: str, user: str, composers_only: bool, **_options: object
    ) -> None:
        """Print the pin as JSON, after changing it where that was asked for."""
        found = Study.objects.filter(code=study).first()
        if found is None:
            raise CommandError(f"A study's code was expected, got {study!r}.")
        if reason:
            self._pin(found, reason, user, pin_composers if composers_only else pin_renderer)
        pin = pin_of(found)
        self.stdout.write(json.dumps(asdict(pin)) if pin else "not pinned: the built-in voices")

    def _pin(self, study: Study, reason: str, user: str, pin: Callable[..., object]) -> None:
        by = User.objects.filter(username=user).first()
        if by is None:
            raise CommandError(
                f"--user with the name of a member of staff was expected, got {user!r}."
            )
        try:
            pin(study=study, actor=staff(by), reason=reason)
        except StudyError as error:
            raise CommandError(str(error)) from error
