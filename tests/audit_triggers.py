"""Let transactional tests empty the tables that triggers protect from everybody else."""

from collections.abc import Iterable
from importlib import import_module

from django.db import connection
from django.test import TransactionTestCase

MIGRATION = import_module("studies.migrations.0002_audit_is_append_only")
PROTOCOLS = import_module("studies.migrations.0010_submitted_protocols_are_immutable")

LOOKS = import_module("studies.migrations.0029_interim_looks_are_immutable")
PLANS = import_module("studies.migrations.0020_locked_analysis_plans_are_immutable")


def lift_for_flushing() -> None:
    """Take the triggers away while a transactional test's tables are emptied, and only then."""
    flush = TransactionTestCase._fixture_teardown

    def flush_without_triggers(case: TransactionTestCase) -> None:
        guards = [
            part.STATEMENTS[connection.vendor] for part in (MIGRATION, PROTOCOLS, PLANS, LOOKS)
        ]
        for _put, take in guards:
            _run(take)
        flush(case)
        for put, _take in guards:
            _run(put)

    TransactionTestCase._fixture_teardown = flush_without_triggers


def _run(statements: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
