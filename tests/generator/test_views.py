from pathlib import Path

import pytest
from django.http import Http404
from django.test import RequestFactory

from generator.views import MAX_PART_BYTES, ranged_file

SMALL = bytes(range(200))
ETAG = '"abc"'


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "private name.mp3"
    path.write_bytes(SMALL)
    return path


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Three and a half times what one answer may hold."""
    path = tmp_path / "large.mp3"
    path.write_bytes(b"".join(bytes([n]) * (MAX_PART_BYTES // 2) for n in range(7)))
    return path


def ask(path: Path, method: str = "GET", etag: str = "abc", **headers: str):
    request = RequestFactory().generic(
        method,
        "/audio/",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )
    return ranged_file(request, path=path, content_type="audio/mpeg", etag=etag)


def body(response) -> bytes:
    return response.getvalue() if response.streaming else response.content


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-1", 0, 1),  # what Safari asks first
        ("bytes=0-", 0, 199),
        ("bytes=50-99", 50, 99),
        ("bytes=199-199", 199, 199),
        ("bytes=150-", 150, 199),
        ("bytes=150-999999", 150, 199),
        ("bytes=-1", 199, 199),
        ("bytes=-50", 150, 199),
        ("bytes=-999", 0, 199),
        ("BYTES=3-4", 3, 4),
        (" bytes=3-4 ", 3, 4),
        ("bytes=0003-0004", 3, 4),
    ],
)
def test_one_range_is_answered_with_exactly_its_bytes(small, asked, first, last):
    response = ask(small, Range=asked)
    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {first}-{last}/200"
    assert response["Content-Length"] == str(last - first + 1)
    assert body(response) == SMALL[first : last + 1]


@pytest.mark.parametrize("asked", ["bytes=200-", "bytes=200-300", "bytes=9999999999-", "bytes=-0"])
def test_a_range_beyond_the_end_is_refused_with_the_size(small, asked):
    response = ask(small, Range=asked)
    assert response.status_code == 416
    assert response["Content-Range"] == "bytes */200"
    assert body(response) == b""


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=0-1,5-9",  # several ranges: the whole is a correct answer, and no player asks
        "bytes=-",
        "bytes=5-3",
        "bytes=a-b",
        "bytes=1",
        "bytes=",
        "bytes 0-1",
        "lines=0-1",
        "bytes=٣-٤",
        "bytes=--5",
        "bytes=1-2-3",
        "bytes=0-" + "9" * 5000,
        "",
    ],
)
def test_a_range_that_cannot_be_read_is_ignored(small, asked):
    response = ask(small, Range=asked)
    assert response.status_code == 200
    assert body(response) == SMALL


def test_without_a_range_the_whole_file_is_streamed(large):
    response = ask(large)
    assert response.status_code == 200
    assert response.streaming
    assert response["Content-Length"] == str(large.stat().st_size)
    assert response["Content-Type"] == "audio/mpeg"
    assert body(response) == large.read_bytes()


@pytest.mark.parametrize("asked", ["bytes=0-", "bytes=0-99999999", "bytes=100-", "bytes=-2000000"])
def test_no_part_is_larger_than_the_cap(large, asked):
    response = ask(large, Range=asked)
    assert response.status_code == 206
    assert len(body(response)) == MAX_PART_BYTES


def test_a_player_that_goes_on_where_each_part_ended_gets_the_whole_file(large):
    size, got = large.stat().st_size, b""
    while len(got) < size:
        got += body(ask(large, Range=f"bytes={len(got)}-"))
    assert got == large.read_bytes()


def test_every_answer_says_that_ranges_work_and_who_may_keep_it(small):
    for response in (
        ask(small),
        ask(small, Range="bytes=0-1"),
        ask(small, Range="bytes=999-"),
        ask(small, If_None_Match=ETAG),
    ):
        assert response["Accept-Ranges"] == "bytes"
        assert response["ETag"] == ETAG
        assert "private" in response["Cache-Control"]


def test_the_name_on_our_disk_stays_here(small):
    for response in (ask(small), ask(small, Range="bytes=0-1")):
        assert response["Content-Disposition"] == 'inline; filename="music.mp3"'


def test_what_is_to_be_kept_comes_under_a_name_of_its_own(small):
    request = RequestFactory().get("/audio/")
    response = ranged_file(request, small, "audio/midi", "abc", save_as="music-2026-11-22.mid")
    assert response["Content-Disposition"] == 'attachment; filename="music-2026-11-22.mid"'


def test_head_tells_the_length_and_ignores_ranges(small):
    response = ask(small, "HEAD", Range="bytes=0-1")
    assert response.status_code == 200
    assert response["Content-Length"] == "200"
    assert "Content-Range" not in response


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_other_methods_are_refused(small, method):
    response = ask(small, method)
    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD"


def test_a_range_of_the_same_content_goes_on(small):
    assert ask(small, Range="bytes=5-9", If_Range=ETAG).status_code == 206


@pytest.mark.parametrize(
    "known", ['"other"', 'W/"abc"', "abc", "Sun, 22 Nov 2026 12:00:00 GMT", "nonsense"]
)
def test_a_range_of_other_content_starts_again_with_the_whole(small, known):
    response = ask(small, Range="bytes=5-9", If_Range=known)
    assert response.status_code == 200
    assert body(response) == SMALL


def test_what_the_listener_has_already_is_not_sent_again(small):
    response = ask(small, If_None_Match=ETAG, Range="bytes=0-1")
    assert response.status_code == 304
    assert body(response) == b""


def test_a_precondition_on_other_content_fails(small):
    assert ask(small, If_Match='"other"').status_code == 412


def test_an_empty_file_has_no_part(tmp_path):
    empty = tmp_path / "empty.mp3"
    empty.touch()
    assert ask(empty, Range="bytes=0-").status_code == 416
    assert ask(empty, Range="bytes=-5").status_code == 416
    assert body(ask(empty)) == b""


def test_a_file_that_is_gone_is_not_found(tmp_path):
    with pytest.raises(Http404):
        ask(tmp_path / "gone.mp3")
