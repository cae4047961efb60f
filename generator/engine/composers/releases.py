"""Which composers are installed, in one name: what a study pins, so that its music stays the same.

The name holds all releases, also of composers that a study does not use: a worker that left one
arm's music to others would tell the arm. Free of torch, so that pages can write it down too.
"""

import hashlib
from functools import cache
from pathlib import Path

from generator.engine.brief import RendererPin
from generator.engine.errors import ComposersUnmet
from generator.engine.networks.checkpoints import SUMS_NAME

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"
# Raised when the code makes other notes of the same brief and releases
# (tests/generator/engine/composers/test_releases.py watches that).
COMPOSING = 2
_DIGITS = 12


def composers_name(weights: Path = WEIGHTS) -> str:
    """Return the name of the composers of a folder of releases, such as ``1-0d2f003fd7ec``.

    First how releases are played, then the SHA-256 over their own sums. Equal names, equal notes of
    equal briefs, on one engine.
    """
    return f"{COMPOSING}-{_digest(weights)[:_DIGITS]}"


def require_composers(pin: RendererPin | None) -> None:
    """Refuse a pin that names other composers than are installed here; one that names none, never.

    Raises
    ------
    ComposersUnmet
        The pin names others.
    """
    if pin is not None and pin.composers not in ("", composers_name()):
        raise ComposersUnmet(
            f"the pinned composers {pin.composers} were expected, got {composers_name()}. Install "
            "the release of Nocturne that the study was opened with, or fix the ones installed "
            "now, for a reason: manage.py pin_renderer STUDY --composers-only --reason WHY "
            "--user NAME."
        )


@cache
def _digest(weights: Path) -> str:
    # Read once a process, as the releases themselves are.
    digest = hashlib.sha256()
    for sums in sorted(weights.glob(f"*/{SUMS_NAME}")):
        digest.update(f"{sums.parent.name}\n".encode() + sums.read_bytes())
    return digest.hexdigest()
