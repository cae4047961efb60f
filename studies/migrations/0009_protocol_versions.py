"""Versions of the protocol, who is on call, and the levels that an allocation balanced."""

import django.db.models.deletion
from django.db import migrations, models

import studies.models.protocol


class Migration(migrations.Migration):
    dependencies = [("studies", "0008_progress_without_an_answer")]

    operations = [
        migrations.CreateModel(
            name="ProtocolVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveSmallIntegerField(verbose_name="number")),
                (
                    "state",
                    models.CharField(
                        choices=studies.models.protocol.version_states,
                        default="draft",
                        max_length=16,
                        verbose_name="state",
                    ),
                ),
                ("content", models.JSONField(verbose_name="content")),
                ("sha256", models.CharField(max_length=64, verbose_name="SHA-256")),
                (
                    "reason",
                    models.CharField(
                        blank=True, max_length=500, verbose_name="reason of the amendment"
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="created")),
                ("created_by", models.CharField(max_length=150, verbose_name="created by")),
                (
                    "submitted_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="submitted"),
                ),
                ("approved_on", models.DateField(blank=True, null=True, verbose_name="approved")),
                ("active_at", models.DateTimeField(blank=True, null=True, verbose_name="in force")),
                (
                    "study",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="protocol_versions",
                        to="studies.study",
                        verbose_name="study",
                    ),
                ),
            ],
            options={
                "verbose_name": "protocol version",
                "verbose_name_plural": "protocol versions",
                "ordering": ["study", "number"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("study", "number"), name="studies_protocolversion_number_once"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["draft", "submitted"])),
                        fields=("study",),
                        name="studies_protocolversion_one_in_hand",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "active")),
                        fields=("study",),
                        name="studies_protocolversion_one_in_force",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="membership",
            name="is_on_call",
            field=models.BooleanField(
                default=False, help_text="Answers alerts about participants", verbose_name="on call"
            ),
        ),
        migrations.AddField(
            model_name="allocation",
            name="levels",
            field=models.JSONField(default=dict),
        ),
    ]
