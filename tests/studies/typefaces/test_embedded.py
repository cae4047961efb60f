"""The fonts of one PDF are lent for one document, with its letters and no other's."""

import pytest
from reportlab.pdfbase import pdfmetrics

from studies.typefaces.chinese import installed
from studies.typefaces.embedded import CHINESE, READERS_OWN, faces_for

needs_font = pytest.mark.skipif(
    installed() is None, reason="this machine has no font of Chinese letters"
)


@needs_font
def test_every_document_has_its_own_letters_whatever_came_before():
    for text in ("主要 ABC", "主要 GAMC", "退出"):
        with faces_for(text) as faces:
            for bold in (False, True):
                known = pdfmetrics.getFont(faces.of(text, bold=bold)).face.charToGlyph
                assert set(map(ord, text)) <= set(known)
    assert not set(CHINESE.values()) & set(pdfmetrics.getRegisteredFontNames())


@needs_font
def test_a_document_that_fails_gives_its_fonts_back():
    with pytest.raises(ValueError, match="page"), faces_for("主要"):
        raise ValueError("page")
    assert not set(CHINESE.values()) & set(pdfmetrics.getRegisteredFontNames())


def test_latin_letters_need_no_other_font():
    with faces_for("Ada") as faces:
        assert (faces.of("Ada"), faces.of("Ada", bold=True)) == ("DejaVuSans", "DejaVuSans-Bold")
        assert not faces.has_chinese
        assert faces.of("退出") == READERS_OWN
