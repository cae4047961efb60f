import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import studies.models.lock
import studies.models.signature
import studies.models.unblinding


class Migration(migrations.Migration):
    dependencies = [
        ("studies", "0016_people_have_keys_of_their_own"),
    ]

    operations = [
        migrations.CreateModel(
            name="ContactRetention",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "erase_on",
                    models.DateField(
                        help_text="In the study's own time zone", verbose_name="erased on"
                    ),
                ),
                ("erased_at", models.DateTimeField(blank=True, null=True, verbose_name="erased")),
                (
                    "n_erased",
                    models.PositiveIntegerField(default=0, verbose_name="contacts erased"),
                ),
                (
                    "study",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contact_retention",
                        to="studies.study",
                        verbose_name="study",
                    ),
                ),
            ],
            options={
                "verbose_name": "retention of contacts",
                "verbose_name_plural": "retention of contacts",
            },
        ),
        migrations.CreateModel(
            name="Lock",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "level",
                    models.CharField(
                        choices=studies.models.lock.lock_levels, max_length=16, verbose_name="level"
                    ),
                ),
                (
                    "target",
                    models.CharField(
                        help_text="Level and key", max_length=128, verbose_name="what is locked"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=studies.models.lock.lock_states,
                        default="locked",
                        max_length=16,
                        verbose_name="state",
                    ),
                ),
                ("locked_at", models.DateTimeField(verbose_name="locked")),
                ("locked_by", models.CharField(max_length=150, verbose_name="locked by")),
                (
                    "asked_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="asked to open"),
                ),
                ("asked_by", models.CharField(blank=True, max_length=150, verbose_name="asked by")),
                (
                    "asked_reason",
                    models.CharField(blank=True, max_length=500, verbose_name="reason to open"),
                ),
                (
                    "answered_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="answered"),
                ),
                (
                    "answered_by",
                    models.CharField(blank=True, max_length=150, verbose_name="answered by"),
                ),
                (
                    "participant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="locks",
                        to="studies.participant",
                        verbose_name="participant",
                    ),
                ),
                (
                    "study",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="locks",
                        to="studies.study",
                        verbose_name="study",
                    ),
                ),
            ],
            options={
                "verbose_name": "lock",
                "verbose_name_plural": "locks",
                "ordering": ["study", "id"],
            },
        ),
        migrations.CreateModel(
            name="Signature",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "meaning",
                    models.CharField(
                        choices=studies.models.signature.meanings,
                        max_length=16,
                        verbose_name="meaning",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="As it was when signed", max_length=310, verbose_name="name"
                    ),
                ),
                ("role", models.CharField(max_length=200, verbose_name="role")),
                ("signed_at", models.DateTimeField(verbose_name="signed")),
                (
                    "content_sha256",
                    models.CharField(max_length=64, verbose_name="SHA-256 of the content"),
                ),
                (
                    "participant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="signatures",
                        to="studies.participant",
                        verbose_name="participant",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="account",
                    ),
                ),
            ],
            options={
                "verbose_name": "signature",
                "verbose_name_plural": "signatures",
                "ordering": ["participant", "signed_at"],
            },
        ),
        migrations.CreateModel(
            name="Unblinding",
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
                        choices=studies.models.unblinding.unblinding_kinds,
                        max_length=16,
                        verbose_name="kind",
                    ),
                ),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                (
                    "impact",
                    models.CharField(
                        help_text="What it changes", max_length=500, verbose_name="impact"
                    ),
                ),
                ("unblinded_at", models.DateTimeField(verbose_name="unblinded")),
                ("unblinded_by", models.CharField(max_length=150, verbose_name="by")),
                (
                    "participant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="unblindings",
                        to="studies.participant",
                        verbose_name="participant",
                    ),
                ),
            ],
            options={
                "verbose_name": "unblinding",
                "verbose_name_plural": "unblindings",
                "ordering": ["participant", "unblinded_at"],
            },
        ),
        migrations.AddConstraint(
            model_name="lock",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "unlocked"), _negated=True),
                fields=("target",),
                name="studies_lock_in_force_once",
            ),
        ),
    ]
