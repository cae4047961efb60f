"""Participant codes with a check character and no meaning inside, e.g. ``NQ-4K7T-3``.

Six random characters of a 31-letter alphabet (no 0, 1, I, L, O), and a check character: the sum of
value times place, places counted from 1, modulo 31. As 31 is prime and the places differ, every
single wrong character and every swap of two different characters changes the sum.

Without words to stumble over there are 31**6, about 888 million, codes.
"""

from random import Random

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
BODY_LENGTH = 6


def new_code(random: Random) -> str:
    """Return a fresh code; `random` decides (a `secrets.SystemRandom` in the product)."""
    return _with_check("".join(random.choice(ALPHABET) for _ in range(BODY_LENGTH)))


def is_valid(code: str) -> bool:
    """Return whether `code` is one that `new_code` could have made."""
    body = plain(code)
    if len(body) != BODY_LENGTH + 1 or not set(body) <= set(ALPHABET):
        return False
    return _with_check(body[:-1]) == _printed(body)


def plain(text: str) -> str:
    """Return a typed code without dashes and spaces, in capitals."""
    return "".join(text.upper().replace("-", " ").split())


def normalised(text: str) -> str:
    """Return a typed code as it is printed."""
    return _printed(plain(text))


def _with_check(body: str) -> str:
    total = sum(place * ALPHABET.index(letter) for place, letter in enumerate(body, start=1))
    return _printed(body + ALPHABET[total % len(ALPHABET)])


def _printed(letters: str) -> str:
    return f"{letters[:2]}-{letters[2:6]}-{letters[6:]}"
