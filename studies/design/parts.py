"""The parts of a protocol: arms, visits, strata, music, texts; each refuses what cannot be."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from generator.engine.brief import TEMPO_MAX_BPM, TEMPO_MIN_BPM, Style
from studies.design.errors import ProtocolError

ARM_KINDS = ("cbt", "music")
CODE_LENGTH = 16
NIGHT_MINUTES_MIN, NIGHT_MINUTES_MAX = 1, 60
WINDOW_DAYS_MAX = 13
LATE_DAYS_MAX = 28
NIGHTS_AHEAD_MAX = 7
AGE = "age_years"


class Method(StrEnum):
    """How participants are allocated."""

    SIMPLE = "simple"
    BLOCKS = "blocks"
    MINIMISATION = "minimisation"
    LIST = "list"


class Download(StrEnum):
    """A form in which a participant may keep a night's music."""

    MP3 = "mp3"
    MIDI = "midi"
    MUSICXML = "musicxml"


class Source(StrEnum):
    """Where the level of a stratification factor comes from."""

    STATED = "stated"
    SITE = "site"
    BAND = "band"


@dataclass(frozen=True, slots=True)
class ArmPlan:
    """One arm: printed code, kind (``cbt`` or ``music``), composer of a music arm, ratio."""

    code: str
    kind: str
    composer: str = ""
    ratio: int = 1

    def __post_init__(self) -> None:
        require(
            isinstance(self.code, str) and 1 <= len(self.code) <= CODE_LENGTH,
            f"an arm's code of 1 to {CODE_LENGTH} characters",
            self.code,
        )
        require(self.kind in ARM_KINDS, "an arm kind of cbt or music", self.kind)
        require(
            bool(self.composer) == (self.kind == "music"),
            "a composer on music arms and on no others",
            f"{self.code}: {self.kind} with composer {self.composer!r}",
        )
        require(self.ratio >= 1, "a ratio of 1 or more", self.ratio)


@dataclass(frozen=True, slots=True)
class VisitPlan:
    """One visit: its week (0 is baseline), its instruments in order, its window in days.

    ``late_days`` is how long after the window answers are still taken, and flagged as late.
    ``may_decline`` offers "I do not want to answer"; see `Protocol.may_decline` for what it does
    not reach.
    """

    week: int
    instruments: tuple[str, ...]
    window_days: int = 0
    may_decline: bool = False
    late_days: int = 0

    def __post_init__(self) -> None:
        require(self.week >= 0, "a week of 0 or more", self.week)
        require(bool(self.instruments), "at least one instrument a visit", self.instruments)
        require(
            len(set(self.instruments)) == len(self.instruments),
            "each instrument once a visit",
            self.instruments,
        )
        require(
            0 <= self.window_days <= WINDOW_DAYS_MAX,
            f"a window of 0 to {WINDOW_DAYS_MAX} days",
            self.window_days,
        )
        require(
            type(self.late_days) is int and 0 <= self.late_days <= LATE_DAYS_MAX,
            f"0 to {LATE_DAYS_MAX} late days",
            self.late_days,
        )

    @property
    def first_day(self) -> int:
        """The first day of the window, counted from allocation."""
        return 7 * self.week - self.window_days

    @property
    def last_day(self) -> int:
        """The last day of the window, counted from allocation."""
        return 7 * self.week + self.window_days

    @property
    def last_late_day(self) -> int:
        """The last day on which answers are still taken, counted from allocation."""
        return self.last_day + self.late_days

    def to_json(self) -> dict[str, object]:
        """Return the visit as plain values, without what is off."""
        plain = asdict(self)
        for name in ("may_decline", "late_days"):
            if not plain[name]:
                del plain[name]
        return plain


@dataclass(frozen=True, slots=True)
class Factor:
    """A stratification factor and its levels.

    Parameters
    ----------
    name : str
    levels : tuple of str
        Two or more.
    source : Source
        ``stated``: the clinician chooses the level at invitation; ``site``: the levels are the
        codes of the sites; ``band``: the level follows from a fact by its cuts.
    fact : str
        Of a band: ``age_years``, or a baseline score such as ``cpss_total``.
    cuts : tuple of float
        Of a band: ascending, one fewer than levels; a value on a cut belongs to the level above.
    """

    name: str
    levels: tuple[str, ...]
    source: str = Source.STATED
    fact: str = ""
    cuts: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        require(
            len(self.levels) >= 2 and len(set(self.levels)) == len(self.levels),
            "two or more distinct levels",
            f"{self.name}: {self.levels}",
        )
        require(
            not any(mark in text for text in (self.name, *self.levels) for mark in ",=\n"),
            "a name and levels without comma and equals sign",
            f"{self.name}: {self.levels}",
        )
        require(self.source in set(Source), f"a source of {', '.join(Source)}", f"{self.source}")
        is_band = self.source == Source.BAND
        require(
            bool(self.fact) == is_band and bool(self.cuts) == is_band,
            "a fact and cuts on bands and on no other factors",
            f"{self.name}: fact {self.fact!r}, cuts {list(self.cuts)}",
        )
        require(
            not is_band
            or (
                len(self.cuts) == len(self.levels) - 1 and list(self.cuts) == sorted(set(self.cuts))
            ),
            "ascending cuts, one fewer than levels",
            f"{self.name}: {list(self.cuts)} between {self.levels}",
        )

    def level_of(self, value: float) -> str:
        """Return the level of a band that `value` falls into."""
        return self.levels[sum(value >= cut for cut in self.cuts)]

    def derive(self, site: str, facts: Mapping[str, float | None]) -> str | None:
        """Return the level that follows from what is known; ``None`` where it does not yet."""
        if self.source == Source.SITE:
            return site
        value = facts.get(self.fact) if self.source == Source.BAND else None
        return None if value is None else self.level_of(value)


@dataclass(frozen=True, slots=True)
class MusicProfile:
    """What a night's music may be, whatever a listener would like.

    Parameters
    ----------
    tempo_max_bpm : float
        Ceiling of the tempo at the start, quarter notes a minute.
    styles : tuple of str
        Styles that may be chosen.
    nights_ahead : int
        How many nights are prepared ahead, tonight included, 1-7.
    downloads : tuple of str
        In which forms a participant may keep their music; none where it is empty.
    """

    tempo_max_bpm: float = TEMPO_MAX_BPM
    styles: tuple[str, ...] = tuple(Style)
    nights_ahead: int = 3
    downloads: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require(
            TEMPO_MIN_BPM <= self.tempo_max_bpm <= TEMPO_MAX_BPM,
            f"a tempo ceiling of {TEMPO_MIN_BPM:g} to {TEMPO_MAX_BPM:g} bpm",
            self.tempo_max_bpm,
        )
        require(
            bool(self.styles) and set(self.styles) <= set(Style),
            f"one or more styles of {', '.join(Style)}",
            list(self.styles),
        )
        require(
            type(self.nights_ahead) is int and 1 <= self.nights_ahead <= NIGHTS_AHEAD_MAX,
            f"1 to {NIGHTS_AHEAD_MAX} nights ahead",
            self.nights_ahead,
        )
        require(
            set(self.downloads) <= set(Download)
            and len(set(self.downloads)) == len(self.downloads),
            f"downloads of {', '.join(Download)}, each once",
            list(self.downloads),
        )

    def to_json(self) -> dict[str, object]:
        """Return the profile as plain values, without what came later and is as it always was."""
        plain = asdict(self)
        for name in ("nights_ahead", "downloads"):
            if getattr(self, name) == getattr(MusicProfile(), name):
                del plain[name]
        return plain


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a consent text: one idea."""

    title: str
    body: str

    def __post_init__(self) -> None:
        require(
            bool(self.title.strip()) and bool(self.body.strip()),
            "a title and a body on every consent page",
            self.title,
        )


@dataclass(frozen=True, slots=True)
class Question:
    """A question on the consent text: who agrees has to have understood this.

    Parameters
    ----------
    question : str
    options : tuple of str
        Two or more.
    answer : int
        Which option is right, counted from 1.
    page : int
        The page of the text that says so, counted from 1.
    """

    question: str
    options: tuple[str, ...]
    answer: int
    page: int

    def __post_init__(self) -> None:
        require(bool(self.question.strip()), "a question", self.question)
        require(
            len(self.options) >= 2 and all(option.strip() for option in self.options),
            "two or more options to a question",
            list(self.options),
        )
        require(
            1 <= self.answer <= len(self.options),
            f"the right option as a number of 1 to {len(self.options)}",
            self.answer,
        )


@dataclass(frozen=True, slots=True)
class ConsentWording:
    """The consent text in one language, and the questions on it, if there are any."""

    language: str
    pages: tuple[Page, ...]
    questions: tuple[Question, ...] = ()

    def __post_init__(self) -> None:
        require(bool(self.pages), "one or more consent pages", f"none in {self.language}")
        for question in self.questions:
            require(
                1 <= question.page <= len(self.pages),
                f"a page of 1 to {len(self.pages)} that answers: {question.question}",
                question.page,
            )

    def to_json(self) -> dict[str, object]:
        """Return the wording as plain values; without questions they are left out."""
        plain = asdict(self)
        if not self.questions:
            del plain["questions"]
        return plain


SWITCHES = ("verify_contact", "mail_copies")


@dataclass(frozen=True, slots=True)
class ConsentPlan:
    """Whose agreement it takes.

    Parameters
    ----------
    permission_below_years : int
        Younger participants need a parent's or guardian's permission beside their own assent, and
        are asked again for a consent of their own when they reach this age; 0 for nobody. The law
        of the site decides.
    verify_contact : bool
        Whether only who was reached by their contact is allocated.
    mail_copies : bool
        Whether participant and guardian are mailed the signed copies.
    """

    permission_below_years: int = 18
    verify_contact: bool = False
    mail_copies: bool = False

    def __post_init__(self) -> None:
        require(
            isinstance(self.permission_below_years, int) and 0 <= self.permission_below_years <= 25,
            "an age of 0 to 25 years below which a guardian's permission is needed",
            self.permission_below_years,
        )
        for name in SWITCHES:
            value = getattr(self, name)
            require(isinstance(value, bool), f"true or false for {name}", value)

    def to_json(self) -> dict[str, object]:
        """Return the plan as plain values; what is off is left out."""
        plain = asdict(self)
        for name in SWITCHES:
            if not plain[name]:
                del plain[name]
        return plain


def require(condition: bool, expected: str, got: object) -> None:
    """Return nothing where a condition holds.

    Raises
    ------
    ProtocolError
        It does not hold.
    """
    if not condition:
        raise ProtocolError(f"expected {expected}, got {got!r}. Correct the protocol.")
