import tomllib

import pytest

from studies.design.lessons import LANGUAGES, ExerciseKind, lessons
from studies.services.demonstration.skills import PAGES, TIMES, WORDS


@pytest.mark.parametrize("language", LANGUAGES)
def test_synthetic_people_have_an_answer_to_every_exercise(language: str) -> None:
    words = tomllib.loads(WORDS.read_text(encoding="utf-8"))[language]
    asked = [exercise for lesson in lessons(language) for exercise in lesson.exercises]
    assert {one.key for one in asked if one.kind is ExerciseKind.TIME} == set(TIMES)
    texts = {one.key for one in asked if one.kind is ExerciseKind.TEXT}
    assert texts | {"question", "reply"} == set(words)


def test_an_evening_is_long_enough_for_the_longest_lesson() -> None:
    # A step for each page, and one to finish.
    assert max(lesson.n_pages for lesson in lessons("en")) + 1 <= PAGES
