import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.design.errors import ProtocolFaults, SealBroken
from studies.design.imported_list import BYTES_MAX, StratumList, read_list

STRATA = ("sex=f", "sex=m")
SEED = bytes(32)


def read(text: str, *, n_at_least: int = 4, strata: tuple[str, ...] = STRATA) -> dict:
    return read_list(text, arms=("A", "B"), ratios=(1, 1), strata=strata, n_at_least=n_at_least)


def table(*rows: str) -> str:
    return "stratum,arm\n" + "\n".join(rows) + "\n"


def test_each_strata_keeps_its_order() -> None:
    text = table("sex=f,A", "sex=m,B", "sex=f,A", "sex=f,B", "sex=m,A", "sex=f,B")
    assert read(text) == {"sex=f": ("A", "A", "B", "B"), "sex=m": ("B", "A")}
    assert read("\ufeff" + text.replace("\n", "\r\n")) == read(text)


def test_a_study_without_strata_has_an_empty_label() -> None:
    assert read(table(",A", ",A", ",B", ",B"), strata=("",)) == {"": ("A", "A", "B", "B")}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "columns"),
        ("arm,stratum\nA,sex=f\n", "columns"),
        ("stratum,arm,who\nsex=f,A,x\n", "columns"),
        (table("sex=f"), "line 2: expected a stratum and an arm"),
        (table("sex=x,A"), "a stratum of the protocol"),
        (table("sex=f,C"), "the code of an arm"),
        (table("sex=f,A", "sex=f,A", "sex=f,B", "sex=f,B"), "none for 'sex=m'"),
        (table("sex=f,A", "sex=m,B"), "4 slots or more, got 2"),
        (table(*["sex=f,A"] * 6, "sex=m,A", "sex=m,B"), "50% of the slots for A, got 88%"),
        (table(*["sex=f,A", "sex=f,B", "sex=m,B", "sex=m,A"] * 3), "can(not)? be guessed"),
        ("x" * (BYTES_MAX + 1), "at most"),
    ],
)
def test_a_list_that_will_not_do_is_refused_with_the_line(text: str, words: str) -> None:
    with pytest.raises(ProtocolFaults, match=words):
        read(text)


def test_every_fault_is_named_and_a_flood_of_them_cut_short() -> None:
    with pytest.raises(ProtocolFaults) as refusal:
        read(table(*["sex=x,A"] * 50))
    assert len(refusal.value.faults) == 21
    assert refusal.value.faults[-1] == "and 30 more"


def test_a_refusal_never_repeats_a_slot() -> None:
    with pytest.raises(ProtocolFaults) as refusal:
        read(table("sex=f,SECRET", "sex=m,B"))
    assert "SECRET" not in str(refusal.value)


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(ProtocolFaults):
        read(text, n_at_least=1000)


def test_a_sealed_list_comes_back_and_its_commitment_binds_every_slot() -> None:
    slots = StratumList("sex=f", SEED, ("A", "B", "B", "A"))
    again = StratumList.from_sealed_text("sex=f", slots.sealed_text)
    assert (again, again.commitment) == (slots, slots.commitment)
    for other in (
        StratumList("sex=m", SEED, slots.arms),
        StratumList("sex=f", bytes([1] * 32), slots.arms),
        StratumList("sex=f", SEED, ("A", "B", "A", "B")),
    ):
        assert other.commitment != slots.commitment


def test_another_text_under_the_seal_is_refused() -> None:
    for text in (b"", b"{}", b'{"seed": 1, "arms": []}'):
        with pytest.raises(SealBroken):
            StratumList.from_sealed_text("", text)
