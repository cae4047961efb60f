"""Texts whose words were lost between two encodings.

Two things happen. UTF-8 opened as Windows-1252 or Latin-1 turns each Chinese character into three
Western ones, of which the no-break space is often typed or saved again as a plain one. And what an
encoding has no character for is written as a question mark.
"""

import re
import unicodedata

UNREADABLE = ("Cc", "Cs", "Cn", "Co")
# What Windows-1252 puts where Latin-1 has control characters: dashes, quotes, the euro.
ADDED_IN_1252 = bytes(range(0x80, 0xA0)).decode("cp1252", "ignore")
WESTERN = re.compile(f"[\\x00-\\xff{ADDED_IN_1252}]+")
# A character of three bytes; a space may stand for a no-break space beside a symbol, never beside
# a dash or a quote, which follow an accented letter in honest texts.
THREE_BYTES = rb"[\xe2-\xef](?:[\x80-\xbf]{2}|[\xa0-\xbf] | [\xa0-\xbf])"
HAS_THREE_BYTES = re.compile(THREE_BYTES)
TWICE_ENCODED = re.compile(rb"(?:[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|" + THREE_BYTES + rb")*")
WORD_OF_QUESTION_MARKS = re.compile(r"(?<!\S)\?{2,}")


def is_garbled(text: str) -> bool:
    """Return whether a text has control characters or was opened in another encoding.

    Examples
    --------
    >>> is_garbled("caf\N{LATIN SMALL LETTER E WITH ACUTE}"), is_garbled("ä½ å¥½")
    (False, True)
    """
    if any(unicodedata.category(char) in UNREADABLE for char in text if char not in "\n\r\t"):
        return True
    return "\N{REPLACEMENT CHARACTER}" in text or _is_twice_encoded(text)


def has_lost_words(text: str) -> bool:
    """Return whether question marks stand where words should be.

    Examples
    --------
    >>> has_lost_words("??? ????"), has_lost_words("Would you tell a friend?")
    (True, False)
    """
    marks = text.count("?")
    if marks > 1 and marks > sum(char.isalpha() for char in text):
        return True
    return WORD_OF_QUESTION_MARKS.search(text) is not None


def _is_twice_encoded(text: str) -> bool:
    if text.isascii():
        return False
    return _is_utf8_as_a_whole(text) or any(map(_hides_three_bytes, WESTERN.findall(text)))


def _is_utf8_as_a_whole(text: str) -> bool:
    for encoding in ("cp1252", "latin-1"):
        try:
            text.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
        return True
    return False


def _hides_three_bytes(part: str) -> bool:
    """Return whether a part reads as UTF-8 with such characters as Chinese ones in it."""
    data = part.encode("cp1252", "replace")
    return bool(HAS_THREE_BYTES.search(data)) and bool(TWICE_ENCODED.fullmatch(data))
