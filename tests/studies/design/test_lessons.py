from pathlib import Path

import pytest

from studies.design import lessons
from studies.design.errors import LessonError
from studies.design.lessons import Lesson, course, lesson_named

LANGUAGES = ("en", "zh-hans")
WRITTEN = [entry.key for entry in course("en") if entry.is_written]


def _keys(lesson: Lesson) -> tuple[list[str], str, list[str], int]:
    cards = [card.key for card in lesson.cards]
    choices = [choice.key for choice in lesson.exercise.choices]
    return cards, lesson.exercise.key, choices, lesson.minutes


def test_the_course_has_six_lessons_in_both_languages() -> None:
    assert [entry.key for entry in course("en")] == [entry.key for entry in course("zh-hans")]
    assert [entry.number for entry in course("en")] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("key", WRITTEN)
def test_a_lesson_has_the_same_keys_in_both_languages(key: str) -> None:
    assert _keys(lesson_named(key, "en")) == _keys(lesson_named(key, "zh-hans"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", WRITTEN)
def test_a_lesson_is_six_to_eight_short_cards_and_one_question(key: str, language: str) -> None:
    lesson = lesson_named(key, language)
    assert 6 <= len(lesson.cards) <= 8
    assert len({card.key for card in lesson.cards}) == len(lesson.cards)
    assert all(card.title and card.paragraphs and len(card.body) < 420 for card in lesson.cards)
    assert len(lesson.exercise.choices) >= 2
    assert lesson.card_number(lesson.cards[-1].key) == len(lesson.cards)


@pytest.mark.parametrize(
    ("key", "language"),
    [("nonsense", "en"), ("relaxation", "en"), ("sleep_education", "fr"), ("../course", "en")],
)
def test_a_lesson_that_is_not_there_is_named(key: str, language: str) -> None:
    with pytest.raises(LessonError, match="expected"):
        lesson_named(key, language)


def test_a_card_that_is_not_there_is_named() -> None:
    with pytest.raises(LessonError, match="got 'nonsense'"):
        lesson_named("sleep_education", "en").card_number("nonsense")


def test_a_lesson_file_without_a_part_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "course.en.toml").write_text(
        '[[lessons]]\nkey = "half"\ntitle = "T"\nsummary = "S"\n', encoding="utf-8"
    )
    (tmp_path / "half.en.toml").write_text("minutes = 5\n", encoding="utf-8")
    monkeypatch.setattr(lessons, "FOLDER", tmp_path)
    course.cache_clear()
    lesson_named.cache_clear()
    try:
        with pytest.raises(LessonError, match=r"half\.en\.toml"):
            lesson_named("half", "en")
    finally:
        course.cache_clear()
        lesson_named.cache_clear()
