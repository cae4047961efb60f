"""The wordings that a site loaded: what is once loaded stays as it is."""

from typing import Any, NoReturn

from django.db import models
from django.utils.translation import gettext_lazy as _

from questionnaires.exceptions import KeptForever


class KeptRows(models.QuerySet):
    """Refuses mass changes of rows that responses may rest on."""

    def update(self, **_values: Any) -> NoReturn:
        """Refuse: a new text is a new row."""
        raise KeptForever(self.model._meta.verbose_name)

    def delete(self) -> NoReturn:
        """Refuse: responses may have been given to it."""
        raise KeptForever(self.model._meta.verbose_name)

    def bulk_update(self, *_rows_and_fields: Any, **_options: Any) -> NoReturn:
        """Refuse: a new text is a new row."""
        raise KeptForever(self.model._meta.verbose_name)


class KeptModel(models.Model):
    """A row that is written once."""

    objects = KeptRows.as_manager()

    class Meta:
        abstract = True

    def save(self, **options: Any) -> None:
        """Write a new row; one that exists stays as it is."""
        if not self._state.adding:
            raise KeptForever(self._meta.verbose_name)
        super().save(**options)

    def delete(self, **_options: Any) -> NoReturn:
        """Refuse: responses may rest on it."""
        raise KeptForever(self._meta.verbose_name)


class SiteWording(KeptModel):
    """The words of one instrument in one language, as a site is licensed to show them.

    The newest row of an instrument's version and language is the one in force.
    """

    instrument = models.CharField(_("instrument"), max_length=32)
    version = models.CharField(_("version"), max_length=16)
    language = models.CharField(_("language"), max_length=16)
    content = models.JSONField(_("words"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    licence = models.TextField(
        _("licence"), help_text=_("On what ground the site may use the text")
    )
    loaded_at = models.DateTimeField(_("loaded"))
    loaded_by = models.CharField(_("loaded by"), max_length=150)

    class Meta:
        ordering = ["id"]
        verbose_name = _("wording")
        verbose_name_plural = _("wordings")
        indexes = [
            models.Index(
                fields=["instrument", "version", "language"], name="questionnaires_wording_of"
            )
        ]

    def __str__(self) -> str:
        return f"{self.instrument} {self.version} {self.language} {self.sha256[:8]}"
