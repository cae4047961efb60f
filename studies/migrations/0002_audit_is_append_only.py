"""Refuse UPDATE, DELETE and TRUNCATE of audit entries in the database itself."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

TABLE = "studies_auditentry"
MESSAGE = "audit entries are append-only"

SQLITE = [
    f"""CREATE TRIGGER studies_auditentry_no_{verb.lower()} BEFORE {verb} ON {TABLE}
    BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"""
    for verb in ("UPDATE", "DELETE")
]
SQLITE_BACK = [
    f"DROP TRIGGER IF EXISTS studies_auditentry_no_{verb}" for verb in ("update", "delete")
]
POSTGRESQL = [
    f"""CREATE FUNCTION studies_auditentry_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'integrity_constraint_violation'; END $$""",
    f"""CREATE TRIGGER studies_auditentry_no_change BEFORE UPDATE OR DELETE ON {TABLE}
    FOR EACH ROW EXECUTE FUNCTION studies_auditentry_refuse()""",
    f"""CREATE TRIGGER studies_auditentry_no_truncate BEFORE TRUNCATE ON {TABLE}
    FOR EACH STATEMENT EXECUTE FUNCTION studies_auditentry_refuse()""",
]
POSTGRESQL_BACK = [
    f"DROP TRIGGER IF EXISTS studies_auditentry_no_truncate ON {TABLE}",
    f"DROP TRIGGER IF EXISTS studies_auditentry_no_change ON {TABLE}",
    "DROP FUNCTION IF EXISTS studies_auditentry_refuse()",
]
STATEMENTS = {"sqlite": (SQLITE, SQLITE_BACK), "postgresql": (POSTGRESQL, POSTGRESQL_BACK)}


def put_triggers(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    for statement in STATEMENTS[editor.connection.vendor][0]:
        editor.execute(statement)


def take_triggers(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    for statement in STATEMENTS[editor.connection.vendor][1]:
        editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("studies", "0001_initial")]

    operations = [migrations.RunPython(put_triggers, take_triggers)]
