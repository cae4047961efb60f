"""Read the environment, and fail loudly: what was expected, what came, what to do."""

import hashlib
import os
import secrets
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

# The kernel's limit for a socket path is 108 bytes; the servers refuse anything longer.
SOCKET_PATH_LIMIT = 100
TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


def env_text(name: str, default: str = "") -> str:
    """Return the variable `name`, else the content of the file in `name`_FILE, else the default."""
    path = os.environ.get(f"{name}_FILE")
    if path:
        return Path(path).read_text(encoding="utf-8").strip()
    return os.environ.get(name, default)


def env_bool(name: str, *, default: bool = False) -> bool:
    """Return the variable as a truth value."""
    raw = os.environ.get(name)
    if raw is None:
        return default
    if raw.lower() in TRUE:
        return True
    if raw.lower() in FALSE:
        return False
    raise ImproperlyConfigured(f"{name} is 1 or 0, got {raw!r}. Set it to 1 or 0, or unset it.")


def env_int(name: str, default: int) -> int:
    """Return the variable as a whole number."""
    raw = os.environ.get(name, str(default))
    try:
        return int(raw)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is a whole number, got {raw!r}.") from error


def env_choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    """Return the variable, which must be one of `choices`."""
    raw = os.environ.get(name, default)
    if raw not in choices:
        raise ImproperlyConfigured(f"{name} is one of {', '.join(choices)}, got {raw!r}.")
    return raw


def private_directory(path: Path) -> Path:
    """Return `path`, created if need be, readable by its owner only."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(
            f"A writable directory was expected, {path} cannot be made ({error.strerror}). "
            "Set NOCTURNE_VAR to a directory that can be written."
        ) from error
    return path


def secret_from_file(path: Path) -> str:
    """Return the secret kept in `path`; the first caller makes it, readable by its owner only."""
    private_directory(path.parent)
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
        # Linked into place whole: of several processes that start at once, one wins, and none
        # ever reads half a secret.
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text(encoding="ascii").strip()


def socket_path(var: Path, name: str) -> Path:
    """Return where the socket `name` of the installation `var` lies, in few enough bytes."""
    path = var / "run" / name
    if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT:
        return path
    digest = hashlib.sha256(os.fsencode(var)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"nocturne-{os.getuid()}-{digest}"
    # The system's temporary folder is everyone's: nobody else may have laid this one out for us.
    state = private_directory(folder).lstat()
    if state.st_uid != os.getuid() or state.st_mode & 0o077 or not stat.S_ISDIR(state.st_mode):
        raise ImproperlyConfigured(
            f"A private directory of this account was expected, {folder} is not. Remove it, "
            "or set NOCTURNE_VAR to a shorter path."
        )
    return folder / name
