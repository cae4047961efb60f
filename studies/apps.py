"""App configuration of the trial."""

from importlib import import_module

from django.apps import AppConfig


class StudiesConfig(AppConfig):
    """The trial: people, arms, visits, listening, audit, statistics."""

    name = "studies"

    def ready(self) -> None:
        """Register the checks: they read models, so they load after them."""
        import_module("studies.checks")
