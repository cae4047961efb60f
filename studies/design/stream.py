"""Random numbers that anybody can derive again: HMAC-SHA256 counters, defined by bytes.

1. key = HMAC-SHA256(seed, algorithm + "|" + label), text as UTF-8.
2. The stream is HMAC-SHA256(key, counter) for counter = 0, 1, 2, ... as 8 bytes big-endian; each
   digest gives four 64-bit words, big-endian.
3. A whole number below n is the next word modulo n; words >= 2**64 - (2**64 mod n) are rejected.
4. What is published at opening binds a list of lines: SHA-256 over a nonce from the key, then
   algorithm + "|" + label and the lines, each after a line feed. The nonce keeps the last lines
   from being guessed from the published hash.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator

from studies.design.errors import ProtocolError

SEED_BYTES = 32
WORD = 2**64


def key_of(seed: bytes, algorithm: str, label: str) -> bytes:
    """Return the key of one stream.

    Parameters
    ----------
    seed : bytes
        32 secret bytes, one seed a stratum.
    algorithm : str
        Name and version of what draws from the stream.
    label : str
        The stratum's label.

    Raises
    ------
    ProtocolError
        The seed has not 32 bytes.
    """
    if len(seed) != SEED_BYTES:
        raise ProtocolError(f"expected a seed of {SEED_BYTES} bytes, got {len(seed)}.")
    return hmac.digest(seed, f"{algorithm}|{label}".encode(), "sha256")


def words(key: bytes) -> Iterator[int]:
    """Return the stream of 64-bit words of a key; it has no end."""
    counter = 0
    while True:
        digest = hmac.digest(key, counter.to_bytes(8, "big"), "sha256")
        yield from (int.from_bytes(digest[at : at + 8], "big") for at in range(0, 32, 8))
        counter += 1


def draw(stream: Iterator[int], n: int) -> int:
    """Return a whole number from 0 to `n` - 1, each as likely as any other."""
    limit = WORD - WORD % n
    return next(word for word in stream if word < limit) % n


def commitment_to(key: bytes, algorithm: str, label: str, lines: Iterable[str]) -> str:
    """Return the hex SHA-256 that is published at opening and binds the lines."""
    nonce = hmac.digest(key, b"commitment", "sha256")
    text = "\n".join([f"{algorithm}|{label}", *lines])
    return hashlib.sha256(nonce + text.encode()).hexdigest()
