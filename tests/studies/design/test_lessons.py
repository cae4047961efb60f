import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from studies.design import lessons
from studies.design.errors import LessonError
from studies.design.lessons import (
    FOLDER,
    LANGUAGES,
    ExerciseKind,
    Lesson,
    course,
    course_sha256,
    differences,
    exercise_named,
    lesson_named,
)

KEYS = [entry.key for entry in course("en")]
# Readable for a tired person of fifteen (STYLE of participants' texts: Kincaid 6, 20 characters).
KINCAID_AT_MOST, CHARACTERS_AT_MOST = 6.0, 20.0
HALF = 'version = "1"\nminutes = 5\n'


def _prose(lesson: Lesson) -> list[str]:
    cards = [text for card in lesson.cards for text in (*card.paragraphs,)]
    return cards + [text for one in lesson.exercises for text in (one.question, one.hint) if text]


def _syllables(word: str) -> int:
    groups = len(re.findall(r"[aeiouy]+", word))
    is_silent = word.endswith("e") and not word.endswith(("le", "ee")) and groups > 1
    return max(1, groups - is_silent)


def kincaid(text: str) -> float:
    """Return the Flesch-Kincaid grade of an English text."""
    sentences = [one for one in re.split(r"[.!?]+\s", f"{text} ") if one.strip()]
    words = re.findall(r"[a-z']+", text.lower())
    n_syllables = sum(_syllables(word) for word in words)
    return 0.39 * len(words) / len(sentences) + 11.8 * n_syllables / len(words) - 15.59


def mean_sentence(text: str) -> float:
    """Return the mean length of a Chinese text's sentences, in characters."""
    sentences = [one for one in re.split(r"[\u3002\uff01\uff1f\n]", text) if one.strip()]
    return sum(len(re.findall(r"[\u4e00-\u9fff]", one)) for one in sentences) / len(sentences)


def test_readability_is_measured_as_expected() -> None:
    assert kincaid("The cat sat on the mat. The dog ran off.") < 1
    assert kincaid("Notwithstanding considerable deliberation, participants remained.") > 15
    assert mean_sentence("我困了。你还没有睡呢。") == 4.5


def test_the_course_has_six_lessons_and_two_boosters() -> None:
    assert [entry.number for entry in course("en")] == list(range(1, 9))
    assert [entry.is_booster for entry in course("en")] == [False] * 6 + [True] * 2


def test_both_languages_agree_card_by_card() -> None:
    assert differences() == []


@pytest.mark.parametrize("key", KEYS)
def test_english_is_easy_to_read(key: str) -> None:
    assert kincaid("\n".join(_prose(lesson_named(key, "en")))) <= KINCAID_AT_MOST


@pytest.mark.parametrize("key", KEYS)
def test_chinese_sentences_are_short(key: str) -> None:
    assert mean_sentence("\n".join(_prose(lesson_named(key, "zh-hans")))) <= CHARACTERS_AT_MOST


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", KEYS)
def test_a_lesson_is_a_few_short_cards_and_some_questions(key: str, language: str) -> None:
    lesson = lesson_named(key, language)
    assert (3 if key.startswith("booster") else 6) <= len(lesson.cards) <= 9
    assert len({card.key for card in lesson.cards}) == len(lesson.cards)
    assert all(card.title and card.paragraphs and len(card.body) < 420 for card in lesson.cards)
    assert 1 <= len(lesson.exercises) <= 4
    for exercise in lesson.exercises:
        has_choices = exercise.kind in {ExerciseKind.CHOICE, ExerciseKind.SEVERAL}
        assert has_choices == (len(exercise.choices) >= 2)


def test_every_answer_has_a_key_of_its_own() -> None:
    keys = [one.key for key in KEYS for one in lesson_named(key, "en").exercises]
    assert len(keys) == len(set(keys))


def test_answers_come_back_later_in_the_course() -> None:
    recalled = {
        key for lesson in KEYS for card in lesson_named(lesson, "en").cards for key in card.recall
    }
    assert {"one_helper", "wake_time", "wind_down", "night_thought", "fair_answer"} <= recalled


def test_a_kept_answer_is_read_in_words() -> None:
    assert exercise_named("one_helper", "en").words("daylight") == "Daylight in the first hour"
    assert exercise_named("wind_down", "en").words(["dim", "read"]) == (
        "Turn the lights down; Read something on paper"
    )
    assert exercise_named("wake_time", "zh-hans").words("06:45") == "06:45"
    assert exercise_named("nonsense", "en") is None


@pytest.mark.parametrize(
    ("key", "language"), [("nonsense", "en"), ("sleep_education", "fr"), ("../course", "en")]
)
def test_a_lesson_that_is_not_there_is_named(key: str, language: str) -> None:
    with pytest.raises(LessonError, match="expected"):
        lesson_named(key, language)


def test_an_exercise_that_is_not_there_is_named() -> None:
    with pytest.raises(LessonError, match="got 'nonsense'"):
        lesson_named("sleep_education", "en").exercise("nonsense")


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the course that a test may change."""
    for file in FOLDER.glob("*.toml"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(lessons, "FOLDER", tmp_path)
    _forget()
    yield tmp_path
    _forget()


def _forget() -> None:
    for remembered in (course, lesson_named, course_sha256):
        remembered.cache_clear()


def _change(folder: Path, name: str, old: str, new: str) -> None:
    file = folder / name
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    _forget()


@pytest.mark.parametrize(
    ("name", "old", "new", "named"),
    [
        ("relaxation.zh_hans.toml", 'key = "breath"', 'key = "air"', "relaxation, card 3"),
        ("worries.en.toml", 'kind = "text"', 'kind = "time"', "worries, exercise 2"),
        ("keeping_it.en.toml", 'version = "1"', 'version = "2"', "keeping_it: version"),
        ("course.en.toml", 'key = "worries"', 'key = "thoughts"', "course: "),
        ("sleep_window.en.toml", '["one_helper"]', '["helped"]', "was not asked before"),
        ("sleep_education.zh_hans.toml", 'key = "daylight"', 'key = "sun"', "exercise 2"),
    ],
)
def test_what_differs_between_languages_is_named(
    copied: Path, name: str, old: str, new: str, named: str
) -> None:
    _change(copied, name, old, new)
    assert any(named in line for line in differences())


def test_any_change_of_the_words_changes_the_courses_hash(copied: Path) -> None:
    before = course_sha256()
    _change(copied, "worries.zh_hans.toml", "白天事情多", "白天事多")
    assert course_sha256() != before
    _change(copied, "worries.zh_hans.toml", "白天事多", "白天事情多")
    assert course_sha256() == before


@pytest.mark.parametrize(
    "content", [HALF, HALF + "cards = []\nexercises = [{key = 'a', kind = 'x', question = 'q'}]\n"]
)
def test_a_lesson_file_without_a_part_is_named(copied: Path, content: str) -> None:
    (copied / "worries.en.toml").write_text(content, encoding="utf-8")
    with pytest.raises(LessonError, match=r"worries\.en\.toml"):
        lesson_named("worries", "en")


def test_a_missing_file_is_named(copied: Path) -> None:
    (copied / "worries.en.toml").unlink()
    with pytest.raises(LessonError, match=r"worries\.en\.toml"):
        lesson_named("worries", "en")
