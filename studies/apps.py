"""App configuration of the trial."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StudiesConfig(AppConfig):
    """The trial: people, arms, visits, listening, audit, statistics."""

    name = "studies"
    verbose_name = _("Trial")

    def ready(self) -> None:
        """Register the checks: they read models, so they load after them."""
        import_module("studies.checks")
