"""App configuration of the music generator."""

from django.apps import AppConfig


class GeneratorConfig(AppConfig):
    """An instrument of music: knows scores and sound, not people or trials."""

    name = "generator"
