"""Words that people write freely: kept under seal, told to the audit trail as a hash only."""

import hashlib

from django.conf import settings

from studies.design import sealing


def seal_words(text: str) -> bytes:
    """Return the words as they are kept."""
    return sealing.seal(text.encode(), _secrets(), sealing.WORDS)


def unseal_words(sealed: bytes | None) -> str:
    """Return the words; nothing where they were never written, or were erased."""
    return sealing.unseal(sealed, _secrets(), sealing.WORDS).decode() if sealed else ""


def sha256_of(text: str) -> str:
    """Return what the audit trail may hold of them."""
    return hashlib.sha256(text.encode()).hexdigest()


def _secrets() -> list[str]:
    return settings.NOCTURNE_IDENTITY_KEYS.split(",")
