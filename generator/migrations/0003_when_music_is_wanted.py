from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("generator", "0002_keep_the_renderers_pin"),
    ]

    operations = [
        migrations.AddField(
            model_name="playlist",
            name="wanted_by",
            field=models.DateTimeField(
                blank=True,
                help_text="What is wanted first is made first; empty: as soon as possible",
                null=True,
                verbose_name="wanted by",
            ),
        ),
    ]
