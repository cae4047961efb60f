import pytest

from studies.design.texts import LANGUAGES, consent_pages


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_consent_text_is_short_pages_with_one_idea_each(language: str) -> None:
    pages = consent_pages(language)
    assert 5 <= len(pages) <= 8
    assert all(page["title"] and 20 < len(page["body"]) < 500 for page in pages)


def test_both_languages_have_the_same_number_of_pages() -> None:
    assert len({len(consent_pages(language)) for language in LANGUAGES}) == 1
