from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("studies", "0013_safety_reminders_and_queries"),
    ]

    operations = [
        migrations.AddField(
            model_name="study",
            name="renderer_pin",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text="What every night is rendered with; fixed when the study opens",
                verbose_name="renderer's pin",
            ),
        ),
    ]
