"""App configuration of the music generator."""

from django.apps import AppConfig
from django.core.checks import register
from django.utils.translation import gettext_lazy as _

from generator.checks import (
    disk_has_room,
    mp3_can_be_written,
    nights_can_be_stored,
    releases_are_whole,
)


class GeneratorConfig(AppConfig):
    """An instrument of music: knows scores and sound, not people or trials."""

    name = "generator"
    verbose_name = _("Music")

    def ready(self) -> None:
        register(releases_are_whole)
        register(mp3_can_be_written)
        register(nights_can_be_stored)
        register(disk_has_room)
