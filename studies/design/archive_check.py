"""Check the archive of a study: every file as it was written, and the audit chain whole.

This file needs nothing but Python, and every archive holds a copy of it:

    python verify.py ARCHIVE.zip

It opens the archive, writes nothing, and exits with 1 when anything is not as it was.
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import BadZipFile, ZipFile

SUMS, TRAIL, HEAD = "SHA256SUMS", "trail/entries.jsonl", "trail/head.json"
CHUNK_BYTES = 1 << 20


def faults_of(archive: Path) -> list[str]:
    """Return everything about an archive that is not as it was written; empty when it holds.

    Parameters
    ----------
    archive : Path
        A ZIP that `manage.py archive_study` wrote.
    """
    try:
        with ZipFile(archive) as opened:
            return list(_faults(opened))
    except (OSError, BadZipFile, KeyError, ValueError) as error:
        return [f"this is no archive of a study, or it is damaged: {error}"]


def _faults(archive: ZipFile) -> Iterator[str]:
    folder = archive.namelist()[0].split("/")[0] if archive.namelist() else ""
    sums = _sums(archive, folder)
    present = {name.removeprefix(f"{folder}/") for name in archive.namelist()} - {SUMS}
    if len(archive.namelist()) != len(set(archive.namelist())):
        yield "a file is there twice"
    yield from (f"{name}: is missing" for name in sorted(set(sums) - present))
    yield from (f"{name}: was added" for name in sorted(present - set(sums)))
    for name in sorted(present & set(sums)):
        if _sha256(archive, f"{folder}/{name}") != sums[name]:
            yield f"{name}: was altered"
    yield from _broken_links(archive, folder)


def _sums(archive: ZipFile, folder: str) -> dict[str, str]:
    lines = archive.read(f"{folder}/{SUMS}").decode().splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def _sha256(archive: ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with archive.open(name) as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _broken_links(archive: ZipFile, folder: str) -> Iterator[str]:
    """Yield where the audit chain does not hold: each entry has the hash of the one before it."""
    number, previous = 0, ""
    with archive.open(f"{folder}/{TRAIL}") as lines:
        for line in lines:
            number += 1
            entry = json.loads(line)
            content = entry["content"]
            text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            if content["number"] != number or content["previous"] != previous:
                yield f"audit entry {number}: does not follow the entry before it"
            if hashlib.sha256(text.encode()).hexdigest() != entry["hash"]:
                yield f"audit entry {number}: was altered"
            previous = entry["hash"]
    head = json.loads(archive.read(f"{folder}/{HEAD}"))
    if (head["length"], head["hash"]) != (number, previous):
        yield "the audit trail: its end was cut off"


def main(arguments: list[str]) -> int:
    """Check the archive that is named; return the exit status."""
    if len(arguments) != 1:
        sys.stderr.write("One archive was expected: python verify.py ARCHIVE.zip\n")
        return 2
    faults = faults_of(Path(arguments[0]))
    for fault in faults:
        sys.stdout.write(f"{fault}\n")
    sys.stdout.write("BROKEN\n" if faults else "The archive holds.\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
