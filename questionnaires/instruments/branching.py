"""Branching logic of a data dictionary, compiled into comparisons; never evaluated as code.

The subset: ``[item] = '1'`` with ``=``, ``<>``, ``!=``, ``<``, ``<=``, ``>``, ``>=``, a number or
a quoted text, joined by ``and``, ``or`` and parentheses. A missing answer is the empty text, as in
the source of the notation: ``[item] = ''`` asks whether there is none. Numbers compare as numbers,
times and texts as texts. Everything else (functions, events, checkboxes) is refused.
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from questionnaires.instruments.errors import BranchingRefused

Value = str | int | float | None

TOKEN = re.compile(
    r"""\s*(?:
    \[(?P<item>[a-z][a-z0-9_]*)\](?!\s*[\[(]) |
    (?P<operator><>|!=|<=|>=|=|<|>) |
    '(?P<single>[^']*)' | "(?P<double>[^"]*)" |
    (?P<number>-?\d+(?:\.\d+)?) |
    (?P<word>and|or)\b |
    (?P<bracket>[()])
    )""",
    re.VERBOSE | re.IGNORECASE,
)
DEEPEST = 20
COMPARISONS: dict[str, Callable[[object, object], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One answer against one constant."""

    item_key: str
    operator: str
    constant: str

    def __str__(self) -> str:
        quote = '"' if "'" in self.constant else "'"
        return f"[{self.item_key}] {self.operator} {quote}{self.constant}{quote}"

    @property
    def keys(self) -> frozenset[str]:
        """The item that is looked at."""
        return frozenset({self.item_key})

    @property
    def comparisons(self) -> tuple["Comparison", ...]:
        """Itself, as the one comparison that it makes."""
        return (self,)

    def holds(self, answers: Mapping[str, Value]) -> bool:
        """Return whether it is true of these answers."""
        value = answers.get(self.item_key)
        text = "" if value is None else str(value)
        compare = COMPARISONS[self.operator]
        try:
            return compare(float(text), float(self.constant))
        except ValueError:
            if self.operator in ("=", "<>", "!=") or (text and self.constant):
                return compare(text, self.constant)
            # Nothing is neither before nor after anything.
            return False


@dataclass(frozen=True, slots=True)
class Group:
    """Several conditions of which all or any must hold."""

    word: str
    parts: tuple["Condition", ...]

    def __str__(self) -> str:
        parts = (f"({part})" if isinstance(part, Group) else str(part) for part in self.parts)
        return f" {self.word} ".join(parts)

    @property
    def keys(self) -> frozenset[str]:
        """The items that are looked at."""
        return frozenset().union(*(part.keys for part in self.parts))

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Every comparison that its parts make, in their order."""
        return tuple(one for part in self.parts for one in part.comparisons)

    def holds(self, answers: Mapping[str, Value]) -> bool:
        """Return whether it is true of these answers."""
        decide = all if self.word == "and" else any
        return decide(part.holds(answers) for part in self.parts)


Condition = Comparison | Group


def compiled(logic: str) -> Condition:
    """Return the condition that a branching logic states.

    Examples
    --------
    >>> condition = compiled("[a] = '1' and ([b] > 2 or [c] <> '')")
    >>> condition.holds({"a": 1, "b": 2, "c": "text"}), condition.holds({"a": 1, "b": 2})
    (True, False)

    Raises
    ------
    BranchingRefused
        If the logic is outside the subset.
    """
    tokens = list(_tokens(logic))
    condition, rest = _either(tokens, logic, 0)
    if rest:
        raise BranchingRefused(logic, f"{rest[0][1]!r} after a whole condition")
    return condition


def _tokens(logic: str) -> Iterator[tuple[str, str]]:
    place = 0
    text = logic.strip()
    while place < len(text):
        match = TOKEN.match(text, place)
        if not match:
            raise BranchingRefused(logic, repr(text[place : place + 20]))
        kind = match.lastgroup
        yield ("constant" if kind in ("single", "double", "number") else kind), match[kind]
        place = match.end()


Tokens = list[tuple[str, str]]


def _either(tokens: Tokens, logic: str, depth: int) -> tuple[Condition, Tokens]:
    return _joined("or", _both, tokens, logic, depth)


def _both(tokens: Tokens, logic: str, depth: int) -> tuple[Condition, Tokens]:
    return _joined("and", _one, tokens, logic, depth)


def _joined(
    word: str, part: Callable[..., tuple[Condition, Tokens]], tokens: Tokens, logic: str, depth: int
) -> tuple[Condition, Tokens]:
    first, tokens = part(tokens, logic, depth)
    parts = [first]
    while tokens and tokens[0][0] == "word" and tokens[0][1].lower() == word:
        following, tokens = part(tokens[1:], logic, depth)
        parts.append(following)
    return (first if len(parts) == 1 else Group(word, tuple(parts))), tokens


def _one(tokens: Tokens, logic: str, depth: int) -> tuple[Condition, Tokens]:
    if depth > DEEPEST:
        raise BranchingRefused(logic, f"more than {DEEPEST} brackets in one another")
    if tokens[:1] == [("bracket", "(")]:
        condition, rest = _either(tokens[1:], logic, depth + 1)
        if rest[:1] != [("bracket", ")")]:
            raise BranchingRefused(logic, "a bracket that is not closed")
        return condition, rest[1:]
    kinds = [kind for kind, _ in tokens[:3]]
    if kinds != ["item", "operator", "constant"]:
        got = " ".join(text for _, text in tokens[:3]) or "nothing"
        raise BranchingRefused(logic, f"{got!r} where a comparison belongs")
    (_, key), (_, sign), (_, constant) = tokens[:3]
    return Comparison(key.lower(), sign, constant), tokens[3:]
