"""Synthetic people who answer like people: for demonstrations and dry runs, never for a real study.

A person has a level of bad sleep and one of stress (on 0 to 3 or so, correlated) that stay with
them over the weeks and give way by a share, the relief, to which people respond differently. Every
item is that level with noise of its own, rounded to its scale, so that the items of a person belong
together and no two people answer alike. All randomness comes from one seeded generator.

The reliefs in `RELIEF` are invented and modest: they show what a report looks like and claim
nothing about any arm.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from questionnaires.instruments import instrument_named
from questionnaires.instruments.cpss import REVERSED
from questionnaires.instruments.instrument import Item, Kind

SLEEP_MEAN, SLEEP_SD = 1.75, 0.4
STRESS_MEAN, STRESS_SD = 2.45, 0.4
CORRELATION = 0.6
ITEM_NOISE = 0.5
VISIT_NOISE = 0.14
# Share of the level that is gone by week 8, by the arm's kind of treatment; half of it by week 4.
RELIEF = {"CBT": 0.26, "LSTM-ACM": 0.25, "MCMG": 0.19, "GAMC": 0.17}
UNTREATED_RELIEF = 0.05
# Sleep medicine is rare among the young, trouble of one's own to tell rarer.
RARE_ITEMS = {"meds": -1.6, "d_g": -0.7, "d_i": -0.5}


@dataclass(frozen=True, slots=True)
class Person:
    """A synthetic person: their levels, and the generator that their answers come from."""

    sleep: float
    stress: float
    sex: str
    age_years: int
    adherence: float
    response: float
    random: np.random.Generator

    def answers(self, instrument: str, relief: float) -> dict[str, str | None]:
        """Return typed answers by item key; `None` skips an item.

        Parameters
        ----------
        instrument : str
            ``psqi``, ``cpss``, ``sleep_diary`` or ``morning_diary``.
        relief : float
            Share of the level that is gone by now, 0 to 1.
        """
        level = self.stress if instrument == "cpss" else self.sleep
        today = level * (1 - self.response * relief) + self.random.normal(0, VISIT_NOISE)
        items = instrument_named(instrument).items
        return {item.key: self._answer(item, today) for item in items}

    def _answer(self, item: Item, level: float) -> str | None:
        if item.kind is Kind.TEXT or item.asked_if == "d_j_reason":
            return None
        if item.kind is Kind.CHOICE:
            return str(self._choice(item, level))
        return self._quantity(item.key, max(level, 0.0))

    def _choice(self, item: Item, level: float) -> int:
        lowest, highest = min(item.choices), max(item.choices)
        if lowest == 1 or item.scale in BAD_TO_GOOD:
            # The diaries' steps from bad to good, and the hours slept.
            level = highest - 1.2 * level
        drawn = level + RARE_ITEMS.get(item.key, 0.0) + self.random.normal(0, ITEM_NOISE)
        code = int(np.clip(np.rint(drawn), lowest, highest))
        return highest - code if item.key in REVERSED_KEYS else code

    def _quantity(self, key: str, level: float) -> str:
        minutes = QUANTITIES[key]
        drawn = minutes[0] + minutes[1] * level + self.random.normal(0, minutes[2])
        rounded = int(round(drawn / 5) * 5) if minutes[2] > 1 else round(drawn)
        if key in CLOCK_KEYS:
            return _clock(rounded)
        if key == "sleep_h":
            return _hours(max(rounded, 180))
        return str(max(rounded, 0))


BAD_TO_GOOD = frozenset({"sleep_band"})
REVERSED_KEYS = frozenset(f"item_{number}" for number in REVERSED)
CLOCK_KEYS = frozenset({"bed", "rise", "into_bed", "tried_to_sleep", "final_waking", "out_of_bed"})
# Mean at level 0, change a level, and spread: minutes, clock times in minutes after midnight.
QUANTITIES: Mapping[str, tuple[float, float, float]] = {
    "bed": (22 * 60 + 20, 22, 12),
    "rise": (6 * 60 + 55, 5, 10),
    "latency_min": (10, 16, 6),
    "sleep_h": (8 * 60 + 5, -52, 15),
    "into_bed": (22 * 60 + 20, 15, 10),
    "tried_to_sleep": (23 * 60 + 10, 10, 6),
    "awakenings": (0.4, 0.9, 0.6),
    "wake_min": (3, 10, 4),
    "final_waking": (6 * 60 + 40, 0, 10),
    "out_of_bed": (7 * 60 + 5, 4, 4),
}


def person(random: np.random.Generator, *, is_calm: bool = False) -> Person:
    """Return a fresh person; a calm one is below the stress that the study asks for."""
    first, second = random.normal(size=2)
    sleep = SLEEP_MEAN + SLEEP_SD * first
    stress = STRESS_MEAN + STRESS_SD * (CORRELATION * first + (1 - CORRELATION**2) ** 0.5 * second)
    return Person(
        sleep=float(np.clip(sleep, 0.8, 2.8)),
        stress=0.9 if is_calm else float(np.clip(stress, 1.95, 3.4)),
        sex=str(random.choice(["female", "male"])),
        age_years=int(random.integers(12, 19)),
        adherence=float(random.uniform(0.25, 0.65)),
        response=float(random.uniform(0.2, 1.8)),
        random=np.random.default_rng(random.integers(2**63)),
    )


def relief_at(arm: str | None, week: int) -> float:
    """Return the invented share of relief in an arm at a week, 0 at baseline."""
    full = UNTREATED_RELIEF if arm is None else RELIEF.get(arm, UNTREATED_RELIEF)
    return full * min(week, 8) / 8 if week else 0.0


def _clock(minutes: int) -> str:
    minutes %= 24 * 60
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _hours(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02d}"
