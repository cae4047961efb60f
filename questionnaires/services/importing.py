"""Import an instrument from a data dictionary, with its words."""

import re
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from questionnaires.instruments import ALIASES, CATALOGUE, RULES
from questionnaires.instruments.definition import as_data, definition_hash
from questionnaires.instruments.errors import DictionaryRefused
from questionnaires.instruments.redcap_import import import_dictionary
from questionnaires.instruments.site_wording import checked_content
from questionnaires.models import ImportedInstrument, SiteWording
from questionnaires.services.wording import keep_words

KEY = re.compile(r"[a-z][a-z0-9_]{1,31}")


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The version in force, its words, whether either is new, and what the file had besides."""

    instrument: ImportedInstrument
    wording: SiteWording
    is_new: bool
    notes: tuple[str, ...]


@transaction.atomic
def import_instrument(
    *,
    key: str,
    dictionary: bytes,
    name: str,
    language: str,
    licence: str,
    by: str,
    at: datetime,
    form: str = "",
    scoring: bytes = b"",
    replace: bool = False,
) -> ImportResult:
    """Keep one form of a data dictionary as an instrument; the same file again changes nothing.

    A changed one is a new version; responses already begun keep theirs. Raises DictionaryRefused
    and WordingMismatch with everything that is wrong, and WordingInUse as `load_wording` does.
    """
    _refuse_key(key)
    newest = ImportedInstrument.objects.filter(key=key).order_by("-id").first()
    version = newest.version if newest else "1"

    def read(version: str) -> tuple:
        imported = import_dictionary(
            dictionary, key=key, version=version, language=language, form=form, scoring=scoring
        )
        return imported, as_data(imported.instrument)

    imported, data = read(version)
    if imported.instrument.default_rule in RULES:
        raise DictionaryRefused(
            f"expected a rule of your own, got {imported.instrument.default_rule!r}, which is "
            "ours. Choose another name."
        )
    is_new = newest is None or newest.sha256 != definition_hash(data)
    if newest and is_new:
        imported, data = read(str(int(version) + 1))
    row = newest
    if is_new:
        row = ImportedInstrument.objects.create(
            key=key,
            version=data["version"],
            definition=data,
            sha256=definition_hash(data),
            source_name=name,
            imported_at=at,
            imported_by=by,
        )
    content = checked_content(
        imported.content,
        name=name,
        instrument=imported.instrument,
        language=language,
        licence=licence,
    )
    wording, is_new_wording = keep_words(
        instrument=imported.instrument,
        language=language,
        content=content,
        by=by,
        at=at,
        replace=replace,
    )
    return ImportResult(row, wording, is_new or is_new_wording, imported.notes)


def _refuse_key(key: str) -> None:
    if not KEY.fullmatch(key):
        raise DictionaryRefused(
            f"expected a key of a-z, 0-9 and _ with at most 32 characters, got {key!r}."
        )
    if key in CATALOGUE or key in ALIASES:
        raise DictionaryRefused(
            f"expected a key that no instrument has, got {key!r}, which is ours. Choose another."
        )
