"""Screening before consent: the protocol's own questions, and a CPSS that lets people in.

What is asked here decides who is asked for consent, and nothing else: baseline asks anew. (Scores
of people who were picked by them fall by themselves when they are asked again.)
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from studies.design.eligibility import Rule, decide
from studies.design.parts import require

ANSWERS = YES, NO = ("yes", "no")
CPSS, CPSS_TOTAL = "cpss", "cpss_total"
CPSS_MAX = 56
NAME_LENGTH = 32


@dataclass(frozen=True, slots=True)
class ScreeningQuestion:
    """One question to be answered by yes or no.

    Parameters
    ----------
    name : str
        Unique in the protocol; the reason that is kept names it.
    excludes : str
        The answer, ``yes`` or ``no``, of those who cannot take part.
    texts : tuple of (str, str)
        The question in each language.
    """

    name: str
    excludes: str
    texts: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        is_name = isinstance(self.name, str) and self.name.replace("_", "").isalnum()
        require(
            is_name and len(self.name) <= NAME_LENGTH,
            "a question's name of letters, digits and underscores",
            self.name,
        )
        require(self.excludes in ANSWERS, f"yes or no for what {self.name} excludes", self.excludes)
        is_told = bool(self.texts) and all(
            isinstance(text, str) and text.strip() for _language, text in self.texts
        )
        require(is_told, f"the words of {self.name}", dict(self.texts))

    def text_in(self, language: str) -> str:
        """Return the question in a language, or in the first one there is."""
        return dict(self.texts).get(language, self.texts[0][1])

    def to_json(self) -> dict[str, object]:
        """Return the question as plain values."""
        return {"name": self.name, "excludes": self.excludes, "texts": dict(self.texts)}


@dataclass(frozen=True, slots=True)
class ScreeningPlan:
    """What the protocol asks before consent; nothing where it states nothing.

    Parameters
    ----------
    questions : tuple of ScreeningQuestion
    cpss_at_least : int, optional
        Ask the CPSS, and take who has this total or more.
    """

    questions: tuple[ScreeningQuestion, ...] = ()
    cpss_at_least: int | None = None

    def __post_init__(self) -> None:
        names = [question.name for question in self.questions]
        require(len(set(names)) == len(names), "screening questions of different names", names)
        cut = self.cpss_at_least
        require(
            cut is None or (type(cut) is int and 0 <= cut <= CPSS_MAX),
            f"a CPSS total of 0 to {CPSS_MAX} at screening",
            cut,
        )

    @property
    def is_asked(self) -> bool:
        """Whether there is anything to ask."""
        return bool(self.questions) or self.cpss_at_least is not None

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules on scores."""
        if self.cpss_at_least is None:
            return ()
        return (Rule(CPSS_TOTAL, at_least=self.cpss_at_least),)

    def reasons_against(
        self, answers: Mapping[str, str], facts: Mapping[str, float | None]
    ) -> tuple[str, ...]:
        """Return every reason that stands in the way; none where somebody may be asked.

        Parameters
        ----------
        answers : mapping of str to str
            ``yes`` or ``no`` by the name of each question.
        facts : mapping of str to float or None
            The scores of the screening questionnaire.
        """
        excluded = tuple(self._excluded(answers))
        return (*excluded, *decide(self.rules, facts).reasons)

    def _excluded(self, answers: Mapping[str, str]) -> Iterator[str]:
        for question in self.questions:
            answer = answers.get(question.name)
            if answer not in ANSWERS:
                yield f"{question.name}: yes or no expected, not known"
            elif answer == question.excludes:
                yield f"{question.name}: {answer}"

    def to_json(self) -> dict[str, object]:
        """Return the plan as plain values; what is not stated is left out."""
        plain: dict[str, object] = {}
        if self.cpss_at_least is not None:
            plain["cpss_at_least"] = self.cpss_at_least
        if self.questions:
            plain["questions"] = [question.to_json() for question in self.questions]
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, object]) -> "ScreeningPlan":
        """Return the plan that `to_json` made plain."""
        parts = dict(plain)
        if "questions" in parts:
            parts["questions"] = tuple(
                ScreeningQuestion(**{**question, "texts": tuple(question["texts"].items())})
                for question in parts["questions"]
            )
        return cls(**parts)
