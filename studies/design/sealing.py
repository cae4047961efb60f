"""Sealing of what a stolen database must not tell: identities and allocation seeds.

Fernet (AES-128-CBC with HMAC-SHA256) through `cryptography`. A configured secret is stretched to a
Fernet key by HKDF with a label, so that the same secret never serves two purposes. Several secrets,
newest first, open what any of them sealed: that is how keys rotate.

A person's own words and name are sealed with a key of their own, which is itself sealed so: whoever
destroys that one key has destroyed all of it.
"""

import base64
import hmac
import json
from collections.abc import Mapping, Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from studies.design.errors import SealBroken

IDENTITY = "identity"
ALLOCATION = "allocation"
WORDS = "words"
PERSON_KEY = "person key"
INDEX = "index"


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


def is_newest(sealed: bytes, secrets: Sequence[str], purpose: str) -> bool:
    """Return whether the newest (first) secret opens it, so that it need not be sealed anew."""
    try:
        unseal(sealed, secrets[:1], purpose)
    except SealBroken:
        return False
    return True


def new_key() -> bytes:
    """Return a fresh random key for one person."""
    return Fernet.generate_key()


def seal_with(key: bytes, content: bytes) -> bytes:
    """Return `content` sealed with one person's key."""
    return Fernet(key).encrypt(content)


def unseal_with(key: bytes, sealed: bytes) -> bytes:
    """Return what was sealed with a person's key; raises SealBroken as `unseal`."""
    try:
        return Fernet(key).decrypt(bytes(sealed))
    except InvalidToken:
        raise SealBroken from None


def blind_indexes(text: str, secrets: Sequence[str]) -> list[str]:
    """Return a keyed hash of `text` for each secret, the newest first.

    Equal texts have equal hashes, and without the secret nobody can try texts out.
    """
    keys = (_key(secret, INDEX) for secret in secrets)
    return [hmac.digest(key, text.encode(), "sha256").hex() for key in keys]


def _fernet(secrets: Sequence[str], purpose: str) -> MultiFernet:
    return MultiFernet([Fernet(_key(secret, purpose)) for secret in secrets])


def _key(secret: str, purpose: str) -> bytes:
    stretched = HKDF(SHA256(), length=32, salt=None, info=f"nocturne {purpose}".encode())
    return base64.urlsafe_b64encode(stretched.derive(secret.encode()))
