from django.db import migrations

OF_AGE = 18


def give_states(apps, _schema_editor):
    """Say of each old answer what it was, and of a minor's that it was an assent."""
    consents = apps.get_model("studies", "Consent").objects.all()
    consents.filter(agreed=True).update(state="agreed")
    consents.filter(agreed=False).update(state="refused")
    consents.filter(participant__age_years__lt=OF_AGE).update(role="assent")


class Migration(migrations.Migration):
    dependencies = [("studies", "0021_guardians_permit_and_minors_assent")]

    operations = [migrations.RunPython(give_states, migrations.RunPython.noop)]
