"""The CBT arm: lessons done and the sleep diary."""

from django.db import models

from questionnaires.models import Response
from studies.models.participant import Participant


class LessonProgress(models.Model):
    """A lesson that a participant opened, and finished or not."""

    participant = models.ForeignKey(Participant, models.PROTECT, related_name="lessons")
    lesson = models.CharField(max_length=32)
    card = models.PositiveSmallIntegerField(default=0, help_text="The last card that was read")
    opened_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(
        max_length=32, blank=True, help_text="Key of the choice made in the exercise"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["participant", "lesson"], name="studies_lessonprogress_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.participant_id} {self.lesson}"


class DiaryEntry(models.Model):
    """The sleep diary of one night, keyed by the date of its morning."""

    participant = models.ForeignKey(Participant, models.PROTECT, related_name="diary")
    morning_on = models.DateField()
    response = models.OneToOneField(Response, models.PROTECT, related_name="+")

    class Meta:
        verbose_name_plural = "diary entries"
        constraints = [
            models.UniqueConstraint(
                fields=["participant", "morning_on"], name="studies_diaryentry_morning_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.participant_id} {self.morning_on}"
