"""Interim looks: a closed report for a monitoring board, frozen, hashed, its arms scrambled.

The letters are drawn once a study and stay the same from look to look, so that a board can follow
them; which arm a letter is lies sealed with the key of the allocation, and no page shows a look.
"""

import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Mapping
from string import ascii_uppercase

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from studies import clock
from studies.exceptions import InterimRefused, ReasonMissing
from studies.models.interim import InterimLook
from studies.models.safety import AdverseEvent
from studies.models.study import Study, StudyState
from studies.selectors.outcomes import Outcomes, outcomes_of
from studies.services.allocation import (
    arms_of_everybody,
    seal_for_allocation,
    unseal_for_allocation,
)
from studies.services.trail.audit import Actor, record

TAKES_LOOKS = (StudyState.OPEN, StudyState.CLOSED, StudyState.LOCKED)
TOTAL = "total"

Cells = dict[str, object]


@transaction.atomic
def take_look(*, study: Study, reason: str, actor: Actor) -> InterimLook:
    """Freeze a closed report of the study as it stands now.

    Raises ReasonMissing, or InterimRefused for a study that has not begun or is unblinded.
    """
    if not reason.strip():
        raise ReasonMissing("an interim look")
    study = Study.objects.select_for_update().get(pk=study.pk)
    if study.state not in TAKES_LOOKS:
        raise InterimRefused(study.code, study.state)
    first = study.interim_looks.order_by("number").first()
    sealed = bytes(first.sealed_letters) if first else seal_for_allocation(_drawn(study))
    number, now = study.interim_looks.count() + 1, clock.now()
    content = {
        "study": study.code,
        "look": number,
        "taken_at": now.isoformat(),
        "protocol_sha256": study.protocol_sha256,
        "arms": _arms(study, json.loads(unseal_for_allocation(sealed))),
    }
    look = InterimLook.objects.create(
        study=study,
        number=number,
        content=content,
        sha256=content_sha256(content),
        sealed_letters=sealed,
        reason=reason.strip(),
        taken_at=now,
        taken_by=actor.name,
    )
    record(
        actor=actor,
        action="take_interim_look",
        subject=look,
        new={"number": number, "sha256": look.sha256},
        reason=look.reason,
    )
    return look


def content_sha256(content: Mapping[str, object]) -> str:
    """Return the SHA-256 of a report's canonical JSON."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _drawn(study: Study) -> bytes:
    """Return which arm each letter stands for, drawn at random."""
    arms = [arm.code for arm in study.plan.arms]
    secrets.SystemRandom().shuffle(arms)
    return json.dumps(dict(zip(ascii_uppercase, arms, strict=False))).encode()


def _arms(study: Study, letters: Mapping[str, str]) -> list[Cells]:
    outcomes, arm_of = outcomes_of(study), arms_of_everybody(study)
    arms = np.array([arm_of[code] for code in outcomes.codes], dtype=np.str_)
    events = _events(study, arm_of)
    return [
        {
            "arm": letter,
            "analysed": int((arms == arm).sum()),
            "adverse_events": events[arm, False] + events[arm, True],
            "serious_events": events[arm, True],
            "scores": _scores(outcomes, arms == arm),
        }
        for letter, arm in sorted(letters.items())
    ]


def _scores(outcomes: Outcomes, own: NDArray[np.bool_]) -> list[Cells]:
    """Return each total of each week with its change from baseline; no figure of fewer than two."""
    found = []
    for instrument, name, week in sorted(outcomes.values):
        if name != TOTAL:
            continue
        now = outcomes.scores(instrument, name, week)[own]
        change = now - outcomes.scores(instrument, name, 0)[own]
        row = {"instrument": instrument, "week": week, **_described("", now)}
        found.append(row | _described("change_", change) if week else row)
    return found


def _described(prefix: str, values: NDArray[np.float64]) -> Cells:
    known = values[~np.isnan(values)]
    enough = known.size > 1
    return {
        f"{prefix}n": int(known.size),
        f"{prefix}mean": round(float(known.mean()), 3) if enough else None,
        f"{prefix}sd": round(float(known.std(ddof=1)), 3) if enough else None,
    }


def _events(study: Study, arm_of: Mapping[str, str]) -> Counter[tuple[str, bool]]:
    events = AdverseEvent.objects.filter(participant__study=study, participant__code__in=arm_of)
    return Counter(
        (arm_of[event.participant.code], event.is_serious)
        for event in events.select_related("participant")
    )
