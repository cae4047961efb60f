from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.design.pseudonyms import ALPHABET, is_valid, new_code, normalised, plain

codes = st.integers(0, 2**32).map(lambda seed: new_code(Random(seed)))  # noqa: S311 -- repeatable on purpose


@given(codes)
def test_a_fresh_code_is_valid_and_reads_like_one(code: str) -> None:
    assert is_valid(code)
    assert [len(part) for part in code.split("-")] == [2, 4, 1]
    assert not set("01ILO") & set(code)


@given(codes, st.data())
def test_every_single_wrong_character_is_found(code: str, data: st.DataObject) -> None:
    letters = list(plain(code))
    place = data.draw(st.integers(0, len(letters) - 1))
    letters[place] = data.draw(st.sampled_from(sorted(set(ALPHABET) - {letters[place]})))
    assert not is_valid("".join(letters))


@given(codes, st.data())
def test_every_swap_of_neighbours_in_the_body_is_found(code: str, data: st.DataObject) -> None:
    letters = list(plain(code))
    place = data.draw(st.integers(0, len(letters) - 3))
    first, second = letters[place : place + 2]
    letters[place], letters[place + 1] = second, first
    assert is_valid("".join(letters)) == (first == second)


@given(codes)
def test_a_typed_code_is_understood_without_its_dashes_and_capitals(code: str) -> None:
    assert normalised(code.replace("-", " ").lower()) == code


@pytest.mark.parametrize("text", ["", "NQ", "NQ-4K7T", "00-0000-0", "NQ-4K7T-33", "好-4K7T-3"])
def test_what_is_no_code_is_refused(text: str) -> None:
    assert not is_valid(text)
