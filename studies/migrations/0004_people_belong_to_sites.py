"""Give every study its first site, everybody a place there, and clinicians their new role.

A clinician could set a study up and look after people: that is the principal investigator now.
Researchers and administrators keep their role.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

OLD, NEW = "clinician", "principal_investigator"


def settle(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    site_of = apps.get_model("studies", "Site").objects
    participants = apps.get_model("studies", "Participant").objects
    for study in apps.get_model("studies", "Study").objects.all():
        site = site_of.create(study=study, code="MAIN", name=study.title, position=0)
        participants.filter(study=study, site=None).update(site=site)
    apps.get_model("studies", "Membership").objects.filter(role=OLD).update(role=NEW)


def unsettle(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("studies", "Participant").objects.update(site=None)
    apps.get_model("studies", "Membership").objects.filter(role=NEW).update(role=OLD)
    apps.get_model("studies", "Membership").objects.update(site=None)
    apps.get_model("studies", "Site").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("studies", "0003_sites_and_roles")]

    operations = [migrations.RunPython(settle, unsettle)]
