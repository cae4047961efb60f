from django.db import migrations
from django.db.models import OuterRef, Subquery


def take_words(apps, _schema_editor):
    """Until now a response kept the language it began with, so every answer was read in it."""
    answers = apps.get_model("questionnaires", "Answer").objects
    own = apps.get_model("questionnaires", "Response").objects.filter(pk=OuterRef("response"))
    answers.filter(language="").update(
        language=Subquery(own.values("language")[:1]),
        wording_hash=Subquery(own.values("wording_hash")[:1]),
    )


class Migration(migrations.Migration):
    dependencies = [("questionnaires", "0002_answers_know_their_words")]

    # What the answers took stands in their responses too: going back loses nothing.
    operations = [migrations.RunPython(take_words, migrations.RunPython.noop)]
