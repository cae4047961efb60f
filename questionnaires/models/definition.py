"""Instruments that came from a file; those of the catalogue are code."""

from functools import lru_cache

from django.db import models
from django.utils.translation import gettext_lazy as _

from questionnaires.instruments import CATALOGUE, instrument_named
from questionnaires.instruments.definition import from_data
from questionnaires.instruments.errors import UnknownInstrument
from questionnaires.instruments.instrument import Instrument
from questionnaires.models.wording import KeptModel

DEFINITIONS_REMEMBERED = 64


class ImportedInstrument(KeptModel):
    """One version of an instrument from a data dictionary; a change is a new version."""

    key = models.CharField(_("instrument"), max_length=32)
    version = models.CharField(_("version"), max_length=16)
    definition = models.JSONField(_("definition"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    source_name = models.CharField(_("file"), max_length=200)
    imported_at = models.DateTimeField(_("imported"))
    imported_by = models.CharField(_("imported by"), max_length=150)

    class Meta:
        ordering = ["id"]
        verbose_name = _("imported instrument")
        verbose_name_plural = _("imported instruments")
        constraints = [
            models.UniqueConstraint(
                fields=["key", "version"], name="questionnaires_importedinstrument_version_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.version}"


def definition_named(key: str, version: str = "") -> Instrument:
    """Return an instrument of the catalogue, or the newest or named version of an imported one."""
    try:
        return instrument_named(key)
    except UnknownInstrument:
        rows = ImportedInstrument.objects.filter(key=key)
        chosen = rows.filter(version=version) if version else rows
        found = chosen.order_by("-id").values_list("version", "sha256").first()
        if found is None:
            raise UnknownInstrument(key, definition_keys()) from None
        return _defined(key, *found)


def definition_keys() -> list[str]:
    """Return the keys of all instruments: the catalogue's, then those from files."""
    imported = ImportedInstrument.objects.order_by("key").values_list("key", flat=True)
    return [*CATALOGUE, *imported.distinct()]


@lru_cache(maxsize=DEFINITIONS_REMEMBERED)
def _defined(key: str, version: str, sha256: str) -> Instrument:
    """Return a version as defined; its hash says which for ever, so it is remembered."""
    row = ImportedInstrument.objects.get(key=key, version=version, sha256=sha256)
    return from_data(row.definition)
