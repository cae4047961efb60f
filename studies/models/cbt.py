"""The CBT arm: the course a study pinned, lessons done, their answers, contact time, the diary."""

from django.conf import settings
from django.db import models

from questionnaires.models import Response
from studies.models.participant import Participant
from studies.models.study import Study


class CourseVersion(models.Model):
    """A course that a study gives: pinned when it opens, changed by a recorded amendment only."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="courses")
    sha256 = models.CharField(max_length=64, help_text="Of all lessons in all languages")
    versions = models.JSONField(help_text="Version of each lesson by its key")
    pinned_at = models.DateTimeField()
    pinned_by = models.CharField(max_length=150)
    reason = models.CharField(max_length=200, blank=True, help_text="Empty for the first")

    class Meta:
        ordering = ["study", "pinned_at", "pk"]

    def __str__(self) -> str:
        return f"{self.study_id} {self.sha256[:8]}"


class CourseRequest(models.Model):
    """A changed course that somebody asked for; a second person confirms it, or it is given up."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="course_requests")
    sha256 = models.CharField(max_length=64, help_text="Of all lessons in all languages")
    versions = models.JSONField(help_text="Version of each lesson by its key")
    reason = models.CharField(max_length=200)
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    is_confirmed = models.BooleanField(default=False)

    class Meta:
        ordering = ["study", "asked_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["study"],
                condition=models.Q(settled_at__isnull=True),
                name="studies_courserequest_one_waits",
            )
        ]

    def __str__(self) -> str:
        return f"{self.study_id} {self.sha256[:8]}"


class LessonProgress(models.Model):
    """A lesson that a participant opened, and finished or not."""

    participant = models.ForeignKey(Participant, models.PROTECT, related_name="lessons")
    lesson = models.CharField(max_length=32)
    card = models.PositiveSmallIntegerField(default=0, help_text="The last card that was read")
    opened_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    version = models.CharField(
        max_length=16, blank=True, help_text="Version of the lesson that was opened"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["participant", "lesson"], name="studies_lessonprogress_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.participant_id} {self.lesson}"


class ExerciseAnswer(models.Model):
    """What somebody answered to an exercise; words of their own lie under seal."""

    participant = models.ForeignKey(Participant, models.PROTECT, related_name="exercise_answers")
    exercise = models.CharField(max_length=32)
    value = models.JSONField(null=True, help_text="Key, list of keys or time; null for words")
    sealed = models.BinaryField(null=True, help_text="Words of one's own, sealed")
    answered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["participant", "exercise"], name="studies_exerciseanswer_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.participant_id} {self.exercise}"


class LessonSitting(models.Model):
    """One time of sitting with a lesson; its seconds are counted by `design/contact_time.py`."""

    participant = models.ForeignKey(Participant, models.PROTECT, related_name="sittings")
    lesson = models.CharField(max_length=32)
    began_at = models.DateTimeField()
    last_at = models.DateTimeField()
    counted_s = models.FloatField(default=0.0)

    class Meta:
        ordering = ["participant", "began_at"]

    def __str__(self) -> str:
        return f"{self.participant_id} {self.lesson} {self.counted_s:.0f} s"


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
