"""Responses, their answers and their scores; whose they are is known one floor up."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from questionnaires.exceptions import ResponseLocked
from questionnaires.instruments import instrument_choices
from questionnaires.instruments.instrument import Instrument, Item
from questionnaires.models.definition import definition_named


class ResponseState(models.TextChoices):
    """A response is being answered, or it was handed in."""

    DRAFT = "draft", _("Draft")
    SUBMITTED = "submitted", _("Submitted")


def response_states() -> list[tuple[str, str]]:
    """Choices as a callable, so that a new state needs no migration."""
    return ResponseState.choices


class SealedQuerySet(models.QuerySet):
    """Refuses mass changes that would reach a submitted response."""

    response_path = ""

    def update(self, **values: Any) -> int:
        """Change drafts only."""
        self._refuse_submitted()
        return super().update(**values)

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete drafts only."""
        self._refuse_submitted()
        return super().delete()

    def bulk_create(self, rows: Iterable[models.Model], **options: Any) -> list[models.Model]:
        """Add to drafts only."""
        rows = list(rows)
        ids = {row.response_id if self.response_path else row.pk for row in rows}
        _refuse_if_submitted(ids)
        return super().bulk_create(rows, **options)

    def _refuse_submitted(self) -> None:
        state, key = f"{self.response_path}state", f"{self.response_path}pk"
        sealed = self.filter(**{state: ResponseState.SUBMITTED}).values_list(key, flat=True).first()
        if sealed is not None:
            raise ResponseLocked(sealed)


class PartsOfResponses(SealedQuerySet):
    """Answers or scores."""

    response_path = "response__"

    def bulk_create_in(self, draft: "Response", rows: Iterable[models.Model]) -> list[models.Model]:
        """Add to a draft whose row the caller has locked; see `PartOfResponse.save_in`."""
        rows = list(rows)
        for row in rows:
            row.refuse_unless_in(draft)
        return super(SealedQuerySet, self).bulk_create(rows)


class Response(models.Model):
    """One filling-in of an instrument, from the first item to the last."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    instrument = models.CharField(_("instrument"), max_length=32, choices=instrument_choices)
    version = models.CharField(_("version"), max_length=16)
    rule_id = models.CharField(
        _("scoring rule"), max_length=32, help_text=_("The rule that scores it at submission")
    )
    language = models.CharField(_("language"), max_length=16)
    wording_hash = models.CharField(
        _("wording"), max_length=64, help_text=_("SHA-256 of the words that were shown")
    )
    state = models.CharField(
        _("state"), max_length=16, choices=response_states, default=ResponseState.DRAFT
    )
    # A correction is a new revision, and all of them point at the first; none is ever changed.
    original = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="revisions",
        verbose_name=_("original"),
    )
    revision = models.PositiveSmallIntegerField(_("revision"), default=1)
    author = models.CharField(
        _("author"), max_length=150, blank=True, help_text=_("Who corrected it")
    )
    reason = models.CharField(
        _("reason"), max_length=500, blank=True, help_text=_("Why it was corrected")
    )
    started_at = models.DateTimeField(_("started"))
    submitted_at = models.DateTimeField(_("submitted"), null=True, blank=True)

    objects = SealedQuerySet.as_manager()

    class Meta:
        ordering = ["started_at", "id"]
        verbose_name = _("response")
        verbose_name_plural = _("responses")
        constraints = [
            # A response has a time of submission exactly when it was submitted.
            models.CheckConstraint(
                condition=models.Q(state="draft", submitted_at__isnull=True)
                | models.Q(state="submitted", submitted_at__isnull=False),
                name="questionnaires_response_submitted_has_its_time",
            ),
            models.CheckConstraint(
                condition=models.Q(submitted_at__isnull=True)
                | models.Q(submitted_at__gte=models.F("started_at")),
                name="questionnaires_response_submitted_after_start",
            ),
            models.CheckConstraint(
                condition=models.Q(revision__gte=1),
                name="questionnaires_response_revision_from_one",
            ),
            models.UniqueConstraint(
                fields=["original", "revision"], name="questionnaires_response_revision_once"
            ),
            # The original has no author but its participant; a correction says who and why.
            models.CheckConstraint(
                condition=models.Q(revision=1, original__isnull=True, author="", reason="")
                | models.Q(revision__gt=1, original__isnull=False)
                & ~models.Q(author="")
                & ~models.Q(reason=""),
                name="questionnaires_response_correction_has_author_and_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.instrument} {self.pk}"

    def save(self, **options: Any) -> None:
        """Keep a draft; a submitted response stays as it is."""
        _refuse_if_submitted({self.pk})
        super().save(**options)

    def delete(self, **options: Any) -> tuple[int, dict[str, int]]:
        """Delete from a draft only."""
        _refuse_if_submitted({self.pk})
        return super().delete(**options)

    def seal(self, at: datetime) -> None:
        """Hand in a draft whose row the caller has locked; from now on it stays as it is."""
        if self.is_submitted:
            raise ResponseLocked(self.pk)
        self.state, self.submitted_at = ResponseState.SUBMITTED, at
        super().save(update_fields=["state", "submitted_at"])

    @property
    def is_submitted(self) -> bool:
        """Whether the response was handed in."""
        return self.state == ResponseState.SUBMITTED

    @property
    def definition(self) -> Instrument:
        """The instrument that was answered."""
        return definition_named(self.instrument, self.version)


class PartOfResponse(models.Model):
    """What belongs to a response and is sealed with it."""

    response = models.ForeignKey(Response, models.PROTECT)

    objects = PartsOfResponses.as_manager()

    class Meta:
        abstract = True

    def save(self, **options: Any) -> None:
        """Keep a draft; a submitted response stays as it is."""
        _refuse_if_submitted({self.response_id})
        super().save(**options)

    def save_in(self, draft: Response) -> None:
        """Keep it in a draft whose row the caller has locked.

        Nobody can hand that in meanwhile, so the database is not asked again whether somebody has.
        """
        self.refuse_unless_in(draft)
        super().save()

    def refuse_unless_in(self, draft: Response) -> None:
        """Refuse what belongs to another response than this draft, or to one handed in."""
        if draft.is_submitted or draft.pk != self.response_id:
            raise ResponseLocked(self.response_id)

    def delete(self, **options: Any) -> tuple[int, dict[str, int]]:
        """Delete from a draft only."""
        _refuse_if_submitted({self.response_id})
        return super().delete(**options)


class Answer(PartOfResponse):
    """What was answered to one item: as typed, and as read.

    A null value is a skipped item; one that is declined is a person's "I do not want to answer".
    An item that was never reached has no row at all.
    """

    response = models.ForeignKey(Response, models.PROTECT, related_name="answers")
    item_key = models.CharField(_("item"), max_length=64)
    raw = models.TextField(_("as typed"), blank=True)
    value = models.JSONField(_("value"), null=True, blank=True)
    is_declined = models.BooleanField(_("declined"), default=False)
    language = models.CharField(
        _("language"), max_length=16, help_text=_("In which the item was read")
    )
    wording_hash = models.CharField(
        _("wording"), max_length=64, help_text=_("SHA-256 of the words that were shown")
    )
    answered_at = models.DateTimeField(_("answered"))
    elapsed_ms = models.PositiveIntegerField(
        _("milliseconds"), null=True, blank=True, help_text=_("From showing the item to its answer")
    )

    class Meta:
        ordering = ["id"]
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        constraints = [
            models.UniqueConstraint(
                fields=["response", "item_key"], name="questionnaires_answer_item_once"
            ),
            models.CheckConstraint(
                condition=models.Q(is_declined=False) | models.Q(value__isnull=True, raw=""),
                name="questionnaires_answer_declined_says_nothing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.response_id} {self.item_key}"

    @property
    def item(self) -> Item:
        """The item that was answered."""
        return self.response.definition.item(self.item_key)


class Delivery(models.Model):
    """An answer that arrived under a key of the sender's: the same key again changes nothing.

    Not part of what is sealed: a late repetition may arrive after submission.
    """

    key = models.UUIDField(_("key"), primary_key=True)
    response = models.ForeignKey(Response, models.PROTECT, related_name="deliveries")
    item_key = models.CharField(_("item"), max_length=64)
    received_at = models.DateTimeField(_("received"))

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")

    def __str__(self) -> str:
        return f"{self.response_id} {self.item_key}"


class Score(PartOfResponse):
    """One number of a response by one rule; a null value is "not derivable"."""

    response = models.ForeignKey(Response, models.PROTECT, related_name="scores")
    rule_id = models.CharField(_("scoring rule"), max_length=32)
    name = models.CharField(_("name"), max_length=64)
    value = models.FloatField(_("value"), null=True, blank=True)
    n_missing = models.PositiveSmallIntegerField(_("items missing"), default=0)
    flags = models.JSONField(_("flags"), default=list, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("score")
        verbose_name_plural = _("scores")
        constraints = [
            models.UniqueConstraint(
                fields=["response", "rule_id", "name"], name="questionnaires_score_name_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.response_id} {self.name}"


def _refuse_if_submitted(response_ids: set[uuid.UUID]) -> None:
    submitted = Response.objects.filter(pk__in=response_ids, state=ResponseState.SUBMITTED)
    sealed = submitted.order_by("pk").values_list("pk", flat=True).first()
    if sealed is not None:
        raise ResponseLocked(sealed)
