"""Queries: a question about one answer, what was found, and whether that settles it."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from studies.models.state import StateMachine
from studies.models.visit import Assessment


class QueryState(models.TextChoices):
    """Where a query is."""

    OPEN = "open", _("Open")
    ANSWERED = "answered", _("Answered")
    CLOSED = "closed", _("Closed")


def query_states() -> list[tuple[str, str]]:
    """Choices as a callable."""
    return QueryState.choices


class DataQuery(StateMachine):
    """A question about one item of an assessment that was handed in."""

    machine = "query"

    assessment = models.ForeignKey(Assessment, models.PROTECT, related_name="data_queries")
    item_key = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=query_states, default=QueryState.OPEN)
    question = models.TextField()
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["asked_at", "pk"]

    def __str__(self) -> str:
        return f"{self.assessment_id} {self.item_key}"

    @property
    def visit(self) -> models.Model:
        """The visit it is about, which leads to participant and study."""
        return self.assessment.visit


class QueryNote(models.Model):
    """One step of a query: an answer, a question again, or its end."""

    query = models.ForeignKey(DataQuery, models.PROTECT, related_name="notes")
    state = models.CharField(max_length=16, choices=query_states)
    words = models.TextField()
    noted_at = models.DateTimeField()
    noted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["query", "noted_at", "pk"]

    def __str__(self) -> str:
        return f"{self.query_id} {self.state}"
