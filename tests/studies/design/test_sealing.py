import pytest

from studies.design.errors import SealBroken
from studies.design.sealing import ALLOCATION, IDENTITY, seal, seal_fields, unseal, unseal_fields

FIELDS = {"name": "李明", "contact": "+86 10 1234"}


def test_what_was_sealed_comes_back_and_cannot_be_read_before() -> None:
    sealed = seal_fields(FIELDS, ["first secret"], IDENTITY)
    assert "李明".encode() not in sealed
    assert b"1234" not in sealed
    assert unseal_fields(sealed, ["first secret"], IDENTITY) == FIELDS


def test_an_older_secret_still_opens_after_a_new_one_came() -> None:
    sealed = seal(b"x", ["old"], IDENTITY)
    assert unseal(sealed, ["new", "old"], IDENTITY) == b"x"
    assert unseal(seal(b"x", ["new", "old"], IDENTITY), ["new"], IDENTITY) == b"x"


def test_another_secret_another_purpose_and_a_changed_byte_open_nothing() -> None:
    sealed = seal(b"x", ["secret"], IDENTITY)
    with pytest.raises(SealBroken, match="key file"):
        unseal(sealed, ["other"], IDENTITY)
    with pytest.raises(SealBroken):
        unseal(sealed, ["secret"], ALLOCATION)
    with pytest.raises(SealBroken):
        unseal(sealed[:-1] + b"A", ["secret"], IDENTITY)


def test_sealing_twice_gives_different_bytes() -> None:
    assert seal(b"x", ["s"], IDENTITY) != seal(b"x", ["s"], IDENTITY)
