"""The analysis plan that a protocol suggests: a beginning that a researcher changes and locks.

Everything that the protocol knows already is in it: arms, visits, strata, the scheme of allocation.
The rest has the defaults of docs/statistics.md.
"""

from typing import Any

from questionnaires.instruments import CATALOGUE
from questionnaires.instruments.cpss import CPSS
from studies.design.parts import Method
from studies.design.protocol import Protocol

BASELINE_WEEK = 0
CBT_KIND = "cbt"
COLUMNS = {"id": "participant", "arm": "arm", "visit": "week"}
MINUTES = "listened_minutes"
PSQI, CPSS_KEY = "psqi", CPSS.key
# Who counts as a responder, with the sources of `services/results/analysis.py`.
RESPONDERS: dict[str, Any] = {PSQI: {"change_at_least": 3}, CPSS_KEY: {"score_at_most": 25}}
# What of the music is set against sleep, where nobody chose otherwise.
FEATURES = ("tempo_mean_bpm", "pitch_mean", "notes_per_minute", "loudness_range_lu", "key_clarity")
SCALES: dict[str, tuple[str, ...]] = {
    PSQI: tuple(
        f"component_{part}"
        for part in (
            "quality", "latency", "duration", "efficiency", "disturbance", "medication",
            "dysfunction",
        )
    ),
    CPSS_KEY: tuple(item.key for item in CPSS.items),
}  # fmt: skip
ESTIMAND = {
    "treatment": "each arm as allocated, with or without listening or lessons",
    "population": "everybody who was randomised and left their data",
    "intercurrent_events": "treatment policy: scores count whatever happened after randomisation",
    "summary": "difference of adjusted means",
}


def proposed_plan(protocol: Protocol) -> dict[str, Any]:
    """Return the plan as JSON data."""
    outcomes = outcomes_of_protocol(protocol)
    primary = outcomes[0]
    weeks = [visit.week for visit in protocol.visits if visit.week != BASELINE_WEEK]
    last = max(visit.week for visit in protocol.visits if primary in visit.instruments)
    lessons = [arm.code for arm in protocol.arms if arm.kind == CBT_KIND]
    plan: dict[str, Any] = {
        "columns": dict(COLUMNS),
        "reference_arm": (lessons or [protocol.arms[0].code])[0],
        "arms": list(protocol.arm_codes),
        "baseline_visit": BASELINE_WEEK,
        "visits": weeks,
        "outcomes": {name: _outcome(name) for name in outcomes},
        "strata": [factor.name for factor in protocol.factors],
        "primary": {"outcome": primary, "visit": last, "method": "mmrm", "df": "kenward_roger",
                    "adjust": "holm"},
        "hierarchy": outcomes,
        "sensitivity": {"strategies": ["J2R", "CR", "CIR"], "deltas": [0, 1, 2, 3]},
        "adherence": MINUTES,
        "exposure": [feature_column(name) for name in FEATURES],
        "reliability": {
            name: [item_column(name, item) for item in SCALES[name]]
            for name in outcomes
            if name in SCALES
        },
        "estimand": ESTIMAND | {"variable": f"{primary} at week {last}"},
    }  # fmt: skip
    if mediation := _mediation(outcomes, weeks, last):
        plan["mediation"] = mediation
    if protocol.method == Method.BLOCKS:
        ratios = dict(zip(protocol.arm_codes, protocol.ratios, strict=True))
        plan["randomisation"] = {"ratios": ratios, "sizes": list(protocol.block_sizes)}
    return plan


def outcomes_of_protocol(protocol: Protocol) -> list[str]:
    """Return the instruments that give a total at baseline and at a later visit, PSQI first."""
    first, *later = protocol.visits
    measured = [
        name
        for name in first.instruments
        if any(name in visit.instruments for visit in later)
        and any(field.name == "total" for field in CATALOGUE[name].scores)
    ]
    found = measured or list(first.instruments)
    return sorted(found, key=lambda name: (name != PSQI, found.index(name)))


def feature_column(name: str) -> str:
    """Return the column of a feature of what was heard before a visit."""
    return f"heard_{name}"


def item_column(instrument: str, item: str) -> str:
    """Return the column of an item or component, scored in the direction of the total."""
    return f"{instrument}_{item}"


def _outcome(name: str) -> dict[str, Any]:
    about: dict[str, Any] = {"direction": "lower"}
    return about | ({"responder": RESPONDERS[name]} if name in RESPONDERS else {})


def _mediation(outcomes: list[str], weeks: list[int], last: int) -> list[dict[str, Any]]:
    before = [week for week in weeks if week < last]
    others = outcomes[1:]
    return [{"outcome": name, "visit": before[-1]} for name in others] if before else []
