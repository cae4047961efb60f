import hashlib

import pytest

from studies.design.consent_copy import ConsentCopy, as_pdf
from studies.exceptions import IdentityErased
from studies.models.consent import ConsentRole
from studies.services.entry.copies import copies_of, copy_of
from studies.services.entry.identity import erase_identity
from studies.services.trail.audit import SYSTEM
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


def test_chinese_is_set_in_a_font_that_has_it_and_english_is_not() -> None:
    assert b"/STSong-Light" in as_pdf(PLAIN)
    english = ConsentCopy("Title", "", (("A", "B"),), (("Name", "Ada"),), "Yes.", "Page %(n)s")
    assert b"/STSong-Light" not in as_pdf(english)


def test_both_have_a_copy_whose_hash_is_on_record() -> None:
    participant = make_participant("consented")
    signed = copies_of(participant)
    assert {consent.role for consent in signed} == {ConsentRole.ASSENT, ConsentRole.PERMISSION}
    for consent in signed:
        assert hashlib.sha256(copy_of(consent)).hexdigest() == consent.copy_sha256
        assert b"%PDF" not in bytes(consent.copy_sealed)


def test_a_chinese_reader_has_a_chinese_copy() -> None:
    participant = invite(make_study(), language="zh-hans").participant
    permit(participant)
    assert b"/STSong-Light" in copy_of(participant.consents.get())


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
