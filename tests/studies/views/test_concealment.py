"""No future slot anywhere: database, administration, pages of every role, export, log, queue."""

import base64
import itertools
import json
from collections.abc import Iterator
from zipfile import ZipFile

import pytest
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse
from kombu.transport.memory import Channel

from studies.design.imported_list import StratumList
from studies.models.allocation import AllocationStream
from studies.models.study import Role, Study
from studies.services.allocation import _secret
from studies.services.music.upkeep import request_due
from studies.services.protocol.setup import open_study
from studies.services.results.export import export_study
from studies.services.trail.audit import SYSTEM
from tests.factories import make_participant, make_staff, make_study
from tests.studies.services.test_allocation_methods import LIST_PLAN, PLANS, SLOTS, _csv
from tests.studies.views.browsers import desk_of
from tests.studies.views.test_addresses import OF_STUDY, POST_ONLY, arguments, ask

pytestmark = pytest.mark.django_db

N_USED = 2


def _with_drawn_slots(method: str) -> Study:
    return make_study(protocol=PLANS[method])


def _with_an_uploaded_list(_method: str) -> Study:
    """A list that travelled through the statistician's page."""
    study = make_study(is_open=False, protocol=LIST_PLAN)
    client = desk_of(make_staff(Role.STATISTICIAN, study=study))
    address = reverse("studies:sequence", args=[study.code])
    file = SimpleUploadedFile("list.csv", _csv(*SLOTS).encode())
    assert client.post(address, {"file": file}).status_code == 302
    return open_study(study=study, actor=SYSTEM)


def _needles(study: Study) -> set[bytes]:
    """Return every form in which a secret or the slots to come could be written."""
    found: set[bytes] = set()
    for stream in AllocationStream.objects.filter(study=study):
        secret = _secret(stream)
        seeds = [secret]
        if study.plan.method == "list":
            slots = StratumList.from_sealed_text(stream.stratum, secret)
            seeds.append(slots.seed)
            coming = slots.arms[N_USED:]
            for mark in (",", ", ", "\n", "\r\n", "|", " ", '", "', '","', "', '"):
                found.add(mark.join(coming).encode())
            rows = [f"{stream.stratum},{arm}" for arm in coming]
            found |= {mark.join(rows).encode() for mark in ("\n", "\r\n")}
        for seed in seeds:
            found |= {seed, seed.hex().encode(), base64.b64encode(seed), repr(seed).encode()}
            found.add(base64.urlsafe_b64encode(seed))
    return found


def _database() -> Iterator[tuple[str, bytes]]:
    for table in connection.introspection.table_names():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 -- own
            for row in cursor.fetchall():
                for cell in row:
                    is_bytes = isinstance(cell, bytes | memoryview)
                    yield table, bytes(cell) if is_bytes else str(cell).encode()


def _pages(study: Study) -> Iterator[tuple[str, bytes]]:
    participant = study.participants.order_by("pk").first()
    for role in Role.values:
        client = desk_of(make_staff(role, study=study))
        for name in sorted(set(OF_STUDY) - POST_ONLY - {"export"}):
            address = reverse(f"studies:{name}", args=arguments(name, study, participant))
            yield f"{role} {name}", client.get(address).content


def _administration() -> Iterator[tuple[str, bytes]]:
    account = make_staff(name="root")
    account.is_staff = account.is_superuser = True
    account.save()
    client: Client = desk_of(account)
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield name, client.get(reverse(f"{name}_changelist")).content
        for row in model._default_manager.all()[:3]:
            yield name, client.get(reverse(f"{name}_change", args=[row.pk])).content


def _export(study: Study) -> Iterator[tuple[str, bytes]]:
    with ZipFile(export_study(study=study, actor=SYSTEM).file) as archive:
        for name in archive.namelist():
            yield name, archive.read(name)


def _queue() -> Iterator[tuple[str, bytes]]:
    for name, queue in Channel.queues.items():
        yield name, json.dumps(list(queue.queue), default=str).encode()


@pytest.mark.parametrize(
    ("make", "method"),
    [(_with_drawn_slots, "blocks"), (_with_drawn_slots, "minimisation"),
     (_with_an_uploaded_list, "list")],
)  # fmt: skip
def test_nobody_meets_a_future_slot_anywhere(
    make, method, caplog, django_capture_on_commit_callbacks
):
    caplog.set_level("DEBUG")
    with django_capture_on_commit_callbacks(execute=True):
        study = make(method)
        for _ in range(N_USED):
            make_participant("allocated", study=study)
        request_due()
    needles = _needles(study)
    # The seed in four spellings at least: the two kinds of base64 differ in most seeds only.
    assert len(needles) >= 4
    places = itertools.chain(
        _pages(study), _administration(), _export(study), _database(), _queue()
    )
    seen = 0
    for place, content in places:
        seen += 1
        assert not [needle for needle in needles if needle in content], place
    assert seen > 200
    assert not [needle for needle in needles if needle in caplog.text.encode()]


def test_the_search_would_find_a_slot_in_clear():
    study = _with_an_uploaded_list("list")
    needles = _needles(study)
    stream = AllocationStream.objects.filter(study=study).first()
    AllocationStream.objects.filter(pk=stream.pk).update(sealed_seed=_secret(stream))
    assert any(needle in content for _table, content in _database() for needle in needles)


@pytest.mark.parametrize("role", sorted(set(Role.values) - {Role.STATISTICIAN}))
def test_nobody_but_the_unblinded_statistician_opens_the_sequence(role):
    study = make_study(protocol=PLANS["blocks"])
    assert ask(desk_of(make_staff(role, study=study)), "sequence", study.code) == 404


def test_blinded_roles_do_not_read_what_helps_to_guess_the_next_arm():
    study = make_study(protocol=PLANS["blocks"])
    for role in sorted(set(Role.values) - {Role.STATISTICIAN}):
        client = desk_of(make_staff(role, study=study))
        for name in ("protocol", "protocol_version"):
            address = reverse(f"studies:{name}", args=arguments(name, study, None))
            assert "Sizes of the blocks" not in client.get(address).content.decode(), role
