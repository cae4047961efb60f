"""The difference between two versions of a protocol, and what an open study may still change.

Whom the study takes, what it plays, when its visits are and what its texts say may be amended,
for a reason, from a date on. How people are allocated never: the sequence was sealed and published.
Nor may a planned visit or one of its instruments disappear: its data were promised.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from studies.design.protocol import Protocol

NEVER = ("arms", "method", "factors", "block_sizes", "slots_per_stratum", "distance",
         "chance_percent")  # fmt: skip
# By which of its parts an entry of a list is recognised in the other version.
NAMES = {
    "arms": "code",
    "visits": "week",
    "factors": "name",
    "eligibility": "fact",
    "texts": "language",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: the part, which of its entries, which setting, before and after.

    `before` or `after` is ``None`` where the entry or the setting is not in that version.
    """

    part: str
    entry: str
    setting: str
    before: object
    after: object

    @property
    def text(self) -> str:
        """The change as one line, for the records."""
        place = " ".join(word for word in (self.part, self.entry, self.setting) if word)
        if self.before is None:
            return f"{place}: added {self.after}"
        if self.after is None:
            return f"{place}: removed {self.before}"
        return f"{place}: {self.before} became {self.after}"


def differences(old: Protocol, new: Protocol) -> tuple[Change, ...]:
    """Return every difference from one version to another, in the order of the protocol."""
    before, after = _whole(old), _whole(new)
    return tuple(
        change
        for part in dict.fromkeys((*before, *after))
        for change in _changes(part, before.get(part), after.get(part))
    )


def refusals(old: Protocol, new: Protocol) -> list[str]:
    """Return why an open study cannot change from one version to another; empty where it can."""
    found = [
        f"expected {change.part} as at the opening, got {change.text}. Allocation is never amended."
        for change in differences(old, new)
        if change.part in NEVER
    ]
    planned = {visit.week: visit for visit in new.visits}
    for visit in old.visits:
        kept = planned[visit.week].instruments if visit.week in planned else ()
        found += [
            f"expected {instrument} at week {visit.week}, got none. Planned visits are kept."
            for instrument in visit.instruments
            if instrument not in kept
        ]
    return found


def _whole(protocol: Protocol) -> dict[str, Any]:
    """Return the protocol's JSON with what it leaves unsaid."""
    plain = protocol.to_json()
    music = {
        "tempo_max_bpm": protocol.music.tempo_max_bpm,
        "styles": [str(style) for style in protocol.music.styles],
        "nights_ahead": protocol.music.nights_ahead,
        "downloads": [str(form) for form in protocol.music.downloads],
    }
    unsaid = {
        "method": str(protocol.method),
        "distance": protocol.distance,
        "chance_percent": protocol.chance_percent,
        "participants_planned": protocol.participants_planned,
        "two_people_open": protocol.two_people_open,
        "treatment_weeks": protocol.treatment_weeks,
        "texts": [],
        "reminders": json.loads(json.dumps(asdict(protocol.reminders))),
        "safety": json.loads(json.dumps(asdict(protocol.safety))),
        "consent": asdict(protocol.consent),
        "screening": protocol.screening.to_json(),
    }
    return {**plain, **{name: plain.get(name, value) for name, value in unsaid.items()}} | {
        "music": music
    }


def _changes(part: str, before: Any, after: Any) -> Iterator[Change]:
    if part in NAMES:
        yield from _entries(part, _by_name(part, before), _by_name(part, after))
    elif isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _settings(part, "", before, after)
    elif before != after:
        yield Change(part, "", "", before, after)


def _entries(part: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    if list(before) != list(after) and sorted(before) == sorted(after):
        yield Change(part, "", "order", list(before), list(after))
    for entry in dict.fromkeys((*before, *after)):
        one, other = before.get(entry), after.get(entry)
        if one is None or other is None:
            yield Change(part, entry, "", one, other)
        else:
            yield from _settings(part, entry, one, other)


def _settings(
    part: str, entry: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[Change]:
    for setting in dict.fromkeys((*before, *after)):
        if before.get(setting) != after.get(setting):
            yield Change(part, entry, setting, before.get(setting), after.get(setting))


def _by_name(part: str, entries: list[Mapping[str, Any]] | None) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for entry in entries or []:
        name = str(entry[NAMES[part]])
        # Two rules on one fact are told apart by their number.
        found[name if name not in found else f"{name} {len(found) + 1}"] = entry
    return found
