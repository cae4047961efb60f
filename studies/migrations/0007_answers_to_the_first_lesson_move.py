"""Move the answer of a finished lesson to the table of all exercises."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

# The one lesson that was written had this one exercise.
EXERCISE = "one_helper"


def move(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    answers = apps.get_model("studies", "ExerciseAnswer").objects
    for row in apps.get_model("studies", "LessonProgress").objects.exclude(answer=""):
        answers.create(
            participant_id=row.participant_id,
            exercise=EXERCISE,
            value=row.answer,
            answered_at=row.finished_at,
        )


def move_back(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    progress = apps.get_model("studies", "LessonProgress").objects
    for row in apps.get_model("studies", "ExerciseAnswer").objects.filter(exercise=EXERCISE):
        own = progress.filter(participant_id=row.participant_id, lesson="sleep_education")
        own.update(answer=row.value)


class Migration(migrations.Migration):
    dependencies = [("studies", "0006_cbt_course_and_sleep_window")]

    operations = [migrations.RunPython(move, move_back)]
