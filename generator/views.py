"""Audio over HTTP with byte ranges (RFC 9110, section 14); the caller has checked who may hear it.

Safari plays nothing from a server without ranges, and Django's FileResponse has none. A range is
answered with at most 1 MiB: a listener who stalls in the middle of the night then holds a megabyte
in a buffer and not a thread of the server.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
)
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag

MAX_PART_BYTES = 2**20
# A name that holds a hash never changes its content, yet nobody but the listener may keep it.
CACHE_CONTROL = "private, max-age=86400, no-transform"
# Nobody sends numbers this long in good faith; an unreadable Range may be ignored.
MAX_RANGE_HEADER = 100
_ONE_RANGE = re.compile(r"bytes=(?P<first>[0-9]*)-(?P<last>[0-9]*)", re.IGNORECASE)


@dataclass(frozen=True)
class Part:
    """Bytes `first` to `last` of a file, both included."""

    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first + 1


class Unsatisfiable(Exception):
    """The range begins beyond the end of the file."""


def ranged_file(
    request: HttpRequest, path: Path, content_type: str, etag: str, *, save_as: str = ""
) -> HttpResponseBase:
    """Answer GET or HEAD for one file: 200, 206, 304, 412 or 416.

    Several ranges in one request are answered with the whole file, as RFC 9110 allows: no player
    asks for them. `etag` is any text that changes with the content, such as its SHA-256. With
    `save_as` the browser keeps the file under that name instead of playing it.
    """
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise Http404(path.name) from error
    response = _answer(request, file, content_type, quote_etag(etag))
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["ETag"] = quote_etag(etag)
    response.headers["Cache-Control"] = CACHE_CONTROL
    # The name on our disk is nobody's business.
    manner = f'attachment; filename="{save_as}"' if save_as else 'inline; filename="music.mp3"'
    response.headers["Content-Disposition"] = manner
    return response


def asked_part(header: str, size: int) -> Part | None:
    """Return the part that a Range header asks of `size` bytes; None means the whole file.

    Raises
    ------
    Unsatisfiable
        It is a well-formed range without a byte in this file.
    """
    match = _ONE_RANGE.fullmatch(header.strip()) if len(header) <= MAX_RANGE_HEADER else None
    if match is None or not (match["first"] or match["last"]):
        return None
    if not match["first"]:
        return _suffix(int(match["last"]), size)
    first = int(match["first"])
    last = int(match["last"]) if match["last"] else size - 1
    if match["last"] and last < first:
        return None
    if first >= size:
        raise Unsatisfiable
    return Part(first, min(last, size - 1, first + MAX_PART_BYTES - 1))


def _suffix(n_bytes: int, size: int) -> Part:
    """Return the last `n_bytes` of the file, or as much of their beginning as one answer holds."""
    if n_bytes == 0 or size == 0:
        raise Unsatisfiable
    first = max(0, size - n_bytes)
    return Part(first, min(size - 1, first + MAX_PART_BYTES - 1))


def _answer(request: HttpRequest, file: BinaryIO, content_type: str, etag: str) -> HttpResponseBase:
    """Return the response and close the file, unless the response still streams it."""
    size = os.fstat(file.fileno()).st_size
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None:
        file.close()
        return unchanged
    try:
        part = asked_part(_range_header(request, etag), size)
    except Unsatisfiable:
        file.close()
        return HttpResponse(
            status=416, headers={"Content-Range": f"bytes */{size}", "Content-Type": content_type}
        )
    if part is None:
        return FileResponse(file, content_type=content_type)
    with file:
        file.seek(part.first)
        body = file.read(len(part))
    return HttpResponse(
        body,
        status=206,
        content_type=content_type,
        headers={
            "Content-Range": f"bytes {part.first}-{part.last}/{size}",
            "Content-Length": str(len(part)),
        },
    )


def _range_header(request: HttpRequest, etag: str) -> str:
    """Return the Range to honour: only GET has ranges, and only of the content If-Range names."""
    if_range = request.headers.get("If-Range", etag)
    if request.method != "GET" or if_range != etag:
        return ""
    return request.headers.get("Range", "")
