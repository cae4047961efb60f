from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("studies", "0007_answers_to_the_first_lesson_move")]

    operations = [migrations.RemoveField(model_name="lessonprogress", name="answer")]
