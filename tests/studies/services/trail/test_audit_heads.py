import json
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from studies import clock
from studies.models.audit import AuditHead
from studies.services.trail.audit import SYSTEM, record, verify_chain
from studies.services.trail.audit_heads import disagreements, heads_now, write_todays_heads
from tests.audit_triggers import MIGRATION
from tests.factories import make_study

pytestmark = pytest.mark.django_db


def _behind_the_triggers(sql: str) -> None:
    put, take = MIGRATION.STATEMENTS[connection.vendor]
    with connection.cursor() as cursor:
        for statement in [*take, sql, *put]:
            cursor.execute(statement)


def test_heads_are_written_once_a_day_and_read_by_nobody_else(tmp_path: Path) -> None:
    study = make_study()
    file = write_todays_heads(tmp_path)
    assert json.loads(file.read_text())["heads"][study.code]["length"] > 3
    assert file.stat().st_mode & 0o777 == 0o600
    record(actor=SYSTEM, action="x", subject=study)
    assert write_todays_heads(tmp_path) is None
    with clock.at(clock.now() + timedelta(days=1)):
        assert write_todays_heads(tmp_path) not in {None, file}


def test_a_chain_that_went_on_agrees_with_its_old_head() -> None:
    study = make_study()
    saved = heads_now()
    record(actor=SYSTEM, action="x", subject=study)
    assert list(disagreements(saved)) == []


def test_a_chain_cut_off_together_with_its_head_is_found() -> None:
    study = make_study()
    saved = heads_now()
    _behind_the_triggers("DELETE FROM studies_auditentry WHERE number > 3")
    shortened = AuditHead.objects.filter(chain=study.code)
    shortened.update(length=3, hash=_hash_of(study.code, 3))
    # From inside, the shortened chain looks whole.
    assert verify_chain(study.code) == []
    assert any("is not any more" in line for line in disagreements(saved))


def _hash_of(chain: str, number: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT hash FROM studies_auditentry WHERE chain = %s AND number = %s", [chain, number]
        )
        return cursor.fetchone()[0]


def test_a_chain_written_anew_is_found() -> None:
    study = make_study()
    saved = heads_now()
    saved[study.code] = {**saved[study.code], "hash": "0" * 64}
    assert list(disagreements(saved)) == [
        f"{study.code}: entry {saved[study.code]['length']} had another hash"
    ]


def test_the_command_compares_with_a_file(tmp_path: Path) -> None:
    make_study()
    file = write_todays_heads(tmp_path)
    out = StringIO()
    call_command("verify_audit", "--against", str(file), stdout=out)
    assert "reach the heads of" in out.getvalue()
    for content in ("", "[]", "{}", '{"heads": {"site": 3}}', '{"heads": 1}'):
        bad = tmp_path / "bad.json"
        bad.write_text(content)
        with pytest.raises(CommandError, match="audit heads was expected"):
            call_command("verify_audit", "--against", str(bad), stdout=StringIO())
    file.write_text(json.dumps({"heads": {"site": {"length": 10**6, "hash": "x"}}}))
    with pytest.raises(CommandError, match="1 chains differ"):
        call_command("verify_audit", "--against", str(file), stdout=StringIO())
