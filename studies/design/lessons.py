"""The course of the CBT arm, read from files that a clinician can read, translate and version.

`studies/cbt/course.<language>.toml` lists the lessons; `studies/cbt/<lesson>.<language>.toml` holds
one: cards with one idea each, and exercises whose answers come back on later cards (`recall`). Both
languages hold the same keys in the same order; `differences` names what does not agree. Each lesson
has a version, the whole course a SHA-256: a study pins it when it opens (docs/cbt.md).
"""

import hashlib
import json
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from studies.design.errors import LessonError

FOLDER = Path(__file__).parents[1] / "cbt"
LANGUAGES = ("en", "zh-hans")


class ExerciseKind(StrEnum):
    """What an exercise asks for: one choice, several, a time of day, or words of one's own."""

    CHOICE = "choice"
    SEVERAL = "several"
    TIME = "time"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Card:
    """One idea: a stable key, a title, a few short paragraphs, and earlier answers to show."""

    key: str
    title: str
    body: str
    recall: tuple[str, ...] = ()

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The body line by line."""
        return tuple(self.body.strip().splitlines())


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer of an exercise; one that `tells` is a message to the therapist."""

    key: str
    label: str
    tells: bool = False


@dataclass(frozen=True, slots=True)
class Exercise:
    """A question at a lesson's end; words of one's own may be left out."""

    key: str
    kind: ExerciseKind
    question: str
    hint: str = ""
    choices: tuple[Choice, ...] = ()

    @property
    def is_optional(self) -> bool:
        """Whether it may stay empty: nobody has to write down a thought."""
        return self.kind is ExerciseKind.TEXT

    def words(self, value: object) -> str:
        """Return a kept answer as people read it; choices by their labels."""
        labels = {choice.key: choice.label for choice in self.choices}
        chosen = value if isinstance(value, list) else [value]
        return "; ".join(labels.get(one, str(one)) for one in chosen)


@dataclass(frozen=True, slots=True)
class Announcement:
    """A lesson as the list of lessons shows it."""

    number: int
    key: str
    title: str
    summary: str
    is_booster: bool = False


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson in one language."""

    number: int
    key: str
    title: str
    version: str
    minutes: int
    cards: tuple[Card, ...]
    exercises: tuple[Exercise, ...]

    @property
    def n_pages(self) -> int:
        """How many pages it has: its cards, then its exercises."""
        return len(self.cards) + len(self.exercises)

    def exercise(self, key: str) -> Exercise:
        """Return the exercise with this key.

        Raises
        ------
        LessonError
            The lesson has no such exercise.
        """
        for exercise in self.exercises:
            if exercise.key == key:
                return exercise
        raise LessonError(f"an exercise of lesson {self.key} was expected, got {key!r}.")


@cache
def course(language: str) -> tuple[Announcement, ...]:
    """Return the lessons of the course in order.

    Raises
    ------
    LessonError
        There is no course in this language.
    """
    entries = _read("course", language)["lessons"]
    return tuple(Announcement(number, **entry) for number, entry in enumerate(entries, start=1))


@cache
def lesson_named(key: str, language: str) -> Lesson:
    """Return one lesson.

    Raises
    ------
    LessonError
        The course has no such lesson, or its file is missing or lacks a part.
    """
    listed = {entry.key: entry for entry in course(language)}
    if key not in listed:
        raise LessonError(f"a lesson of {', '.join(listed)} was expected, got {key!r}.")
    content = _read(key, language)
    try:
        return Lesson(
            number=listed[key].number,
            key=key,
            title=listed[key].title,
            version=content["version"],
            minutes=content["minutes"],
            cards=tuple(
                Card(**{**card, "recall": tuple(card.get("recall", ()))})
                for card in content["cards"]
            ),
            exercises=tuple(_exercise(entry) for entry in content["exercises"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise LessonError(
            f"version, minutes, cards and exercises were expected in {_path(key, language).name}, "
            f"got a file that fails with {error}. Compare it with sleep_education.en.toml."
        ) from error


def lessons(language: str) -> tuple[Lesson, ...]:
    """Return every lesson of the course, in order."""
    return tuple(lesson_named(entry.key, language) for entry in course(language))


def exercise_named(key: str, language: str) -> Exercise | None:
    """Return the exercise with this key, whichever lesson asks it; `None` where none does."""
    found = (one for lesson in lessons(language) for one in lesson.exercises if one.key == key)
    return next(found, None)


@cache
def course_sha256() -> str:
    """Return the SHA-256 of the whole course in all its languages, as canonical JSON."""
    names = ["course", *(entry.key for entry in course(LANGUAGES[0]))]
    content = {f"{name}.{one}": _read(name, one) for name in names for one in LANGUAGES}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def course_versions() -> dict[str, str]:
    """Return the version of each lesson by its key."""
    return {lesson.key: lesson.version for lesson in lessons(LANGUAGES[0])}


def differences(first: str = "en", second: str = "zh-hans") -> list[str]:
    """Return what does not agree between two languages, card by card; empty when all does.

    Also named: a `recall` of an exercise that no lesson asks before that card.
    """
    found = list(_order(first, second, [one.key for one in course(first)], course(second)))
    if found:
        return found
    asked: set[str] = set()
    for one, other in zip(lessons(first), lessons(second), strict=True):
        found += _disagreements(one, other, first, second)
        found += _early_recalls(one, asked)
        asked |= {exercise.key for exercise in one.exercises}
    return found


def _disagreements(one: Lesson, other: Lesson, first: str, second: str) -> Iterator[str]:
    here = f"lesson {one.key}"
    for name in ("version", "minutes"):
        ours, theirs = getattr(one, name), getattr(other, name)
        if ours != theirs:
            yield f"{here}: {name} is {ours!r} in {first} and {theirs!r} in {second}"
    pairs = (("card", one.cards, other.cards), ("exercise", one.exercises, other.exercises))
    for what, ours, theirs in pairs:
        for place in range(max(len(ours), len(theirs))):
            left, right = _outline(ours, place), _outline(theirs, place)
            if left != right:
                yield f"{here}, {what} {place + 1}: {left} in {first} and {right} in {second}"


def _outline(parts: Sequence[Card | Exercise], place: int) -> str:
    if place >= len(parts):
        return "nothing"
    part = parts[place]
    if isinstance(part, Card):
        return f"{part.key} (recalls {', '.join(part.recall) or 'nothing'})"
    keys = (f"{choice.key} (tells)" if choice.tells else choice.key for choice in part.choices)
    choices = ", ".join(keys) or "no choices"
    return f"{part.key} ({part.kind}: {choices})"


def _early_recalls(lesson: Lesson, asked: set[str]) -> Iterator[str]:
    for card in lesson.cards:
        for key in card.recall:
            if key not in asked:
                yield f"lesson {lesson.key}, card {card.key}: {key} was not asked before"


def _order(
    first: str, second: str, ours: list[str], theirs: tuple[Announcement, ...]
) -> Iterator[str]:
    others = [one.key for one in theirs]
    if ours != others:
        yield f"course: {', '.join(ours)} in {first} and {', '.join(others)} in {second}"


def _exercise(entry: dict) -> Exercise:
    return Exercise(
        key=entry["key"],
        kind=ExerciseKind(entry["kind"]),
        question=entry["question"],
        hint=entry.get("hint", ""),
        choices=tuple(Choice(**choice) for choice in entry.get("choices", ())),
    )


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
