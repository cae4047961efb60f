"""Which words an instrument has."""

from questionnaires.instruments import CATALOGUE, instrument_named
from questionnaires.instruments.wording import Wording, shipped_wording


def wording_of(instrument_key: str, language: str) -> Wording:
    """Return the words of an instrument in a language."""
    return shipped_wording(instrument_named(instrument_key), language)


def functional_instruments(language: str) -> list[str]:
    """Return the instruments whose words are our own labels and not the licensed text."""
    return [key for key in CATALOGUE if wording_of(key, language).functional]
