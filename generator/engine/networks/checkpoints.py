"""Release files: safetensors and JSON under a SHA-256 that is checked on every load.

A release is a folder: ``arrays.safetensors``, ``config.json`` with the vocabulary hash and the
facts of training, and ``sha256`` with one line a file. Nothing in it can run code.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from generator.engine.errors import CheckpointError
from generator.engine.tokens.vocabulary import vocabulary_hash

CONFIG_NAME = "config.json"
ARRAYS_NAME = "arrays.safetensors"
SUMS_NAME = "sha256"


@dataclass(frozen=True)
class Checkpoint:
    """A verified release: its arrays by name, its configuration, a short name of its content."""

    arrays: dict[str, np.ndarray]
    config: dict
    release: str


def save_checkpoint(directory: Path, arrays: Mapping[str, np.ndarray], config: Mapping) -> str:
    """Write a release folder and return its release name.

    Parameters
    ----------
    directory : Path
        Created if need be; files of an older release in it are replaced.
    arrays : mapping of str to ndarray
        Stored in the dtype they have.
    config : mapping
        JSON values; the vocabulary hash is added.
    """
    directory.mkdir(parents=True, exist_ok=True)
    contiguous = {name: np.ascontiguousarray(array) for name, array in sorted(arrays.items())}
    described = {**config, "vocabulary": vocabulary_hash()}
    text = json.dumps(described, indent=2, sort_keys=True) + "\n"
    contents = {ARRAYS_NAME: save(contiguous), CONFIG_NAME: text.encode()}
    sums = [f"{hashlib.sha256(data).hexdigest()}  {name}" for name, data in contents.items()]
    for name, data in contents.items():
        _replace(directory / name, data)
    _replace(directory / SUMS_NAME, ("\n".join(sums) + "\n").encode())
    return _release_name(described, sums)


def load_checkpoint(directory: Path) -> Checkpoint:
    """Return a release after checking every byte of it and its vocabulary.

    Raises
    ------
    CheckpointError
        A file is missing or changed, or the release belongs to another vocabulary.
    """
    sums = _read(directory / SUMS_NAME).decode(errors="replace").splitlines()
    contents = {}
    for line in sums:
        expected, _, name = line.partition("  ")
        if name not in (ARRAYS_NAME, CONFIG_NAME):
            raise CheckpointError(
                f"{SUMS_NAME} of release {directory.name} names {CONFIG_NAME} and {ARRAYS_NAME}, "
                f"got {name!r}. Install the release again."
            )
        contents[name] = _read(directory / name)
        found = hashlib.sha256(contents[name]).hexdigest()
        if found != expected:
            raise CheckpointError(
                f"{name} of release {directory.name} has SHA-256 {expected[:12]}..., got "
                f"{found[:12]}... The file was changed or cut off. Install the release again."
            )
    return _opened(directory, contents, sums)


def _opened(directory: Path, contents: Mapping[str, bytes], sums: list[str]) -> Checkpoint:
    try:
        config = json.loads(contents[CONFIG_NAME])
        arrays = load(contents[ARRAYS_NAME])
    except (KeyError, ValueError, SafetensorError) as error:
        raise CheckpointError(
            f"a readable {CONFIG_NAME} and {ARRAYS_NAME} were expected in release "
            f"{directory.name}, got {error!r}. Install the release again."
        ) from error
    if config.get("vocabulary") != vocabulary_hash():
        raise CheckpointError(
            f"release {directory.name} was trained with vocabulary {config.get('vocabulary')}, "
            f"this build has {vocabulary_hash()}. Retrain, or install the release of this build."
        )
    return Checkpoint(arrays, config, _release_name(config, sums))


def _release_name(config: Mapping, sums: list[str]) -> str:
    digest = hashlib.sha256("\n".join(sums).encode()).hexdigest()
    return f"{config.get('composer', 'composer')}-{digest[:12]}"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(
            f"{path.name} was expected in release {path.parent.name}, got {error.strerror}. "
            "Install the release again, or rebuild it with `manage.py train_composer`."
        ) from error


def _replace(path: Path, data: bytes) -> None:
    """Write beside and rename, so that a kill leaves the old file whole."""
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(data)
    partial.replace(path)
