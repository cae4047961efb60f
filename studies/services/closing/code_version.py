"""Which code runs: the release, the commit where there is one, and a hash over its own files."""

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

APPS = ("generator", "questionnaires", "studies", "therapy_site")
# What decides what the code does; compiled texts and byte code follow from them.
SUFFIXES = {".py", ".toml", ".html", ".js", ".css", ".po"}


@dataclass(frozen=True, slots=True)
class CodeVersion:
    """The version of the code; `commit` is empty where the code did not come by git."""

    release: str
    commit: str
    sha256: str

    def __str__(self) -> str:
        commit = f", commit {self.commit}" if self.commit else ""
        return f"Nocturne {self.release}{commit}, sources {self.sha256}"


def code_version(root: Path | None = None) -> CodeVersion:
    """Return the version of the code below `root`, of this installation without it."""
    root = root or Path(settings.BASE_DIR)
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return CodeVersion(project["version"], _commit(root / ".git"), _sources_sha256(root))


def _sources_sha256(root: Path) -> str:
    digest = hashlib.sha256()
    for app in APPS:
        for file in sorted((root / app).rglob("*")):
            if file.suffix in SUFFIXES and file.is_file():
                name = file.relative_to(root).as_posix()
                content = hashlib.sha256(file.read_bytes()).hexdigest()
                digest.update(f"{content}  {name}\n".encode())
    return digest.hexdigest()


def _commit(repository: Path) -> str:
    head = _read(repository / "HEAD")
    if not head.startswith("ref: "):
        return head
    name = head.removeprefix("ref: ")
    return _read(repository / name) or _packed(repository / "packed-refs", name)


def _packed(file: Path, name: str) -> str:
    lines = (line.split(" ", 1) for line in _read(file).splitlines())
    return next((parts[0] for parts in lines if parts[1:] == [name]), "")


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8").strip() if file.is_file() else ""
