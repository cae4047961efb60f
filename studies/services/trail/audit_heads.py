"""The ends of the audit chains, written outside the database day by day.

A chain that was cut off together with its head looks whole from inside. Against a head that was
written down before, it does not: the entry with that number is gone, or has another hash.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from studies import clock
from studies.models.audit import AuditEntry, AuditHead

FOLDER = "audit-heads"
PRIVATE, PRIVATE_FOLDER = 0o600, 0o700

Heads = Mapping[str, Mapping[str, object]]


def heads_now() -> dict[str, dict[str, object]]:
    """Return the length and the last hash of every chain."""
    heads = AuditHead.objects.order_by("chain")
    return {head.chain: {"length": head.length, "hash": head.hash} for head in heads}


def write_todays_heads(folder: Path) -> Path | None:
    """Write today's heads below `folder`, once a day (UTC); return the file if it is new."""
    now = clock.now()
    file = folder / FOLDER / f"{now:%Y-%m-%d}.json"
    file.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    text = json.dumps({"at": now.isoformat(), "heads": heads_now()}, indent=2, sort_keys=True)
    try:
        file.touch(mode=PRIVATE, exist_ok=False)
    except FileExistsError:
        return None
    file.write_text(text + "\n", encoding="utf-8")
    return file


def disagreements(saved: Heads) -> Iterator[str]:
    """Return how the chains differ from heads that were written down before."""
    for chain, head in sorted(saved.items()):
        length, digest = head["length"], head["hash"]
        if not length:
            continue
        entry = AuditEntry.objects.filter(chain=chain, number=length).first()
        if entry is None:
            yield f"{chain}: entry {length} was there and is not any more"
        elif entry.hash != digest:
            yield f"{chain}: entry {length} had another hash"
