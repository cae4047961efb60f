import uuid

import django.db.models.deletion
from django.db import migrations, models

import studies.models.analysis


class Migration(migrations.Migration):
    dependencies = [
        ("studies", "0018_find_the_entries_about_a_row"),
    ]

    operations = [
        migrations.CreateModel(
            name="AnalysisPlanVersion",
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
                        choices=studies.models.analysis.plan_states,
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
                        blank=True, max_length=500, verbose_name="reason of the change"
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="created")),
                ("created_by", models.CharField(max_length=150, verbose_name="created by")),
                ("locked_at", models.DateTimeField(blank=True, null=True, verbose_name="locked")),
                (
                    "locked_by",
                    models.CharField(blank=True, max_length=150, verbose_name="locked by"),
                ),
                (
                    "is_before_unblinding",
                    models.BooleanField(
                        default=False,
                        help_text="Nobody had seen an arm by then",
                        verbose_name="locked before unblinding",
                    ),
                ),
                (
                    "study",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="analysis_plans",
                        to="studies.study",
                        verbose_name="study",
                    ),
                ),
            ],
            options={
                "verbose_name": "analysis plan",
                "verbose_name_plural": "analysis plans",
                "ordering": ["study", "number"],
            },
        ),
        migrations.CreateModel(
            name="AnalysisRun",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=studies.models.analysis.run_states,
                        default="queued",
                        max_length=16,
                        verbose_name="state",
                    ),
                ),
                (
                    "progress",
                    models.FloatField(default=0.0, help_text="0 to 1", verbose_name="progress"),
                ),
                ("step", models.CharField(blank=True, max_length=64, verbose_name="step")),
                ("attempt", models.PositiveSmallIntegerField(default=0, verbose_name="attempt")),
                ("lease", models.UUIDField(blank=True, editable=False, null=True)),
                (
                    "lease_until",
                    models.DateTimeField(blank=True, null=True, verbose_name="lease until"),
                ),
                (
                    "cancel_requested",
                    models.BooleanField(default=False, verbose_name="to be cancelled"),
                ),
                ("is_blinded", models.BooleanField(default=True, verbose_name="arms together")),
                ("requested_by", models.CharField(max_length=150, verbose_name="requested by")),
                ("requested_at", models.DateTimeField(verbose_name="requested")),
                (
                    "cut_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="state of the data"),
                ),
                (
                    "finished_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="finished"),
                ),
                (
                    "data_sha256",
                    models.CharField(blank=True, max_length=64, verbose_name="SHA-256 of the data"),
                ),
                (
                    "results_sha256",
                    models.CharField(
                        blank=True, max_length=64, verbose_name="SHA-256 of the results"
                    ),
                ),
                ("message", models.CharField(blank=True, max_length=500, verbose_name="message")),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="runs",
                        to="studies.analysisplanversion",
                        verbose_name="analysis plan",
                    ),
                ),
                (
                    "study",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="analysis_runs",
                        to="studies.study",
                        verbose_name="study",
                    ),
                ),
            ],
            options={
                "verbose_name": "analysis",
                "verbose_name_plural": "analyses",
                "ordering": ["-requested_at"],
            },
        ),
        migrations.AddConstraint(
            model_name="analysisplanversion",
            constraint=models.UniqueConstraint(
                fields=("study", "number"), name="studies_analysisplanversion_number_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="analysisplanversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "draft")),
                fields=("study",),
                name="studies_analysisplanversion_one_draft",
            ),
        ),
        migrations.AddConstraint(
            model_name="analysisplanversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "locked")),
                fields=("study",),
                name="studies_analysisplanversion_one_in_force",
            ),
        ),
    ]
