from django.apps import AppConfig
from django.core.checks import register
from django.utils.translation import gettext_lazy as _

from questionnaires.checks import every_language_has_words


class QuestionnairesConfig(AppConfig):
    name = "questionnaires"
    verbose_name = _("Questionnaires")

    def ready(self) -> None:
        register(every_language_has_words)
