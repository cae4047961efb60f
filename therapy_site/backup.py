"""Everything an installation is, in one archive, and an installation out of an archive.

An archive holds a dump of the database, the rendered nights, the finished analyses, and a manifest:
the SHA-256 of every file, the rows of every table, and fingerprints of the keys that identities and
future allocations are sealed with. The keys themselves are left out unless asked for, so that an
archive alone tells nobody who a participant is.
"""

import hashlib
import json
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection
from django.utils import timezone

from studies.models.audit import AuditHead
from studies.models.study import Study
from studies.models.user import User
from studies.services.results.jobs import AT_WORK
from studies.services.results.runs import folder as analyses_folder
from studies.services.trail.audit import verify_chain
from therapy_site import dumps
from therapy_site.environment import private_directory

FORMAT = 1
MANIFEST, DATABASE, NIGHTS, ANALYSES, SECRETS, STATE = (
    "manifest.json",
    "database",
    "nights",
    "analyses",
    "secrets",
    "state",
)
# Small files of a demonstration that belong to its database.
STATE_FILES = ("clock", "demo-sign-ins.txt")
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Manifest:
    """What an archive holds, and what must be true once it is restored."""

    format: int
    created_at: str
    mode: str
    engine: str
    rows: dict[str, int]
    files: dict[str, str]
    key_fingerprints: dict[str, str]
    has_secrets: bool


def write_archive(target: Path, *, with_secrets: bool) -> Manifest:
    """Write the installation to `target`; the site may go on working meanwhile."""
    with _workshop() as folder:
        rows = dumps.dump(folder / DATABASE)
        if with_secrets:
            for name, value in _secrets().items():
                _private_file(folder / SECRETS / name).write_text(value, encoding="utf-8")
        draft = target.with_name(f".{target.name}.part")
        _private_file(draft)
        with tarfile.open(draft, "w:gz", compresslevel=3) as archive:
            files = dict(_add(archive, _content(folder)))
            manifest = Manifest(
                format=FORMAT,
                created_at=timezone.now().isoformat(),
                mode=settings.NOCTURNE_MODE,
                engine=connection.vendor,
                rows=rows,
                files=files,
                key_fingerprints=_fingerprints(_secrets()),
                has_secrets=with_secrets,
            )
            page = folder / MANIFEST
            page.write_text(json.dumps(asdict(manifest), indent=1), encoding="utf-8")
            archive.add(page, MANIFEST)
        draft.replace(target)
    return manifest


def check_archive(source: Path) -> Manifest:
    """Check every file of the archive against its manifest; change nothing."""
    with _workshop() as folder:
        return _unpack(source, folder)


def restore_archive(source: Path, *, force: bool) -> Manifest:
    """Make this installation what the archive says, and prove it; all checks come first."""
    with _workshop() as folder:
        manifest = _unpack(source, folder)
        _require_a_fitting_installation(manifest, force=force)
        dumps.load(folder / DATABASE)
        _move_files(folder)
        _require_rows(manifest)
    call_command("migrate", verbosity=0, interactive=False)
    _require_whole_chains()
    return manifest


def _content(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the files of an archive and their names in it: the database before what its rows name.

    A night's files are published before its row, and so are an analysis's: those of every row in
    the dump are still to come.
    """
    yield folder / DATABASE, DATABASE
    places = {
        NIGHTS: settings.NOCTURNE_NIGHTS, ANALYSES: analyses_folder(), SECRETS: folder / SECRETS,
    }  # fmt: skip
    for name, directory in places.items():
        for path in sorted(directory.rglob("*")):
            inner = path.relative_to(directory)
            if path.is_file() and not inner.parts[0].startswith(AT_WORK):
                yield path, f"{name}/{inner.as_posix()}"
    for name in STATE_FILES:
        if (settings.NOCTURNE_VAR / name).exists():
            yield settings.NOCTURNE_VAR / name, f"{STATE}/{name}"


def _add(
    archive: tarfile.TarFile, content: Iterator[tuple[Path, str]]
) -> Iterator[tuple[str, str]]:
    """Add the files; yield the name and SHA-256 of each."""
    for path, name in content:
        try:
            archive.add(path, name)
        except FileNotFoundError:
            # An orphan that a worker has swept away since we listed it; rows never lose files.
            continue
        yield name, _sha256(path)


def _unpack(source: Path, folder: Path) -> Manifest:
    """Unpack the archive into `folder` and check it against its manifest."""
    try:
        with tarfile.open(source, "r:gz") as archive:
            archive.extractall(folder, filter="data")
        manifest = Manifest(**json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
    except (OSError, EOFError, tarfile.TarError, ValueError, TypeError) as error:
        raise CommandError(
            f"A whole archive written by `manage.py backup` was expected, {source} cannot be read "
            f"({error}). Use another copy."
        ) from error
    if manifest.format != FORMAT:
        raise CommandError(
            f"An archive of format {FORMAT} was expected, got {manifest.format}. Restore it with "
            "the version of Nocturne that wrote it."
        )
    broken = [
        name
        for name, sha256 in manifest.files.items()
        if not (folder / name).is_file() or _sha256(folder / name) != sha256
    ]
    if broken:
        raise CommandError(
            f"{len(broken)} of {len(manifest.files)} files are not what was backed up "
            f"({', '.join(broken[:3])}). Use another copy of the archive."
        )
    return manifest


def _require_a_fitting_installation(manifest: Manifest, *, force: bool) -> None:
    if manifest.engine != connection.vendor:
        raise CommandError(
            f"A backup of a {connection.vendor} database was expected, this is one of "
            f"{manifest.engine}. Point DATABASE_URL to a {manifest.engine} database."
        )
    if manifest.mode != settings.NOCTURNE_MODE:
        raise CommandError(
            f"A backup of a {settings.NOCTURNE_MODE} installation was expected, this is one of "
            f"mode {manifest.mode}. Restore it with NOCTURNE_MODE={manifest.mode} and a "
            "NOCTURNE_VAR of its own."
        )
    here = _fingerprints(_secrets())
    if not manifest.has_secrets and here != manifest.key_fingerprints:
        raise CommandError(
            "This installation's keys were expected to be those of the backup, they are others: "
            "names and allocations in it could not be read. Copy the original secrets directory "
            f"to {settings.NOCTURNE_SECRETS} first, or restore an archive made --with-secrets."
        )
    if not force and not _is_empty():
        raise CommandError(
            "An empty installation was expected, this one holds accounts or studies. Restore into "
            "another NOCTURNE_VAR, or add --force to replace everything in this one."
        )


def _is_empty() -> bool:
    try:
        return not (User.objects.exists() or Study.objects.exists())
    except DatabaseError:
        return True  # no tables yet


def _move_files(folder: Path) -> None:
    """Put nights, analyses, secrets and small files in their places."""
    for name, place in ((NIGHTS, settings.NOCTURNE_NIGHTS), (ANALYSES, analyses_folder())):
        shutil.rmtree(place, ignore_errors=True)
        private_directory(place)
        _move(folder / name, place)
    _move(folder / SECRETS, settings.NOCTURNE_SECRETS)
    _move(folder / STATE, settings.NOCTURNE_VAR)
    (settings.NOCTURNE_VAR / "mode").write_text(settings.NOCTURNE_MODE, encoding="ascii")


def _move(source: Path, target: Path) -> None:
    for path in sorted(source.rglob("*")):
        if path.is_file():
            place = target / path.relative_to(source)
            private_directory(place.parent)
            shutil.move(path, place)
            place.chmod(0o600)


def _require_rows(manifest: Manifest) -> None:
    counted = dumps.count_rows()
    wrong = {
        table: (rows, counted.get(table, 0))
        for table, rows in manifest.rows.items()
        if counted.get(table, 0) != rows
    }
    if wrong:
        raise CommandError(f"The restored rows differ from the backup's (expected, got): {wrong}.")


def _require_whole_chains() -> None:
    for head in AuditHead.objects.all():
        breaks = verify_chain(head.chain)
        if breaks:
            raise CommandError(
                f"An unbroken audit chain was expected, {head.chain} breaks at entry "
                f"{breaks[0].number}: it {breaks[0].reason}."
            )


def _secrets() -> dict[str, str]:
    """Return the secrets by the names of their files."""
    return {
        "secret_key": settings.SECRET_KEY,
        "identity_key": settings.NOCTURNE_IDENTITY_KEYS,
        "allocation_key": settings.NOCTURNE_ALLOCATION_KEY,
    }


def _fingerprints(secrets: dict[str, str]) -> dict[str, str]:
    """Return what tells two keys apart and gives neither away: they are long and random."""
    return {
        name: hashlib.sha256(f"nocturne:{name}:{secrets[name]}".encode()).hexdigest()[:16]
        for name in ("identity_key", "allocation_key")
    }


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _private_file(path: Path) -> Path:
    """Return `path` as an empty file that only its owner reads."""
    private_directory(path.parent)
    path.touch(mode=0o600)
    return path


@contextmanager
def _workshop() -> Iterator[Path]:
    """Lend a private folder on the installation's own disk."""
    with tempfile.TemporaryDirectory(
        dir=private_directory(settings.NOCTURNE_VAR / "run"), prefix="backup-"
    ) as folder:
        yield Path(folder)
