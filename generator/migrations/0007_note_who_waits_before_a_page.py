from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("generator", "0006_keep_mastered_nights"),
    ]

    operations = [
        migrations.AddField(
            model_name="playlist",
            name="awaited_since",
            field=models.DateTimeField(
                blank=True,
                help_text="Since when its listener waits before a page; such are made before all others",
                null=True,
                verbose_name="listener waits since",
            ),
        ),
    ]
