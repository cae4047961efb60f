import hashlib
import re
from dataclasses import replace

import pytest

from studies.design.consent_copy import ConsentCopy, as_pdf
from studies.exceptions import IdentityErased
from studies.models.consent import ConsentRole
from studies.services.entry.copies import copies_of, copy_of
from studies.services.entry.identity import erase_identity
from studies.services.trail.audit import SYSTEM
from studies.typefaces.chinese import installed
from tests.factories import invite, make_participant, make_study, permit

pytestmark = pytest.mark.django_db

PLAIN = ConsentCopy(
    title="睡眠音乐研究",
    subtitle="Consent text, version 1",
    pages=(("What it is & why", "One <idea>.\nAnother one."), ("你可以退出", "随时都可以。" * 80)),
    signature=(("Name", "Grace Example"), ("姓名", "王小明")),
    agreed="I agree.",
    foot="Page %(n)s",
)


def test_the_same_content_makes_the_same_file() -> None:
    assert as_pdf(PLAIN) == as_pdf(PLAIN)
    assert as_pdf(PLAIN).startswith(b"%PDF-")


ENGLISH = ConsentCopy("Title", "", (("A", "B"),), (("Name", "Ada Łukasz"),), "Yes.", "Page %(n)s")
has_chinese_font = pytest.mark.skipif(
    installed() is None, reason="this machine has no font of Chinese letters"
)


def fonts_of(pdf: bytes) -> set[str]:
    return {name.decode() for name in re.findall(rb"/BaseFont /([^ /]+)", pdf)}


def is_embedded(font: str) -> bool:
    """A part of a font, in the file, has six letters and a plus before its name."""
    return re.match(r"[A-Z]{6}\+", font) is not None


def test_an_english_copy_carries_its_fonts():
    fonts = fonts_of(as_pdf(ENGLISH))
    assert {font[7:] for font in fonts} == {"DejaVuSans", "DejaVuSans-Bold"}
    assert all(is_embedded(font) for font in fonts)


@has_chinese_font
def test_a_copy_with_chinese_letters_carries_its_fonts_and_no_two_copies_mix_theirs():
    first = as_pdf(PLAIN)
    other = as_pdf(replace(PLAIN, signature=(("姓名", "赵敏"),)))
    for pdf in (first, other):
        assert len(fonts_of(pdf)) > 2
        assert all(is_embedded(font) for font in fonts_of(pdf))
    assert as_pdf(PLAIN) == first


def test_without_a_chinese_font_the_reader_brings_one(monkeypatch):
    monkeypatch.setattr("studies.typefaces.embedded.installed", lambda *_weight: None)
    assert "STSong-Light" in fonts_of(as_pdf(PLAIN))
    assert "STSong-Light" not in fonts_of(as_pdf(ENGLISH))


def test_both_have_a_copy_whose_hash_is_on_record() -> None:
    participant = make_participant("consented")
    signed = copies_of(participant)
    assert {consent.role for consent in signed} == {ConsentRole.ASSENT, ConsentRole.PERMISSION}
    for consent in signed:
        assert hashlib.sha256(copy_of(consent)).hexdigest() == consent.copy_sha256
        assert b"%PDF" not in bytes(consent.copy_sealed)


def test_a_chinese_reader_has_a_chinese_copy(monkeypatch) -> None:
    monkeypatch.setattr("studies.typefaces.embedded.installed", lambda *_weight: None)
    participant = invite(make_study(), language="zh-hans").participant
    permit(participant)
    assert "STSong-Light" in fonts_of(copy_of(participant.consents.get()))


def test_a_no_leaves_no_copy() -> None:
    participant = invite(make_study()).participant
    permit(participant, agreed=False)
    assert copies_of(participant) == []


def test_a_copy_is_lost_with_the_identity() -> None:
    participant = make_participant("consented")
    consent = participant.consents.first()
    erase_identity(participant=participant, actor=SYSTEM)
    assert copies_of(participant) == []
    with pytest.raises(IdentityErased):
        copy_of(consent)
