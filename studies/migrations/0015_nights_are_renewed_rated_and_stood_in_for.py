import django.db.models.deletion
from django.db import migrations, models

import studies.models.listening


class Migration(migrations.Migration):
    dependencies = [
        ("generator", "0005_keep_the_volume_check"),
        ("studies", "0014_pin_the_studys_renderer"),
    ]

    operations = [
        migrations.AddField(
            model_name="playlistassignment",
            name="is_from_pool",
            field=models.BooleanField(
                default=False, help_text="The night's own mix failed or was late; never shown"
            ),
        ),
        migrations.AddField(
            model_name="playlistassignment",
            name="replacement",
            field=models.ForeignKey(
                blank=True,
                help_text="Takes the mix's place once it is ready, unless that was played by then",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="generator.playlist",
            ),
        ),
        migrations.AddField(
            model_name="playlistassignment",
            name="version",
            field=models.PositiveSmallIntegerField(
                default=1, help_text="How often music was asked for, for this night"
            ),
        ),
        migrations.CreateModel(
            name="NightRating",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "rating",
                    models.CharField(choices=studies.models.listening.ratings, max_length=16),
                ),
                ("rated_at", models.DateTimeField()),
                (
                    "assignment",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rating",
                        to="studies.playlistassignment",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PoolMix",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "minutes",
                    models.PositiveSmallIntegerField(
                        help_text="As long as the nights it stands in for"
                    ),
                ),
                ("position", models.PositiveSmallIntegerField()),
                ("asked_at", models.DateTimeField()),
                (
                    "arm",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pool",
                        to="studies.arm",
                    ),
                ),
                (
                    "playlist",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="generator.playlist",
                    ),
                ),
            ],
            options={
                "ordering": ["arm", "minutes", "position"],
            },
        ),
        migrations.AddConstraint(
            model_name="poolmix",
            constraint=models.UniqueConstraint(
                fields=("arm", "minutes", "position"), name="studies_poolmix_place_once"
            ),
        ),
    ]
