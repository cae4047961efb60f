import csv
import hashlib
import io
from datetime import UTC, datetime
from zipfile import ZipFile

from studies.design.bundle import Bundle

CUT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def _bundle() -> bytes:
    file = io.BytesIO()
    with ZipFile(file, "w") as archive:
        bundle = Bundle(archive, "STUDY", CUT)
        bundle.table("t.csv", ("a", "b"), ([n, f"=x,{n}\n好"] for n in range(5000)))
        bundle.text("README.txt", "read me")
        bundle.text("SHA256SUMS", bundle.checksums())
    return file.getvalue()


def test_the_checksums_are_those_of_the_files() -> None:
    with ZipFile(io.BytesIO(_bundle())) as archive:
        for line in archive.read("STUDY/SHA256SUMS").decode().splitlines():
            digest, name = line.split("  ")
            assert hashlib.sha256(archive.read(f"STUDY/{name}")).hexdigest() == digest


def test_rows_come_back_whole_and_defused() -> None:
    with ZipFile(io.BytesIO(_bundle())) as archive:
        rows = list(csv.reader(io.StringIO(archive.read("STUDY/t.csv").decode(), newline="")))
    assert rows[0] == ["a", "b"]
    assert rows[-1] == ["4999", "'=x,4999\n好"]
    assert len(rows) == 5001


def test_the_same_rows_at_the_same_cut_are_the_same_bytes() -> None:
    assert _bundle() == _bundle()
