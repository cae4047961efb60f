"""Let transactional tests empty the audit table, which its triggers forbid to everybody else."""

from collections.abc import Iterable
from importlib import import_module

from django.db import connection
from django.test import TransactionTestCase

MIGRATION = import_module("studies.migrations.0002_audit_is_append_only")


def lift_for_flushing() -> None:
    """Take the triggers away while a transactional test's tables are emptied, and only then."""
    flush = TransactionTestCase._fixture_teardown

    def flush_without_triggers(case: TransactionTestCase) -> None:
        put, take = MIGRATION.STATEMENTS[connection.vendor]
        _run(take)
        flush(case)
        _run(put)

    TransactionTestCase._fixture_teardown = flush_without_triggers


def _run(statements: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
