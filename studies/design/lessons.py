"""The lessons of the CBT arm, read from files that a clinician can read, translate and version.

`studies/cbt/course.<language>.toml` lists the course; `studies/cbt/<lesson>.<language>.toml` holds
one lesson: cards with one idea each, and one exercise with a choice of answers. The two languages
of a lesson hold the same keys in the same order (a test proves it).
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from studies.design.errors import LessonError

FOLDER = Path(__file__).parents[1] / "cbt"


@dataclass(frozen=True, slots=True)
class Card:
    """One idea: a stable key, a title, a few short paragraphs."""

    key: str
    title: str
    body: str

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The body line by line."""
        return tuple(self.body.strip().splitlines())


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer of an exercise."""

    key: str
    label: str


@dataclass(frozen=True, slots=True)
class Exercise:
    """The question at a lesson's end."""

    key: str
    question: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Announcement:
    """A lesson as the list of lessons shows it."""

    number: int
    key: str
    title: str
    summary: str
    is_written: bool


@dataclass(frozen=True, slots=True)
class Lesson:
    """A written lesson."""

    number: int
    key: str
    title: str
    minutes: int
    cards: tuple[Card, ...]
    exercise: Exercise

    def card_number(self, key: str) -> int:
        """Return the place of the card with this key, counted from 1.

        Raises
        ------
        LessonError
            The lesson has no such card.
        """
        for number, card in enumerate(self.cards, start=1):
            if card.key == key:
                return number
        raise LessonError(f"a card of lesson {self.key} was expected, got {key!r}.")


@cache
def course(language: str) -> tuple[Announcement, ...]:
    """Return the lessons of the course in order.

    Raises
    ------
    LessonError
        There is no course in this language.
    """
    entries = _read("course", language)["lessons"]
    return tuple(
        Announcement(number, is_written=_path(entry["key"], language).exists(), **entry)
        for number, entry in enumerate(entries, start=1)
    )


@cache
def lesson_named(key: str, language: str) -> Lesson:
    """Return one lesson.

    Raises
    ------
    LessonError
        The course has no such lesson, it is not written yet, or its file lacks a part.
    """
    listed = {entry.key: entry for entry in course(language)}
    if key not in listed:
        raise LessonError(f"a lesson of {', '.join(listed)} was expected, got {key!r}.")
    content = _read(key, language)
    try:
        exercise = content["exercise"]
        return Lesson(
            number=listed[key].number,
            key=key,
            title=listed[key].title,
            minutes=content["minutes"],
            cards=tuple(Card(**card) for card in content["cards"]),
            exercise=Exercise(
                exercise["key"],
                exercise["question"],
                tuple(Choice(**choice) for choice in exercise["choices"]),
            ),
        )
    except (KeyError, TypeError) as error:
        raise LessonError(
            f"minutes, cards and an exercise were expected in {_path(key, language).name}, got a "
            f"file without {error}. Compare it with sleep_education.en.toml."
        ) from error


def _read(name: str, language: str) -> dict:
    path = _path(name, language)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LessonError(
            f"the file {path.name} was expected beside the other lessons, got none. Write it, or "
            "choose another language."
        ) from None


def _path(name: str, language: str) -> Path:
    return FOLDER / f"{name}.{language.replace('-', '_')}.toml"
