"""The description of each arm in the twelve rows of the TIDieR template, from the protocol.

What only the team knows (who trained whom, where people are seen) is left open, marked, and never
made up.

References
----------
Hoffmann TC et al. (2014), Better reporting of interventions: TIDieR checklist and guide, BMJ
348:g1687. The names of the rows are short forms of ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from studies.design.parts import ArmPlan
from studies.design.protocol import Protocol

OPEN = "(for the study team to say)"
ROWS = (
    "Brief name", "Why", "What: materials", "What: procedures", "Who provided", "How", "Where",
    "When and how much", "Tailoring", "Modifications", "How well: planned", "How well: actual",
)  # fmt: skip
COMPOSERS = {
    "lstm_acm": "a recurrent network (LSTM) with attention over notes, beats and bars",
    "markov": "a Markov chain over melodies",
    "genetic": "a genetic algorithm over melodies",
    "fusion": "the recurrent network (LSTM) with attention, the listener's styles fused in two "
    "phases",
}
CBT = "cbt"


@dataclass(frozen=True, slots=True)
class Delivered:
    """What an arm got; known when the study is unblinded.

    Parameters
    ----------
    n_allocated, n_started : int
        People; who listened to something or opened a lesson has started.
    nights : int
        Nights on which something was heard, all people together.
    minutes : float
        Minutes heard in those nights.
    lessons : int
        Lessons that were finished, all people together.
    """

    n_allocated: int
    n_started: int
    nights: int
    minutes: float
    lessons: int


@dataclass(frozen=True, slots=True)
class Setting:
    """What the sheet needs beside the protocol.

    Parameters
    ----------
    title : str
        Of the study.
    renderer : str
        With what the nights are rendered; empty before the opening.
    n_lessons : int
        How many lessons the course has; 0 before the opening.
    modifications : sequence of str
        A sentence for each amendment that came into force.
    """

    title: str
    renderer: str
    n_lessons: int
    modifications: Sequence[str] = ()


def tidier_sheet(
    arm: ArmPlan, plan: Protocol, setting: Setting, delivered: Delivered | None = None
) -> list[tuple[int, str, str]]:
    """Return number, name and text of the template's twelve rows for one arm.

    Parameters
    ----------
    arm : ArmPlan
        Which arm.
    plan : Protocol
        The protocol in force.
    setting : Setting
        What the protocol does not hold.
    delivered : Delivered, optional
        What the arm got; nothing while the study is blinded.
    """
    is_cbt = arm.kind == CBT
    texts = (
        f"{arm.code}, one of {len(plan.arms)} arms of {setting.title}",
        OPEN,
        *(_lessons(plan, setting) if is_cbt else _music(arm, plan, setting)),
        " ".join(setting.modifications) or "None since the study opened.",
        "Use is counted by the system and shown to staff while the trial runs; "
        f"what is done about it: {OPEN}",
        _actual(arm, delivered),
    )
    return [(n, row, text) for n, (row, text) in enumerate(zip(ROWS, texts, strict=True), start=1)]


def to_markdown(title: str, sheets: Sequence[tuple[str, Sequence[tuple[int, str, str]]]]) -> str:
    """Return the sheets of all arms as one Markdown text."""
    lines = [f"# Interventions of {title}", ""]
    for arm, rows in sheets:
        lines += [f"## {arm}", "", "| | row | description |", "| --: | --- | --- |"]
        lines += [f"| {n} | {row} | {text.replace('|', '/')} |" for n, row, text in rows]
        lines.append("")
    return "\n".join(lines)


def _music(arm: ArmPlan, plan: Protocol, setting: Setting) -> tuple[str, ...]:
    music = plan.music
    by = COMPOSERS.get(arm.composer, arm.composer)
    rendered = f" Rendered with {setting.renderer}." if setting.renderer else ""
    return (
        f"A new mix of {plan.night_minutes} minutes each night, composed by {by}.{rendered}",
        "The mix is played from the participant's own page at bedtime; files are prepared "
        f"{music.nights_ahead} nights ahead. A failed mix is replaced by another one of the arm.",
        "No person: a web application.",
        "Individually, over the participant's own device.",
        "Wherever the participant sleeps.",
        f"Every night from allocation to week {plan.treated_until_week}, at most "
        f"{plan.night_minutes} minutes a night.",
        "By the participant's stated taste (styles, instrument, tempo up to "
        f"{music.tempo_max_bpm:g} beats a minute, mode) and ratings, by the same rule in every "
        "music arm.",
    )


def _lessons(plan: Protocol, setting: Setting) -> tuple[str, ...]:
    cbt = plan.cbt
    rule = cbt.window
    return (
        f"{setting.n_lessons or 'Some'} written lessons of cognitive behavioural therapy for "
        "insomnia with exercises, a sleep diary of each morning, a sleep window.",
        "The participant reads a lesson, answers its exercises, writes the diary; the system "
        "proposes a sleep window from the diary and a therapist approves it.",
        f"A web application, and a therapist. Training and profession: {OPEN}",
        "Individually, over the participant's own device; messages with the therapist.",
        "Wherever the participant is.",
        f"The next lesson opens after {cbt.module_days} days and {cbt.module_nights} nights of "
        "diary; the window is looked at weekly.",
        f"The sleep window follows each person's diary: longer by {rule.step_min} minutes from a "
        f"sleep efficiency of {rule.extend_at:g} per cent on, shorter below "
        f"{rule.cut_below:g}, never below {rule.floor_min} minutes.",
    )


def _actual(arm: ArmPlan, delivered: Delivered | None) -> str:
    if delivered is None:
        return "Told when the study is unblinded."
    started = f"{delivered.n_started} of {delivered.n_allocated} allocated people began."
    if arm.kind == CBT:
        return f"{started} {delivered.lessons} lessons were finished."
    mean = delivered.minutes / delivered.nights if delivered.nights else 0.0
    return f"{started} Music was heard on {delivered.nights} nights, {mean:.1f} minutes a night."
