"""Copy a whole database to a file and back, while the site may be writing.

SQLite is copied page by page by its own online backup. PostgreSQL is dumped by its own programs, in
one snapshot with the row counts, and loaded back in one transaction.
"""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing, suppress
from pathlib import Path

from django.core.management.base import CommandError
from django.db import connection, connections, transaction

from therapy_site.servers import ServerMissing, postgres_programs

Counts = dict[str, int]


def dump(path: Path) -> Counts:
    """Write the database to `path`; return the rows of each table at that very moment."""
    if connection.vendor == "sqlite":
        return _dump_sqlite(path)
    return _dump_postgres(path)


def load(path: Path) -> None:
    """Put the database back as it was dumped; whatever is in it now is gone."""
    if connection.vendor == "sqlite":
        connections.close_all()
        _load_sqlite(path)
        return
    program = _postgres_program("pg_restore")
    # It cannot replace tables that a connection of ours still uses.
    connections.close_all()
    _run_as_the_site(
        program,
        *("--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error"),
        *("--dbname", connection.settings_dict["NAME"], str(path)),
    )


def erase() -> None:
    """Empty the database down to its last table."""
    connections.close_all()
    if connection.vendor == "sqlite":
        for suffix in ("", "-wal", "-shm"):
            Path(f"{connection.settings_dict['NAME']}{suffix}").unlink(missing_ok=True)
        return
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")


def count_rows() -> Counts:
    """Return the number of rows of each table."""
    with connection.cursor() as cursor:
        counts = {}
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f"SELECT COUNT(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608 (a table of ours, quoted)
            counts[table] = cursor.fetchone()[0]
    return counts


def _dump_sqlite(path: Path) -> Counts:
    source = connection.settings_dict["NAME"]
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(path)) as copy:
        live.backup(copy)
        names = copy.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
        return {
            name: copy.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0]  # noqa: S608 (a table of ours)
            for (name,) in sorted(names)
        }


def _load_sqlite(path: Path) -> None:
    target = connection.settings_dict["NAME"]
    with closing(sqlite3.connect(path)) as copy, closing(sqlite3.connect(target)) as live:
        copy.backup(live)


def _dump_postgres(path: Path) -> Counts:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("SELECT pg_export_snapshot()")
            snapshot = cursor.fetchone()[0]
        counts = count_rows()
        _run_as_the_site(
            _postgres_program("pg_dump"),
            *("--format=custom", "--no-owner", f"--snapshot={snapshot}"),
            *("--file", str(path), connection.settings_dict["NAME"]),
        )
    return counts


def _run_as_the_site(program: Path, *arguments: str) -> None:
    """Run one of PostgreSQL's programs as the account the site uses."""
    finished = subprocess.run(  # noqa: S603 (our own command line, no shell)
        [str(program), *arguments],
        env={**os.environ, **_postgres_account()},
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        raise CommandError(f"{program.name} failed: {finished.stderr.strip()}")


def _postgres_program(name: str) -> Path:
    """Return the program's path, of the server's own version if that is on this machine.

    An older program refuses the server, and a newer one may use words the server does not know.
    """
    connection.ensure_connection()
    for major in (str(connection.pg_version // 10_000), ""):
        with suppress(ServerMissing):
            return postgres_programs(major) / name
    path = shutil.which(name)
    if path is None:
        raise CommandError(
            f"{name} was expected on the PATH, it is not. Install PostgreSQL's client programs "
            "(Debian: apt-get install -y postgresql-client)."
        )
    return Path(path)


def _postgres_account() -> dict[str, str]:
    parts = connection.settings_dict
    account = {
        "PGHOST": parts["HOST"],
        "PGPORT": str(parts["PORT"] or ""),
        "PGUSER": parts["USER"],
        "PGPASSWORD": parts["PASSWORD"],
        "PGSSLMODE": parts["OPTIONS"].get("sslmode", ""),
    }
    return {name: value for name, value in account.items() if value}
