"""Where a command writes: asked when it is called, and not after hours of work.

For `--out` of every command that writes; what is named need not exist yet.
"""

import os
from argparse import ArgumentTypeError
from pathlib import Path


def output_folder(text: str) -> Path:
    """Return the folder that an option names, which is there or can be made."""
    path = Path(text)
    _require_writable(path, path, "a folder to write to")
    return path


def output_file(text: str) -> Path:
    """Return the file that an option names, which can be written; its folder may be made first."""
    path, expected = Path(text), "a file to write"
    if path.is_dir():
        raise ArgumentTypeError(
            f"{expected} was expected, got {path}, which is a folder. Name a file in it."
        )
    _require_writable(path, path.parent, expected)
    return path


def _require_writable(asked: Path, folder: Path, expected: str) -> None:
    there = next(path for path in (folder, *folder.parents, Path()) if _is_taken(path))
    if not there.is_dir():
        reason = f"{_which(asked, there)} is a file"
    elif not os.access(there, os.W_OK | os.X_OK):
        reason = f"and {there} cannot be written"
    else:
        return
    raise ArgumentTypeError(f"{expected} was expected, got {asked}, {reason}. Name another.")


def _is_taken(path: Path) -> bool:
    # A link that leads nowhere stands in the way as well.
    return path.exists() or path.is_symlink()


def _which(asked: Path, there: Path) -> str:
    return "which" if there == asked else f"but {there}"
