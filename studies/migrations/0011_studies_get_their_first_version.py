"""Give every study its protocol as version 1, and somebody who is on call."""

import hashlib
import json

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def first_versions(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    versions = apps.get_model("studies", "ProtocolVersion").objects
    members = apps.get_model("studies", "Membership").objects
    for study in apps.get_model("studies", "Study").objects.all():
        text = json.dumps(study.protocol, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        versions.create(
            study=study,
            number=1,
            state="draft" if study.state == "draft" else "active",
            content=study.protocol,
            sha256=study.protocol_sha256 or hashlib.sha256(text.encode()).hexdigest(),
            created_at=study.created_at,
            created_by="system",
            submitted_at=study.opened_at,
            active_at=study.opened_at,
        )
        chief = members.filter(study=study, role="principal_investigator", revoked_at=None)
        first = chief.order_by("granted_at", "pk").first()
        if first is not None:
            members.filter(pk=first.pk).update(is_on_call=True)


class Migration(migrations.Migration):
    dependencies = [("studies", "0010_submitted_protocols_are_immutable")]

    operations = [migrations.RunPython(first_versions, migrations.RunPython.noop)]
