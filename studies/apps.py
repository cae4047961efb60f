"""App configuration of the trial."""

from django.apps import AppConfig


class StudiesConfig(AppConfig):
    """The trial: people, arms, visits, listening, audit, statistics."""

    name = "studies"
