import pytest
from django.test import RequestFactory

from therapy_site.wsgi import application

# Each request looks after the connections to the database, also one that asks nothing of it.
pytestmark = pytest.mark.django_db


def ask(method: str, path: str) -> tuple[str, dict[str, str], bytes]:
    """Return status, headers and body as a server gets them."""
    heads = []
    environ = RequestFactory().generic(method, path).environ
    body = application(environ, lambda status, headers: heads.append((status, dict(headers))))
    return *heads[0], b"".join(body)


def test_head_gets_the_headers_of_get_and_no_body():
    whole, bare = ask("GET", "/me/offline/"), ask("HEAD", "/me/offline/")
    assert (whole[0], bare[0]) == ("200 OK", "200 OK")
    assert bare[1]["Content-Length"] == whole[1]["Content-Length"] == str(len(whole[2]))
    assert whole[2]
    assert bare[2] == b""
