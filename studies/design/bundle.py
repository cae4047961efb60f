"""Files written row by row into one ZIP, each with its checksum.

The same content at the same moment gives the same bytes: entries carry the moment of the cut, not
the time of writing.
"""

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from studies.design.export_tables import safe

CHUNK_CHARACTERS = 65_536
OWNER_ONLY = 0o600 << 16


class Bundle:
    """An open archive that collects files under one folder.

    Parameters
    ----------
    archive : ZipFile
        Open for writing.
    folder : str
        Every file lies in it.
    at : datetime
        The moment of the cut, UTC.
    tell : callable, optional
        Called with the name of the file and the bytes of all files so far, at every chunk; what it
        raises ends the writing.
    """

    def __init__(
        self,
        archive: ZipFile,
        folder: str,
        at: datetime,
        tell: Callable[[str, int], None] | None = None,
    ) -> None:
        self._archive, self._folder, self._at, self._tell = archive, folder, at, tell
        self._digests: dict[str, str] = {}
        self._n_bytes = 0

    def table(self, name: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
        """Write a CSV file; rows are taken one by one and never held together."""
        self._write(name, _csv_chunks(columns, rows))

    def text(self, name: str, content: str) -> None:
        """Write a text file."""
        self._write(name, [content.encode()])

    def lines(self, name: str, lines: Iterable[str]) -> None:
        """Write a text file line by line; they are never held together."""
        self._write(name, (f"{line}\n".encode() for line in lines))

    def copy(self, name: str, file: IO[bytes]) -> None:
        """Write what an open file holds."""
        self._write(name, iter(lambda: file.read(CHUNK_CHARACTERS), b""))

    def chunks(self, name: str, chunks: Iterable[bytes]) -> None:
        """Write a file chunk by chunk; they are never held together."""
        self._write(name, chunks)

    def digest(self, name: str) -> str:
        """Return the SHA-256 of a file that was written."""
        return self._digests[name]

    def checksums(self) -> str:
        """Return the checksums of the files so far, as ``sha256sum --check`` reads them."""
        return "".join(f"{digest}  {name}\n" for name, digest in self._digests.items())

    def _write(self, name: str, chunks: Iterable[bytes]) -> None:
        digest = hashlib.sha256()
        info = ZipInfo(f"{self._folder}/{name}", self._at.timetuple()[:6])
        info.compress_type = ZIP_DEFLATED
        info.external_attr = OWNER_ONLY
        with self._archive.open(info, "w") as target:
            for chunk in chunks:
                digest.update(chunk)
                target.write(chunk)
                self._n_bytes += len(chunk)
                if self._tell:
                    self._tell(name, self._n_bytes)
        self._digests[name] = digest.hexdigest()


def _csv_chunks(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([safe(cell) for cell in row])
        if buffer.tell() > CHUNK_CHARACTERS:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    content = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return content
