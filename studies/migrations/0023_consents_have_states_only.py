from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("studies", "0022_old_consents_have_states")]

    operations = [migrations.RemoveField(model_name="consent", name="agreed")]
