from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("questionnaires", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="answer",
            name="is_declined",
            field=models.BooleanField(default=False, verbose_name="declined"),
        ),
        migrations.AddField(
            model_name="answer",
            name="language",
            field=models.CharField(
                default="",
                help_text="In which the item was read",
                max_length=16,
                verbose_name="language",
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="answer",
            name="wording_hash",
            field=models.CharField(
                default="",
                help_text="SHA-256 of the words that were shown",
                max_length=64,
                verbose_name="wording",
            ),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="answer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_declined", False),
                    models.Q(("raw", ""), ("value__isnull", True)),
                    _connector="OR",
                ),
                name="questionnaires_answer_declined_says_nothing",
            ),
        ),
    ]
