from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("generator", "0004_keep_the_workers_refusal"),
    ]

    operations = [
        migrations.AddField(
            model_name="track",
            name="check_name",
            field=models.CharField(
                blank=True,
                help_text="The short file by which its listener sets the volume",
                max_length=100,
                verbose_name="volume check",
            ),
        ),
    ]
