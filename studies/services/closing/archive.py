"""The archive of a study: everything that is kept, in one ZIP that verifies itself.

Data with their dictionary, protocol versions, consent texts, the whole audit trail, locks,
signatures, unblindings, and, once the study is unblinded, what derives the allocation again.
No name and no contact: people are codes.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from zipfile import ZipFile

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction

from studies import clock
from studies.design import archive_check
from studies.design.bundle import Bundle
from studies.exceptions import StudyNotReady
from studies.models.audit import AuditEntry, AuditHead
from studies.models.consent import Consent, ConsentText, Withdrawal
from studies.models.lock import Lock, LockException
from studies.models.participant import Participant
from studies.models.protocol import ProtocolVersion
from studies.models.signature import Signature
from studies.models.study import Membership, Study, StudyState
from studies.models.unblinding import Unblinding
from studies.services.allocation import reveal_sequences
from studies.services.closing.code_version import code_version
from studies.services.results.export import export_study
from studies.services.trail.audit import Actor, entry_content, record

ENDED = {StudyState.LOCKED, StudyState.UNBLINDED}
# What is kept of each table: plain columns, and people by their code.
TABLES = {
    "people/participants.json": (
        Participant, "study", "code", "state", "state_reason", "site__code", "strata", "language",
        "zone", "age_years", "enrolled_at",
    ),
    "people/consents.json": (
        Consent, "participant__study", "participant__code", "text__version", "text__language",
        "text__sha256", "role", "state", "tries", "understood_at", "answered_at", "copy_sha256",
    ),
    "people/withdrawals.json": (
        Withdrawal, "participant__study", "participant__code", "scope", "withdrawn_at",
    ),
    "people/staff.json": (
        Membership, "study", "user__username", "role", "site__code", "granted_at", "granted_by",
        "revoked_at", "revoked_by",
    ),
    "protocol/versions.json": (
        ProtocolVersion, "study", "number", "state", "sha256", "content", "reason", "created_at",
        "created_by", "submitted_at", "approved_on", "active_at",
    ),
    "protocol/consent_texts.json": (
        ConsentText, "study", "version", "language", "sha256", "pages", "questions",
    ),
    "closing/locks.json": (
        Lock, "study", "level", "target", "state", "locked_at", "locked_by", "asked_at", "asked_by",
        "asked_reason", "answered_at", "answered_by",
    ),
    "closing/lock_exceptions.json": (
        LockException, "lock__study", "lock__target", "lock__locked_at", "participant__code",
        "kind", "target", "reason",
    ),
    "closing/signatures.json": (
        Signature, "participant__study", "participant__code", "meaning", "name", "role",
        "signed_at", "content_sha256",
    ),
    "closing/unblindings.json": (
        Unblinding, "participant__study", "participant__code", "kind", "reason", "impact",
        "unblinded_at", "unblinded_by", "told_at",
    ),
}  # fmt: skip


@transaction.atomic
def archive_study(*, study: Study, target: Path, actor: Actor) -> str:
    """Write the archive of a study whose database is locked; return its SHA-256.

    Raises
    ------
    StudyNotReady
        The database is not locked yet: what can still change is not archived.
    """
    if study.state not in ENDED:
        raise StudyNotReady(study.code, ["its database is not locked"])
    at = clock.now()
    with target.open("xb") as file, ZipFile(file, "w") as archive:
        bundle = Bundle(archive, f"{study.code}-archive", at)
        bundle.text("README.txt", _readme(study))
        bundle.text("verify.py", Path(archive_check.__file__).read_text(encoding="utf-8"))
        _add_export(bundle, study, actor)
        for name, (model, path, *columns) in TABLES.items():
            bundle.text(name, _rows(model, path, columns, study))
        if study.state == StudyState.UNBLINDED:
            sequences = reveal_sequences(study=study, actor=actor)
            bundle.text("allocation/sequences.json", _json(sequences))
        # The trail comes last: writing the parts above is in it.
        bundle.lines(archive_check.TRAIL, _entries(study))
        bundle.text(archive_check.HEAD, _json(_head(study)))
        bundle.text(archive_check.SUMS, bundle.checksums())
    with target.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    record(actor=actor, action="archive_study", subject=study, new={"sha256": sha256})
    return sha256


def _add_export(bundle: Bundle, study: Study, actor: Actor) -> None:
    export = export_study(study=study, actor=actor)
    with export.file, ZipFile(export.file) as archive:
        for name in archive.namelist():
            inner = name.split("/", 1)[-1]
            with archive.open(name) as file:
                bundle.copy(f"data/{inner}", file)


def _rows(model: type[models.Model], path: str, columns: Iterable[str], study: Study) -> str:
    return _json(list(model.objects.filter(**{path: study}).order_by("pk").values(*columns)))


def _entries(study: Study) -> Iterator[str]:
    entries = AuditEntry.objects.filter(chain=study.code).order_by("number")
    for entry in entries.iterator():
        line = {"content": entry_content(entry), "hash": entry.hash}
        yield json.dumps(line, ensure_ascii=False)


def _head(study: Study) -> dict[str, object]:
    head = AuditHead.objects.get(chain=study.code)
    return {"chain": head.chain, "length": head.length, "hash": head.hash}


def _json(content: object) -> str:
    return json.dumps(content, cls=DjangoJSONEncoder, indent=1, ensure_ascii=False) + "\n"


def _readme(study: Study) -> str:
    synthetic = "SYNTHETIC DATA. No person stands behind any row.\n\n" if study.is_synthetic else ""
    return f"""{synthetic}Archive of study {study.code}: {study.title}

Made with {code_version()}
State of the study: {study.state}. Times are UTC.

data/        what was measured, with dictionary and codebook
people/      participants by code, consents, withdrawals, staff by account
protocol/    every version of the protocol, and the consent texts
closing/     locks, signatures, unblindings
allocation/  what derives every slot again (once the study is unblinded)
trail/       the whole audit trail: each entry has the hash of the one before it
verify.py    checks all of this with Python alone: python verify.py ARCHIVE.zip

No name and no contact is in it.
"""
