"""The CBT arm in an export: adherence, nights of the diary, history of the sleep window.

These rows exist for one arm only, so while the study is blinded they name nobody and stand in an
order that tells nobody, like the minutes of music that were heard.
"""

from collections.abc import Iterable, Iterator

from studies.design.export_tables import MASKED
from studies.models.sleep_window import SleepWindow
from studies.models.study import Study
from studies.selectors.diary import diary_rows
from studies.services.allocation import skills_participants
from studies.services.cbt.caseload import adherence_of
from studies.services.cbt.sleep_window import bed_at

Row = tuple[object, ...]
DERIVED = ("tib_min", "sol_min", "waso_min", "twak_min", "tst_min", "se_pct", "se_dse_pct")
BY_RULE, BY_THERAPIST = "rule", "therapist"


def adherence_rows(study: Study, arms: dict[str, str]) -> Iterator[Row]:
    """Yield how much of the treatment each person took."""
    rows = [
        (
            one.code, arms[one.code], one.n_lessons, one.n_nights, round(one.contact_minutes, 2),
            one.n_sittings, one.n_sent, one.n_received,
        )
        for one in adherence_of(study, arms)
    ]  # fmt: skip
    yield from shown(study, rows)


def night_rows(study: Study, arms: dict[str, str]) -> Iterator[Row]:
    """Yield every night that was handed in, with what follows from its answers."""
    people = skills_participants().filter(study=study)
    rows = [
        (
            row.code, arms[row.code], row.morning_on, row.days_late,
            *(row.values.get(name) for name in DERIVED),
            int(row.night is not None), " ".join(row.flags),
        )
        for row in diary_rows(people)
        if row.code in arms
    ]  # fmt: skip
    yield from shown(study, rows)


def window_rows(study: Study, arms: dict[str, str]) -> Iterator[Row]:
    """Yield every week's window with the rule's result; who confirmed it is a role, not a name."""
    windows = SleepWindow.objects.filter(participant__study=study).select_related("participant")
    rows = [
        (
            one.participant.code, arms[one.participant.code], one.week,
            f"{one.rule_id} {one.rule_version}", one.decision, one.inputs["n_valid"],
            one.inputs["efficiency_pct"], one.inputs["mean_sleep_min"], one.proposed_min,
            one.window_min, one.floor_min, bed_at(one) if one.is_confirmed else None, one.rise_at,
            _confirmed_by(one), one.computed_at.isoformat(),
            one.confirmed_at.isoformat() if one.is_confirmed else None,
        )
        for one in windows.order_by("participant__code", "week")
        if one.participant.code in arms
    ]  # fmt: skip
    yield from shown(study, rows)


def _confirmed_by(window: SleepWindow) -> str | None:
    if not window.is_confirmed:
        return None
    return BY_RULE if window.confirmed_by_id is None else BY_THERAPIST


def shown(study: Study, rows: Iterable[Row]) -> Iterator[Row]:
    """Yield rows as they are, or, of a blinded study, with nobody named and in no telling order."""
    if not study.is_blinded:
        yield from rows
        return
    # By what is in them, so that the order tells no participant either.
    masked = [(MASKED, *rest) for _code, *rest in rows]
    yield from sorted(masked, key=lambda row: [str(cell) for cell in row])
