"""Checks that guard the instruments before the site starts."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

from questionnaires.instruments import CATALOGUE
from questionnaires.instruments.errors import WordingMismatch
from questionnaires.instruments.wording import shipped_wording


def every_language_has_words(**_options: Any) -> list[CheckMessage]:
    """Return one error for each instrument and site language without complete words."""
    problems = []
    for instrument in CATALOGUE.values():
        for language, _name in settings.LANGUAGES:
            try:
                shipped_wording(instrument, language)
            except WordingMismatch as error:
                problems.append(
                    Error(
                        f"{instrument.key} has no complete wording in {language}: {error}",
                        hint="Complete the file in questionnaires/instruments/wording.",
                        id="questionnaires.E001",
                    )
                )
    return problems
