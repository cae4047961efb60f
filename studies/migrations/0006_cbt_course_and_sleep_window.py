"""The pinned course, exercises and sittings, the sleep window, and messages under seal."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("studies", "0005_participants_have_a_site"),
    ]

    operations = [
        migrations.AddField(
            model_name="lessonprogress",
            name="version",
            field=models.CharField(
                blank=True, help_text="Version of the lesson that was opened", max_length=16
            ),
        ),
        migrations.CreateModel(
            name="CourseVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "sha256",
                    models.CharField(help_text="Of all lessons in all languages", max_length=64),
                ),
                ("versions", models.JSONField(help_text="Version of each lesson by its key")),
                ("pinned_at", models.DateTimeField()),
                ("pinned_by", models.CharField(max_length=150)),
                (
                    "reason",
                    models.CharField(blank=True, help_text="Empty for the first", max_length=200),
                ),
                (
                    "study",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="courses",
                        to="studies.study",
                    ),
                ),
            ],
            options={
                "ordering": ["study", "pinned_at", "pk"],
            },
        ),
        migrations.CreateModel(
            name="LessonSitting",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("lesson", models.CharField(max_length=32)),
                ("began_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                ("counted_s", models.FloatField(default=0.0)),
                (
                    "participant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sittings",
                        to="studies.participant",
                    ),
                ),
            ],
            options={
                "ordering": ["participant", "began_at"],
            },
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "sealed",
                    models.BinaryField(help_text="The words, sealed; empty once they were erased"),
                ),
                ("sha256", models.CharField(max_length=64)),
                ("sent_at", models.DateTimeField()),
                (
                    "read_at",
                    models.DateTimeField(help_text="When the other side opened it", null=True),
                ),
                (
                    "author",
                    models.ForeignKey(
                        help_text="Empty: the participant",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "participant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="studies.participant",
                    ),
                ),
            ],
            options={
                "ordering": ["participant", "sent_at", "pk"],
            },
        ),
        migrations.CreateModel(
            name="WindowScreening",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "exclusions",
                    models.JSONField(
                        default=list, help_text="Of design/sleep_window.py; none: may"
                    ),
                ),
                ("recorded_at", models.DateTimeField()),
                (
                    "participant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="window_screenings",
                        to="studies.participant",
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["participant", "recorded_at", "pk"],
            },
        ),
        migrations.CreateModel(
            name="ExerciseAnswer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("exercise", models.CharField(max_length=32)),
                (
                    "value",
                    models.JSONField(
                        help_text="Key, list of keys or time; null for words", null=True
                    ),
                ),
                ("sealed", models.BinaryField(help_text="Words of one's own, sealed", null=True)),
                ("answered_at", models.DateTimeField()),
                (
                    "participant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="exercise_answers",
                        to="studies.participant",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("participant", "exercise"), name="studies_exerciseanswer_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SleepWindow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("week", models.PositiveSmallIntegerField(help_text="0 is the first window")),
                ("rule_id", models.CharField(max_length=32)),
                ("rule_version", models.CharField(max_length=16)),
                (
                    "inputs",
                    models.JSONField(
                        help_text="The rule's parameters, the nights, the window before"
                    ),
                ),
                ("decision", models.CharField(max_length=16)),
                (
                    "proposed_min",
                    models.PositiveSmallIntegerField(help_text="What the rule says, minutes"),
                ),
                ("computed_at", models.DateTimeField()),
                (
                    "window_min",
                    models.PositiveSmallIntegerField(help_text="What was confirmed", null=True),
                ),
                (
                    "floor_min",
                    models.PositiveSmallIntegerField(help_text="Never shorter for this person"),
                ),
                (
                    "rise_at",
                    models.CharField(
                        help_text="Time to get up, HH:MM; it does not move", max_length=5
                    ),
                ),
                ("confirmed_at", models.DateTimeField(null=True)),
                (
                    "reason",
                    models.CharField(blank=True, help_text="Why it was adjusted", max_length=200),
                ),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        help_text="Empty where the rule was followed without anybody's confirmation",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "participant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sleep_windows",
                        to="studies.participant",
                    ),
                ),
            ],
            options={
                "ordering": ["participant", "week"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("participant", "week"), name="studies_sleepwindow_week_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("window_min", None),
                            ("window_min__gte", models.F("floor_min")),
                            _connector="OR",
                        ),
                        name="studies_sleepwindow_not_below_its_floor",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("confirmed_at", None), ("window_min", None)),
                            models.Q(
                                ("confirmed_at__isnull", False), ("window_min__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="studies_sleepwindow_confirmed_has_a_length",
                    ),
                ],
            },
        ),
    ]
