"""Sites, roles by site with who gave and took them, and the zone in every audit entry.

SQLite changes a table by copying it, and the copy has no triggers: those of the audit trail are
taken away before and put back after.
"""

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

import studies.models.study

audit = import_module("studies.migrations.0002_audit_is_append_only")


class Migration(migrations.Migration):
    dependencies = [("studies", "0002_audit_is_append_only")]

    operations = [
        migrations.CreateModel(
            name="Site",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.SlugField(max_length=16, verbose_name="code")),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                ("position", models.PositiveSmallIntegerField(verbose_name="position")),
                (
                    "study",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sites",
                        to="studies.study",
                        verbose_name="study",
                    ),
                ),
            ],
            options={
                "verbose_name": "site",
                "verbose_name_plural": "sites",
                "ordering": ["study", "position"],
                "constraints": [
                    models.UniqueConstraint(fields=("study", "code"), name="studies_site_code_once")
                ],
            },
        ),
        migrations.AddField(
            model_name="membership",
            name="site",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: every site of the study",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="memberships",
                to="studies.site",
                verbose_name="site",
            ),
        ),
        migrations.AddField(
            model_name="membership",
            name="granted_by",
            field=models.CharField(
                blank=True, default="", max_length=150, verbose_name="granted by"
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="membership",
            name="revoked_by",
            field=models.CharField(
                blank=True, default="", max_length=150, verbose_name="revoked by"
            ),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="membership",
            name="role",
            field=models.CharField(
                choices=studies.models.study.roles, max_length=32, verbose_name="role"
            ),
        ),
        migrations.RemoveConstraint(model_name="membership", name="studies_membership_role_once"),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(
                condition=models.Q(("revoked_at__isnull", True)),
                fields=("study", "user", "role", "site"),
                name="studies_membership_role_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(
                condition=models.Q(("revoked_at__isnull", True), ("site__isnull", True)),
                fields=("study", "user", "role"),
                name="studies_membership_role_everywhere_once",
            ),
        ),
        migrations.AddField(
            model_name="participant",
            name="site",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="participants",
                to="studies.site",
                verbose_name="site",
            ),
        ),
        migrations.RunPython(audit.take_triggers, audit.put_triggers),
        migrations.AlterField(
            model_name="auditentry",
            name="role",
            field=models.CharField(
                help_text="In which role the actor acted", max_length=200, verbose_name="role"
            ),
        ),
        migrations.AddField(
            model_name="auditentry",
            name="zone",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Where the subject's clock is",
                max_length=64,
                verbose_name="time zone",
            ),
            preserve_default=False,
        ),
        migrations.RunPython(audit.put_triggers, audit.take_triggers),
    ]
