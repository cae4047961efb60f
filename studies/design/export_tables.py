"""The tables of an export: their columns, and how a cell is written safely.

This is the data dictionary's source: `docs/data-dictionary.md` and `data_dictionary.csv` are both
made from it, and a test holds the document to it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MISSING = ""
MASKED = "masked"
WITHHELD = "withheld"
# What makes a spreadsheet take a text for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Column:
    """One column: name, type, unit, what it means."""

    name: str
    kind: str
    unit: str
    meaning: str


PARTICIPANT = Column("participant", "text", "", "Code of the participant")
ARM = Column("arm", "text", "", f"Arm; `{MASKED}` until the study is unblinded")
MASKED_PARTICIPANT = Column(
    "participant", "text", "", f"Code; `{MASKED}` until the study is unblinded"
)
WEEK = Column("week", "whole number", "week", "Planned week of the visit; 0 is baseline")
INSTRUMENT = Column("instrument", "text", "", "Key of the instrument")

_MEASURED: Mapping[str, tuple[Column, ...]] = {
    "items.csv": (
        PARTICIPANT,
        ARM,
        WEEK,
        INSTRUMENT,
        Column("version", "text", "", "Version of the instrument's definition"),
        Column("language", "text", "", "Language in which this item was read"),
        Column("revision", "whole number", "", "1, and one more for each correction"),
        Column("is_newest", "0 or 1", "", "1 in the revision that scores and results rest on"),
        Column("item", "text", "", "Key of the item"),
        Column("raw", "text", "", f"As typed; free text is `{WITHHELD}`"),
        Column("value", "see codebook", "see codebook", f"As read; free text is `{WITHHELD}`"),
        Column(
            "missing", "text", "",
            "Why there is no value: `declined` by choice, or `skipped` where that is allowed",
        ),
        Column("answered_at", "time", "UTC", "When the answer was last changed"),
        Column("elapsed_ms", "whole number", "ms", "From showing the item to its answer"),
    ),
    "scores.csv": (
        PARTICIPANT,
        ARM,
        WEEK,
        Column("target_on", "date", "", "Planned day of the visit in the participant's zone"),
        Column("submitted_at", "time", "UTC", "When the instrument was handed in, or entered"),
        Column(
            "paper_on", "date", "", "The date on a form on paper; empty: answered on a screen"
        ),
        INSTRUMENT,
        Column("rule", "text", "", "Scoring rule"),
        Column("score", "text", "", "Name of the score"),
        Column("value", "number", "see codebook", "Empty where it cannot be derived"),
        Column("flags", "text", "", "Flags, separated by spaces; they never change a value"),
    ),
    "results.csv": (
        INSTRUMENT,
        Column("score", "text", "", "Name of the score"),
        WEEK,
        Column("arm", "text", "", "Arm; `all` until the study is unblinded"),
        Column(
            "quantity", "text", "",
            "mean, change, rate_individual, rate_of_means or responders (docs/statistics.md)",
        ),
        Column("value", "number", "see unit", "Empty where it cannot be estimated"),
        Column("ci_low", "number", "see unit", "Lower limit of the 95 % interval"),
        Column("ci_high", "number", "see unit", "Upper limit of the 95 % interval"),
        Column("sd", "number", "see unit", "Standard deviation between participants"),
        Column("median", "number", "see unit", "Median, for mean and rate_individual"),
        Column("n", "whole number", "participants", "Values or pairs it rests on"),
        Column("n_missing", "whole number", "participants", "Analysed, without a value this week"),
        Column("n_zero_baseline", "whole number", "participants", "Left out of individual rates"),
        Column("unit", "text", "", "points, % or proportion"),
        Column("sign", "text", "", "What a positive number means"),
        Column("method", "text", "", "How value and interval were got"),
        Column("warnings", "text", "", "What a reader must know"),
    ),
    "listening.csv": (
        MASKED_PARTICIPANT,
        ARM,
        Column("night_on", "date", "", "Date of the evening in the participant's zone"),
        Column("minutes_heard", "number", "min", "Union of all stretches that were played"),
        Column("rating", "text", "", "calming, liked or never_again; empty if nothing was said"),
        Column("from_pool", "0 or 1", "", "1: a mix of the arm's pool stood in for their own"),
    ),
    "cbt_adherence.csv": (
        MASKED_PARTICIPANT,
        ARM,
        Column("lessons_done", "whole number", "lessons", "Finished lessons, boosters too"),
        Column("diary_nights", "whole number", "nights", "Diary nights that were handed in"),
        Column("contact_minutes", "number", "min", "With the lessons' pages; a lower bound"),
        Column("sittings", "whole number", "", "Times of sitting with a lesson"),
        Column("messages_sent", "whole number", "", "Messages to the therapist"),
        Column("messages_received", "whole number", "", "Messages from the therapist"),
    ),
    "diary.csv": (
        MASKED_PARTICIPANT,
        ARM,
        Column("morning_on", "date", "", "Date of the morning in the participant's zone"),
        Column("days_late", "whole number", "days", "From the morning to handing it in"),
        Column("tib_min", "number", "min", "Time in bed: out of bed minus into bed"),
        Column("sol_min", "number", "min", "Sleep onset latency"),
        Column("waso_min", "number", "min", "Awake after sleep onset, without the final waking"),
        Column("twak_min", "number", "min", "Awake in bed after the final waking"),
        Column("tst_min", "number", "min", "Total sleep time"),
        Column("se_pct", "number", "%", "Sleep efficiency: 100 TST / TIB"),
        Column("se_dse_pct", "number", "%", "100 TST / (SOL + TST + WASO), Reed & Sacco 2016"),
        Column("counts", "whole number", "", "1 where the sleep window counts this night, else 0"),
        Column("flags", "text", "", "Flags, separated by spaces"),
    ),
    "sleep_windows.csv": (
        MASKED_PARTICIPANT,
        ARM,
        Column("week", "whole number", "week", "Since the first window was confirmed; 0 is it"),
        Column("rule", "text", "", "Rule and its version (docs/cbt.md)"),
        Column("decision", "text", "", "first, extend, hold, cut or too_few_nights"),
        Column("valid_nights", "whole number", "nights", "Nights that the rule counted"),
        Column("efficiency_pct", "number", "%", "100 x sum of TST / sum of TIB of these nights"),
        Column("mean_sleep_min", "number", "min", "Mean TST of these nights"),
        Column("proposed_min", "whole number", "min", "Window by the rule"),
        Column("window_min", "whole number", "min", "Window that holds; empty: not confirmed"),
        Column("floor_min", "whole number", "min", "Shortest window for this person"),
        Column("bed_at", "time of day", "", "When the window begins"),
        Column("rise_at", "time of day", "", "When it ends: the fixed time to get up"),
        Column("confirmed_by", "text", "", "`rule` or `therapist`"),
        Column("computed_at", "time", "UTC", "When the rule was applied"),
        Column("confirmed_at", "time", "UTC", "From when it holds"),
    ),
    "morning_diary.csv": (
        MASKED_PARTICIPANT,
        ARM,
        Column("morning_on", "date", "", "Date of the morning in the participant's zone"),
        Column("days_late", "whole number", "days", "From the morning to handing it in"),
        Column("latency_at_least_min", "number", "min", "Lower bound of the band: to fall asleep"),
        Column("awakenings_at_least", "number", "times", "Lower bound of the band: awakenings"),
        Column("sleep_at_least_h", "number", "h", "Lower bound of the band: sleep"),
        Column("quality_points", "number", "points", "1 to 5, higher is better"),
        Column("rested_points", "number", "points", "1 to 5, higher is better"),
    ),
    "adverse_events.csv": (
        PARTICIPANT,
        ARM,
        Column("began_on", "date", "", "When it began; what happened is withheld"),
        Column("ended_on", "date", "", "When it ended; empty: not yet, or not known"),
        Column("severity", "text", "", "mild, moderate or severe"),
        Column("relation", "text", "", "To the treatment: none, possible or related"),
        Column("is_expected", "0 or 1", "", "1: foreseen in the protocol"),
        Column("is_serious", "0 or 1", "", "1: a criterion of seriousness is met"),
        Column("criteria", "text", "", "Criteria of seriousness, separated by spaces"),
        Column("state", "text", "", "reported, triaged, open, resolved or closed"),
        Column("learned_at", "time", "UTC", "When staff learned of it"),
    ),
    # Its score has a name of its own and no week: it decided who was asked for consent, and is
    # never a baseline.
    "screening.csv": (
        Column("participant", "text", "", "Code; empty for who was not allocated in the end"),
        Column("screened_on", "date", "", "Date of the attempt in the study's zone"),
        Column("is_eligible", "0 or 1", "", "1: nothing stood in the way of asking for consent"),
        Column("reasons", "text", "", "Rules and questions that stood in the way, with spaces"),
        Column("repeats", "whole number", "", "Earlier attempts with the same contact"),
        Column("answered_by", "text", "", "participant or staff; empty: nothing was asked"),
        Column(
            "screening_cpss_total", "number", "points",
            "CPSS total at screening, never a baseline; empty: not asked, or not allocated",
        ),
        Column("flags", "text", "", "Flags of these answers, separated by spaces"),
    ),
    "deviations.csv": (
        Column(
            "participant", "text", "",
            f"Code; `{MASKED}` until unblinding where the kind tells the arm",
        ),
        ARM,
        Column("week", "whole number", "week", "Planned week of the visit it is about, if any"),
        Column("kind", "text", "", "What departed from the protocol; the words are withheld"),
        Column("happened_at", "time", "UTC", "When it happened"),
        Column("impact", "text", "", "none, minor or major; empty: not looked into"),
        Column("state", "text", "", "noted or assessed"),
    ),
}  # fmt: skip
# On every row, because rows are cut, joined and passed on without the file that explained them.
SYNTHETIC = Column("is_synthetic", "0 or 1", "", "1: no person stands behind this row")
TABLES: Mapping[str, tuple[Column, ...]] = {
    name: (*columns, SYNTHETIC) for name, columns in _MEASURED.items()
}


def safe(cell: object) -> object:
    """Return a cell as it may stand in a file that somebody opens in a spreadsheet.

    A text that would start a formula gets an apostrophe in front; numbers stay numbers.
    """
    if cell is None:
        return MISSING
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
        return f"'{cell}"
    return cell


def markdown(tables: Mapping[str, Iterable[Column]] = TABLES) -> str:
    """Return the tables' columns as Markdown, one section a file."""
    parts = []
    for name, columns in tables.items():
        rows = [f"| `{c.name}` | {c.kind} | {c.unit} | {c.meaning} |" for c in columns]
        head = ["| column | type | unit | meaning |", "| --- | --- | --- | --- |"]
        parts.append("\n".join([f"## {name}", "", *head, *rows]))
    return "\n\n".join(parts) + "\n"
