from questionnaires.checks import every_language_has_words
from questionnaires.instruments import CATALOGUE


def test_the_languages_of_the_site_are_complete():
    assert every_language_has_words() == []


def test_a_language_without_words_is_reported_for_each_instrument(settings):
    settings.LANGUAGES = [("en", "English"), ("fr", "French")]
    problems = every_language_has_words()
    assert [problem.id for problem in problems] == ["questionnaires.E001"] * len(CATALOGUE)
    assert "psqi has no complete wording in fr" in problems[0].msg
