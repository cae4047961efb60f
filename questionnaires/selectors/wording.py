"""Which words an instrument has: the site's own where they were loaded, else those that ship."""

from functools import lru_cache

from django.db.models import QuerySet

from questionnaires.instruments import CATALOGUE
from questionnaires.instruments.errors import WordingMismatch, WordsNotLoaded
from questionnaires.instruments.instrument import Instrument
from questionnaires.instruments.wording import Wording, match_wording, shipped_wording
from questionnaires.models import Response, SiteWording, definition_keys, definition_named

WORDINGS_REMEMBERED = 64


def wording_of(instrument_key: str, language: str) -> Wording:
    """Return the words in force; `functional` says that they are our labels, not the instrument."""
    return _in_force(definition_named(instrument_key), language)


def wording_for(response: Response, language: str = "") -> Wording:
    """Return the words that a begun response goes on with, in its language or in another.

    They stay those it began with, whatever was loaded since.
    """
    language = language or response.language
    instrument = response.definition
    if language != response.language:
        loaded = _loaded(instrument, language).filter(loaded_at__lte=response.started_at)
        return _newest(instrument, language, loaded)
    return _begun_with(instrument, language, response.wording_hash)


def variable_words(instrument: Instrument, language: str) -> Wording:
    """Return the words that name an instrument's variables in exports.

    Our own labels where there are any, since a licensed text is not ours to hand on; for an
    imported instrument its words, in another language where there are none in this one.
    """
    if instrument.key in CATALOGUE:
        return shipped_wording(instrument, language)
    return _in_force(instrument, language)


def functional_instruments(language: str) -> list[str]:
    """Return the instruments whose words are our own labels, or that have none in a language."""
    return [key for key in definition_keys() if not _has_text(key, language)]


def _begun_with(instrument: Instrument, language: str, sha256: str) -> Wording:
    """Return the words with this hash; every answer asks, so the database is asked only once.

    Labels that shipped with an older version are gone: those that ship now stand in for them.
    """
    ours = _ours(instrument, language)
    if ours is not None and ours.sha256 == sha256:
        return ours
    try:
        return _matched(instrument, language, sha256)
    except WordsNotLoaded:
        if ours is None:
            raise
        return ours


def _ours(instrument: Instrument, language: str) -> Wording | None:
    try:
        return shipped_wording(instrument, language)
    except WordingMismatch:
        return None


def _has_text(instrument_key: str, language: str) -> bool:
    try:
        wording = wording_of(instrument_key, language)
        return wording.language == language and not wording.functional
    except WordingMismatch:
        return False


def _in_force(instrument: Instrument, language: str) -> Wording:
    return _newest(instrument, language, _loaded(instrument, language))


def _loaded(instrument: Instrument, language: str) -> QuerySet[SiteWording]:
    return SiteWording.objects.filter(
        instrument=instrument.key, version=instrument.version, language=language
    )


def _newest(instrument: Instrument, language: str, loaded: QuerySet[SiteWording]) -> Wording:
    sha256 = loaded.order_by("-id").values_list("sha256", flat=True).first()
    if sha256 is None:
        return _without_own(instrument, language)
    return _matched(instrument, language, sha256)


def _without_own(instrument: Instrument, language: str) -> Wording:
    """Return the labels that ship; an imported instrument has its words in another language."""
    if instrument.key in CATALOGUE:
        return shipped_wording(instrument, language)
    loaded = SiteWording.objects.filter(instrument=instrument.key, version=instrument.version)
    newest = loaded.order_by("-id").values_list("language", "sha256").first()
    if newest is None:
        raise WordingMismatch(
            f"expected words of {instrument.key} {instrument.version}, got none. "
            "Load them with load_wording."
        )
    return _matched(instrument, *newest)


@lru_cache(maxsize=WORDINGS_REMEMBERED)
def _matched(instrument: Instrument, language: str, sha256: str) -> Wording:
    """Return loaded words; a hash says which for ever, so they are remembered."""
    row = _loaded(instrument, language).filter(sha256=sha256).first()
    if row is None:
        raise WordsNotLoaded(instrument.key, language, sha256)
    return match_wording(instrument, language, row.content, sha256)
