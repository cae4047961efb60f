"""Refuse, in the database itself, to change or delete an analysis plan that was locked."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

TABLE = "studies_analysisplanversion"
MESSAGE = "a locked analysis plan is immutable"
CONTENT = (
    "study_id", "number", "content", "sha256", "reason", "created_at", "created_by", "locked_at",
    "locked_by", "is_before_unblinding",
)  # fmt: skip

SQLITE = [
    f"""CREATE TRIGGER {TABLE}_no_update BEFORE UPDATE OF {", ".join(CONTENT)} ON {TABLE}
    WHEN OLD.state <> 'draft' BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END""",
    f"""CREATE TRIGGER {TABLE}_no_delete BEFORE DELETE ON {TABLE}
    WHEN OLD.state <> 'draft' BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END""",
]
SQLITE_BACK = [f"DROP TRIGGER IF EXISTS {TABLE}_no_{verb}" for verb in ("update", "delete")]
POSTGRESQL = [
    f"""CREATE FUNCTION {TABLE}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'integrity_constraint_violation'; END $$""",
    f"""CREATE TRIGGER {TABLE}_no_update BEFORE UPDATE OF {", ".join(CONTENT)} ON {TABLE}
    FOR EACH ROW WHEN (OLD.state <> 'draft') EXECUTE FUNCTION {TABLE}_refuse()""",
    f"""CREATE TRIGGER {TABLE}_no_delete BEFORE DELETE ON {TABLE}
    FOR EACH ROW WHEN (OLD.state <> 'draft') EXECUTE FUNCTION {TABLE}_refuse()""",
]
POSTGRESQL_BACK = [
    f"DROP TRIGGER IF EXISTS {TABLE}_no_update ON {TABLE}",
    f"DROP TRIGGER IF EXISTS {TABLE}_no_delete ON {TABLE}",
    f"DROP FUNCTION IF EXISTS {TABLE}_refuse()",
]
STATEMENTS = {"sqlite": (SQLITE, SQLITE_BACK), "postgresql": (POSTGRESQL, POSTGRESQL_BACK)}


def put_triggers(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    for statement in STATEMENTS[editor.connection.vendor][0]:
        editor.execute(statement)


def take_triggers(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    for statement in STATEMENTS[editor.connection.vendor][1]:
        editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("studies", "0019_analysis_plans_and_runs")]

    operations = [migrations.RunPython(put_triggers, take_triggers)]
