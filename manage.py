#!/usr/bin/env python
"""Django's command line for Nocturne."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor


def migrations_missing() -> int:
    """Return how many migrations the database lacks; all of them on an empty one."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "therapy_site.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # A setting that makes no sense is the reader's to mend: one sentence, no traceback.
        sys.exit(str(error))
    except DatabaseError:
        if not (n_missing := migrations_missing()):
            raise
        sys.exit(
            f"A prepared database was expected, this one lacks {n_missing} migrations. Run "
            "./run manage prepare first (./run demo and ./run serve do it by themselves)."
        )
