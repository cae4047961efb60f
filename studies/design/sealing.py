"""Sealing of what a stolen database must not tell: identities and allocation seeds.

Fernet (AES-128-CBC with HMAC-SHA256) through `cryptography`. A configured secret is stretched to a
Fernet key by HKDF with a label, so that the same secret never serves two purposes. Several secrets,
newest first, open what any of them sealed: that is how keys rotate.
"""

import base64
import json
from collections.abc import Mapping, Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from studies.design.errors import SealBroken

IDENTITY = "identity"
ALLOCATION = "allocation"
WORDS = "words"


def seal(content: bytes, secrets: Sequence[str], purpose: str) -> bytes:
    """Return `content` sealed with the newest (first) of the secrets."""
    return _fernet(secrets, purpose).encrypt(content)


def unseal(sealed: bytes, secrets: Sequence[str], purpose: str) -> bytes:
    """Return what was sealed.

    Raises
    ------
    SealBroken
        No secret opens it, or it was altered.
    """
    try:
        return _fernet(secrets, purpose).decrypt(bytes(sealed))
    except InvalidToken:
        raise SealBroken from None


def seal_fields(fields: Mapping[str, str], secrets: Sequence[str], purpose: str) -> bytes:
    """Return named texts sealed together."""
    return seal(json.dumps(dict(fields), ensure_ascii=False).encode(), secrets, purpose)


def unseal_fields(sealed: bytes, secrets: Sequence[str], purpose: str) -> dict[str, str]:
    """Return the named texts that were sealed together; raises as `unseal`."""
    return json.loads(unseal(sealed, secrets, purpose))


def _fernet(secrets: Sequence[str], purpose: str) -> MultiFernet:
    return MultiFernet([Fernet(_key(secret, purpose)) for secret in secrets])


def _key(secret: str, purpose: str) -> bytes:
    stretched = HKDF(SHA256(), length=32, salt=None, info=f"nocturne {purpose}".encode())
    return base64.urlsafe_b64encode(stretched.derive(secret.encode()))
