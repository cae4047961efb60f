"""Visits may be late; reminders, adverse events, action items, queries, deviations."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import studies.models.deviation
import studies.models.query
import studies.models.reminder
import studies.models.safety


class Migration(migrations.Migration):
    dependencies = [("studies", "0012_keep_the_liked_bed")]

    operations = [
        migrations.AddField(
            model_name="visit",
            name="late_until",
            field=models.DateTimeField(
                blank=True,
                help_text="Until when answers are still taken, and flagged; empty: until it closes",
                null=True,
                verbose_name="late until",
            ),
        ),
        migrations.CreateModel(
            name="AdverseEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=studies.models.safety.event_states,
                        default="reported",
                        max_length=16,
                    ),
                ),
                ("began_on", models.DateField()),
                ("words", models.TextField(help_text="What happened, without a name")),
                (
                    "severity",
                    models.CharField(choices=studies.models.safety.severities, max_length=16),
                ),
                (
                    "relation",
                    models.CharField(choices=studies.models.safety.relations, max_length=16),
                ),
                ("is_expected", models.BooleanField(default=False)),
                (
                    "criteria",
                    models.JSONField(
                        default=list, help_text="Which criteria make it serious; empty: it is not"
                    ),
                ),
                (
                    "learned_at",
                    models.DateTimeField(
                        help_text="When staff learned of it: its clock starts here"
                    ),
                ),
                (
                    "due_at",
                    models.DateTimeField(
                        help_text="By when it is triaged, or reported on if serious"
                    ),
                ),
                ("ended_on", models.DateField(null=True)),
                (
                    "noted_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "participant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="studies.participant",
                        verbose_name="participant",
                    ),
                ),
                (
                    "resolved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-learned_at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="DataQuery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("item_key", models.CharField(max_length=64)),
                (
                    "state",
                    models.CharField(
                        choices=studies.models.query.query_states, default="open", max_length=16
                    ),
                ),
                ("question", models.TextField()),
                ("asked_at", models.DateTimeField()),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "assessment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="data_queries",
                        to="studies.assessment",
                    ),
                ),
            ],
            options={
                "ordering": ["asked_at", "pk"],
            },
        ),
        migrations.CreateModel(
            name="Deviation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=studies.models.deviation.deviation_kinds, max_length=16
                    ),
                ),
                (
                    "key",
                    models.CharField(
                        help_text="What it is about: noted once", max_length=96, unique=True
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=studies.models.deviation.deviation_states,
                        default="noted",
                        max_length=16,
                    ),
                ),
                ("happened_at", models.DateTimeField()),
                ("noted_at", models.DateTimeField()),
                ("words", models.TextField(blank=True, help_text="What happened, without a name")),
                (
                    "impact",
                    models.CharField(
                        blank=True, choices=studies.models.deviation.impacts, max_length=16
                    ),
                ),
                (
                    "measures",
                    models.TextField(
                        blank=True, help_text="What was done, and so that it stays away"
                    ),
                ),
                ("assessed_at", models.DateTimeField(null=True)),
                (
                    "assessed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "noted_by",
                    models.ForeignKey(
                        help_text="Empty: found by the rules",
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
                        related_name="deviations",
                        to="studies.participant",
                    ),
                ),
                (
                    "visit",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="studies.visit",
                    ),
                ),
            ],
            options={
                "ordering": ["-happened_at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="QueryNote",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.CharField(choices=studies.models.query.query_states, max_length=16),
                ),
                ("words", models.TextField()),
                ("noted_at", models.DateTimeField()),
                (
                    "noted_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "query",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notes",
                        to="studies.dataquery",
                    ),
                ),
            ],
            options={
                "ordering": ["query", "noted_at", "pk"],
            },
        ),
        migrations.CreateModel(
            name="Reminder",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "key",
                    models.CharField(
                        help_text="Subject, step and channel", max_length=96, unique=True
                    ),
                ),
                (
                    "planned_on",
                    models.DateField(help_text="The day it belongs to, in the participant's zone"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=studies.models.reminder.reminder_states, max_length=16
                    ),
                ),
                (
                    "reason",
                    models.CharField(blank=True, help_text="Why it is held back", max_length=32),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                (
                    "next_try_at",
                    models.DateTimeField(help_text="Not tried again before", null=True),
                ),
                ("changed_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
                (
                    "participant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reminders",
                        to="studies.participant",
                    ),
                ),
            ],
            options={
                "ordering": ["participant", "planned_on", "pk"],
            },
        ),
        migrations.CreateModel(
            name="ReminderChoice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("is_stopped", models.BooleanField()),
                ("changed_at", models.DateTimeField()),
                (
                    "participant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reminder_choice",
                        to="studies.participant",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ActionItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(choices=studies.models.safety.item_kinds, max_length=16)),
                (
                    "key",
                    models.CharField(
                        help_text="What it is about: opened once", max_length=128, unique=True
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=studies.models.safety.item_states, default="new", max_length=16
                    ),
                ),
                (
                    "told",
                    models.CharField(
                        blank=True, help_text="Which rule, and what met it", max_length=200
                    ),
                ),
                (
                    "sealed",
                    models.BinaryField(help_text="The participant's own words, sealed", null=True),
                ),
                ("opened_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField(null=True)),
                ("done_at", models.DateTimeField(null=True)),
                ("note", models.TextField(blank=True, help_text="What was done")),
                (
                    "assessment",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="studies.assessment",
                    ),
                ),
                (
                    "done_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="action_items",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "participant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="items",
                        to="studies.participant",
                        verbose_name="participant",
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="items",
                        to="studies.adverseevent",
                    ),
                ),
            ],
            options={
                "ordering": ["due_at", "pk"],
                "indexes": [
                    models.Index(fields=["state", "due_at"], name="studies_item_state_due")
                ],
            },
        ),
        migrations.CreateModel(
            name="EventNote",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                (
                    "state",
                    models.CharField(choices=studies.models.safety.event_states, max_length=16),
                ),
                ("words", models.TextField(blank=True)),
                ("noted_at", models.DateTimeField()),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notes",
                        to="studies.adverseevent",
                    ),
                ),
                (
                    "noted_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["event", "number"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("event", "number"), name="studies_eventnote_once"
                    )
                ],
            },
        ),
    ]
