from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("generator", "0003_when_music_is_wanted"),
    ]

    operations = [
        migrations.AddField(
            model_name="playlist",
            name="refusal",
            field=models.CharField(
                blank=True,
                help_text="Which worker could not take it and why; it waits for another",
                max_length=500,
                verbose_name="refused",
            ),
        ),
    ]
