"""What the report of an analysis says, in which order.

What a reader looks for first comes first: what the data and the plan are, who took part, the
analysis that decides; then everything else; then how it was done, and what to know about it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np

from studies.stats.analysis.records import Record
from studies.stats.analysis.running import Results
from studies.stats.change import Direction
from studies.stats.report import figures
from studies.stats.report.blocks import (
    Block,
    Facts,
    Figure,
    Heading,
    Paragraph,
    Report,
    Table,
)
from studies.stats.report.counts import ArmFlow, Flow
from studies.stats.report.departures import departures_table
from studies.stats.report.figures import People, Point, Row, Series
from studies.stats.report.flow import draw_flow, flow_table
from studies.stats.report.harm_tables import harms_compared_table, harms_table
from studies.stats.report.lookup import Numbers
from studies.stats.report.methods import methods_text
from studies.stats.report.tables import (
    adjusted_table,
    baseline_table,
    column_name,
    contrasts_table,
    contrasts_with_reference,
    exposure_table,
    judged_table,
    long_term_table,
    means_table,
    method_name,
    patterns_table,
    primary_table,
    rates_table,
    reliability_table,
    responders_table,
    scores_table,
    sensitivity_table,
    week,
)
from studies.stats.report.wording import Words
from studies.stats.responders import wilson

FOREST = ("ancova", "ancova_hc3", "J2R", "CR", "CIR", "multiple_imputation", "hodges_lehmann")
SHORT_HASH = 16


@dataclass(frozen=True, slots=True)
class About:
    """What a report says of its study besides numbers; without a study, the table's own name."""

    study: str
    title: str = ""
    cut_at: datetime | None = None
    plan_number: int | None = None
    plan_locked_at: datetime | None = None
    is_before_unblinding: bool = False
    is_synthetic: bool = False
    is_blinded: bool = False
    deviations: tuple[dict[str, Any], ...] = ()
    flow: Flow | None = None
    # None where nobody collected any: silence about harms is not their absence.
    harms: tuple[Record, ...] | None = None


def compose(results: Results, about: About, words: Words) -> Report:
    """Return the report of an analysis in one language."""
    sections: list[Callable[[_Sources], Iterator[Block]]] = [
        _opening, _flow, _baseline, _retention, _primary, _means, _rates, _responders, _people,
        _contrasts, _harms, _sensitivity, _dose, _mediation, _exposure, _reliability, _interim,
        _methods, _notes,
    ]  # fmt: skip
    sources = _Sources(results, about, words, Numbers(results))
    blocks = _numbered([block for section in sections for block in section(sources)], words)
    stamp = f"{about.study} · {_moment(about.cut_at)}" if about.cut_at else about.study
    return Report(words("title", study=about.study), stamp, tuple(blocks))


@dataclass(frozen=True, slots=True)
class _Sources:
    results: Results
    about: About
    words: Words
    numbers: Numbers

    @property
    def outcomes(self) -> list[str]:
        return [outcome.name for outcome in self.results.plan.outcomes]

    @property
    def visits(self) -> tuple[str, ...]:
        plan = self.results.plan
        return (plan.baseline_visit, *plan.visits)

    @property
    def has_arms(self) -> bool:
        return len(self.results.table.levels) > 1

    def told(self, key: str, **values: object) -> str:
        """Return a text; of one pool the one that speaks of everybody, where there is such."""
        pooled = f"pooled.{key.replace('.', '_')}"
        is_pooled = not self.has_arms and self.words.has(pooled)
        return self.words(pooled if is_pooled else key, **values)

    def series(self, outcome: str, method: str, visits: tuple[str, ...]) -> list[Series]:
        return [
            Series(
                self.words.arm(arm),
                tuple(self.numbers.point(outcome, method, visit, arm) for visit in visits),
            )
            for arm in self.results.table.levels
        ]

    def weeks(self, visits: tuple[str, ...]) -> list[str]:
        return [week(visit, self.words) for visit in visits]

    def changes(self, outcome: str) -> list[tuple[str, np.ndarray]]:
        """Return each arm's improvement at the primary visit, person by person."""
        plan, table = self.results.plan, self.results.table
        scores = table.outcomes[outcome]
        after = scores[:, 1 + plan.visits.index(plan.primary.visit)]
        turn = 1 if plan.outcome(outcome).direction is Direction.LOWER else -1
        change = turn * (scores[:, 0] - after)
        return [
            (self.words.arm(arm), change[table.arms == place])
            for place, arm in enumerate(table.levels)
        ]


def _opening(of: _Sources) -> Iterator[Block]:
    about, words, results = of.about, of.words, of.results
    if about.is_blinded:
        yield Paragraph(words("notices.blinded"), "notice")
    if about.is_synthetic:
        yield Paragraph(words("notices.synthetic"), "notice")
    if about.plan_number is not None and about.plan_locked_at is None:
        yield Paragraph(words("notices.draft"), "notice")
    if about.plan_locked_at is not None and not about.is_before_unblinding:
        yield Paragraph(words("notices.after"), "notice")
    if about.deviations:
        yield Paragraph(words("notices.deviations"), "notice")
    rows = [(words("facts.title"), about.title)] if about.title else []
    if about.cut_at:
        rows.append((words("facts.data"), f"{_moment(about.cut_at)} UTC"))
    rows += [
        (words("facts.plan"), _plan_words(about, words)),
        (words("facts.randomised"), str(len(results.table.ids))),
        (words("facts.plan_hash"), results.plan.digest[:SHORT_HASH]),
        (words("facts.data_hash"), results.table.digest[:SHORT_HASH]),
    ]
    yield Facts(tuple(rows))
    if about.deviations:
        yield Heading(words("headings.deviations"))
        yield departures_table(about.deviations, words)


def _plan_words(about: About, words: Words) -> str:
    if about.plan_number is None:
        return words("facts.by_command")
    if about.plan_locked_at is None:
        state = words("facts.draft")
    else:
        key = "locked_before" if about.is_before_unblinding else "locked_after"
        state = words(f"facts.{key}", when=f"{_moment(about.plan_locked_at)} UTC")
    return words("facts.plan_version", number=about.plan_number, state=state)


def _flow(of: _Sources) -> Iterator[Block]:
    words = of.words
    flow = _with_analysed(of.about.flow or flow_of_table(of.results), of.results)
    yield Heading(words("headings.flow"))
    yield Figure(
        "flow", words("flow.title"), of.told("flow.description"), partial(draw_flow, flow, words),
        flow_table(flow, words), is_wide=len(flow.arms) > 3,
    )  # fmt: skip


def flow_of_table(results: Results) -> Flow:
    """Return what the table itself tells of the flow: allocated, and scores at each visit."""
    plan, table = results.plan, results.table
    seen = np.any([~np.isnan(scores) for scores in table.outcomes.values()], axis=0)
    arms = []
    for place, arm in enumerate(table.levels):
        members = seen[table.arms == place]
        visits = tuple((v, int(members[:, k].sum())) for k, v in enumerate(plan.visits, start=1))
        arms.append(ArmFlow(arm, len(members), handed_in=visits))
    return Flow(arms=tuple(arms))


def _with_analysed(flow: Flow, results: Results) -> Flow:
    """Return the flow with who is in the primary model: baseline and one follow-up score."""
    scores = results.table.outcomes[results.plan.primary.outcome]
    used = ~np.isnan(scores[:, 0]) & ~np.isnan(scores[:, 1:]).all(axis=1)
    counts = {
        arm: int(used[results.table.arms == place].sum())
        for place, arm in enumerate(results.table.levels)
    }
    return replace(flow, arms=tuple(replace(a, analysed=counts.get(a.name)) for a in flow.arms))


def _baseline(of: _Sources) -> Iterator[Block]:
    yield Heading(of.words("headings.baseline"))
    yield baseline_table(of.results, of.words)


def _retention(of: _Sources) -> Iterator[Block]:
    words, results = of.words, of.results
    outcome = results.plan.primary.outcome
    yield Heading(words("headings.retention"))
    series = []
    for place, arm in enumerate(results.table.levels):
        seen = ~np.isnan(results.table.outcomes[outcome][results.table.arms == place])
        shares = [wilson(int(c), len(seen), level=results.plan.level) for c in seen.sum(axis=0)]
        points = tuple(
            Point(None) if s.value is None else Point(*(100 * v for v in (s.value, s.ci_low,
                  s.ci_high))) for s in shares
        )  # fmt: skip
        series.append(Series(words.arm(arm), points))
    draw = partial(figures.over_visits, series, of.weeks(of.visits),
                   of.told("figures.retention_axis"), share=True)  # fmt: skip
    yield Figure(
        "retention", words("figures.retention_title"),
        of.told("figures.retention_description", outcome=words.outcome(outcome), level=_level(of)),
        draw, scores_table(results, outcome, words),
    )  # fmt: skip
    yield patterns_table(results, outcome, words)


def _primary(of: _Sources) -> Iterator[Block]:
    if not of.has_arms:
        return
    words, plan = of.words, of.results.plan
    yield Heading(words("headings.primary"))
    if plan.estimand:
        yield Facts(tuple((words(f"estimand.{key}"), text) for key, text in plan.estimand.items()))
    table = primary_table(of.results, of.numbers, words)
    yield table
    yield adjusted_table(of.results, of.numbers, words)
    name = words.outcome(plan.primary.outcome)
    sign = table.caption.rpartition(": ")[2]
    yield Figure(
        "forest",
        words("figures.forest_title", outcome=name, visit=plan.primary.visit,
              reference=words.arm(plan.reference_arm)),
        words("figures.forest_description", level=_level(of), sign=_primary_sign(of)) if sign
        else "",
        partial(figures.forest, _forest_rows(of), words("points")),
    )  # fmt: skip


def _primary_sign(of: _Sources) -> str:
    lower = of.results.plan.outcome(of.results.plan.primary.outcome).direction is Direction.LOWER
    key = f"{'negative' if lower else 'positive'} favours the first arm"
    return of.words.table["signs"][key]


def _forest_rows(of: _Sources) -> list[tuple[str, list[Row]]]:
    plan = of.results.plan
    primary = plan.primary
    groups = []
    for place, label in enumerate(contrasts_with_reference(of.results), start=1):
        rows = []
        for method in (primary.method, *(m for m in FOREST if m != primary.method)):
            point = of.numbers.point(primary.outcome, method, primary.visit, label)
            if point.value is not None:
                name = method_name(method, of.words)
                rows.append(Row(name, point, place, method == primary.method))
        groups.append((of.words.contrast(label), rows))
    return groups


def _means(of: _Sources) -> Iterator[Block]:
    words = of.words
    yield Heading(words("headings.means"))
    for outcome in of.outcomes:
        name = words.outcome(outcome)
        yield Figure(
            f"means-{outcome}", words("figures.means_title", outcome=name),
            of.told("figures.means_description", level=_level(of)),
            partial(figures.over_visits, of.series(outcome, "mean", of.visits),
                    of.weeks(of.visits), words("points")),
            means_table(of.results, of.numbers, outcome, words),
        )  # fmt: skip


def _rates(of: _Sources) -> Iterator[Block]:
    words, visits = of.words, of.results.plan.visits
    yield Heading(words("headings.rates"))
    for outcome in of.outcomes:
        name = words.outcome(outcome)
        yield Figure(
            f"rates-{outcome}", words("figures.rates_title", outcome=name),
            of.told("figures.rates_description", level=_level(of)),
            partial(figures.rates, of.series(outcome, "rate_of_means", visits), of.weeks(visits),
                    words("figures.rates_axis")),
            rates_table(of.results, of.numbers, outcome, words),
        )  # fmt: skip


def _responders(of: _Sources) -> Iterator[Block]:
    words, plan = of.words, of.results.plan
    named = [outcome.name for outcome in plan.outcomes if outcome.responder is not None]
    if not named:
        return
    yield Heading(words("headings.responders"))
    for outcome in named:
        name = words.outcome(outcome)
        yield Figure(
            f"cumulative-{outcome}",
            words("figures.cumulative_title", outcome=name, visit=plan.primary.visit),
            words("figures.cumulative_description"),
            partial(figures.cumulative, of.changes(outcome), words("figures.cumulative_x"),
                    words("figures.cumulative_y")),
            responders_table(of.results, of.numbers, outcome, words),
        )  # fmt: skip
        kept = long_term_table(of.results, of.numbers, outcome, words)
        if kept is not None:
            yield kept


def _people(of: _Sources) -> Iterator[Block]:
    words, plan, table = of.words, of.results.plan, of.results.table
    outcome = plan.primary.outcome
    name = words.outcome(outcome)
    scores = table.outcomes[outcome]
    people = [
        People(words.arm(arm), scores[table.arms == place])
        for place, arm in enumerate(table.levels)
    ]
    yield Heading(words("headings.people"))
    yield Figure(
        "spaghetti", words("figures.spaghetti_title", outcome=name),
        of.told("figures.spaghetti_description"),
        partial(figures.spaghetti, people, of.weeks(of.visits), words("points")),
    )  # fmt: skip
    yield Figure(
        "raincloud", words("figures.raincloud_title", outcome=name, visit=plan.primary.visit),
        words("figures.raincloud_description"),
        partial(figures.raincloud, of.changes(outcome), words("figures.raincloud_x")),
    )  # fmt: skip


def _contrasts(of: _Sources) -> Iterator[Block]:
    if of.has_arms:
        yield Heading(of.words("headings.contrasts"))
        for outcome in of.outcomes:
            yield contrasts_table(of.results, of.numbers, outcome, of.words)


def _harms(of: _Sources) -> Iterator[Block]:
    """Yield what CONSORT 2025 asks for in items 15 and 27."""
    words, harms = of.words, of.about.harms
    if harms is None:
        return
    yield Heading(words("headings.harms"))
    yield Paragraph(words("prose.harms"))
    yield harms_table(of.results, harms, words)
    if of.has_arms:
        yield Paragraph(words("prose.harms_compared", level=_level(of)))
        yield harms_compared_table(of.results, harms, words)


def _sensitivity(of: _Sources) -> Iterator[Block]:
    if not of.has_arms:
        return
    words, plan = of.words, of.results.plan
    primary = plan.primary
    table = sensitivity_table(of.results, of.numbers, words)
    if not table.rows:
        return
    yield Heading(words("headings.sensitivity"))
    if plan.tipping_deltas:
        series = [
            Series(words.contrast(label), tuple(
                of.numbers.point(primary.outcome, f"MAR_delta_{delta:g}", primary.visit, label)
                for delta in plan.tipping_deltas
            ))
            for label in contrasts_with_reference(of.results)
        ]  # fmt: skip
        name = words.outcome(primary.outcome)
        yield Figure(
            "tipping", words("figures.tipping_title", outcome=name),
            words("figures.tipping_description"),
            partial(figures.tipping, series, plan.tipping_deltas, words("figures.tipping_x"),
                    words("figures.tipping_y")),
        )  # fmt: skip
    yield table


def _dose(of: _Sources) -> Iterator[Block]:
    plan = of.results.plan
    records = [r for r in of.numbers.of(plan.primary.outcome)
               if r.place.method in ("dose_response", "cace")]  # fmt: skip
    if records:
        yield Heading(of.words("headings.dose"))
        name = of.words.outcome(plan.primary.outcome)
        caption = f"{name}, {column_name(plan.adherence_column)}"
        yield judged_table(caption, records, plan.level, of.words)


def _mediation(of: _Sources) -> Iterator[Block]:
    words, plan = of.words, of.results.plan
    if not plan.mediators or not of.has_arms:
        return
    yield Heading(words("headings.mediation"))
    for mediator in plan.mediators:
        start = f"mediation_{mediator.outcome}_{mediator.visit}_"
        records = [
            replace(r, place=replace(r.place, method=r.place.method.removeprefix(start)))
            for r in of.numbers.of(plan.primary.outcome, starts=start)
        ]
        caption = words(
            "tables.mediation", outcome=words.outcome(plan.primary.outcome),
            visit=plan.primary.visit, mediator=words.outcome(mediator.outcome), at=mediator.visit,
        )  # fmt: skip
        yield judged_table(caption, records, plan.level, words)


def _exposure(of: _Sources) -> Iterator[Block]:
    table = exposure_table(of.results, of.numbers, of.words)
    if table.rows:
        yield Heading(of.words("headings.exposure"))
        yield table


def _reliability(of: _Sources) -> Iterator[Block]:
    table = reliability_table(of.results, of.words)
    if table.rows:
        yield Heading(of.words("headings.reliability"))
        yield table


def _interim(of: _Sources) -> Iterator[Block]:
    plan = of.results.plan
    wanted = ("interim_", "conditional_power", "blinded_sd")
    records = [r for r in of.numbers.of(plan.primary.outcome) if r.place.method.startswith(wanted)]
    if records:
        yield Heading(of.words("headings.interim"))
        yield judged_table(of.words("tables.interim"), records, plan.level, of.words)


def _methods(of: _Sources) -> Iterator[Block]:
    yield Heading(of.words("headings.methods"))
    text = methods_text(of.results.plan, of.words, is_blinded=not of.has_arms)
    yield Paragraph(text)


def _notes(of: _Sources) -> Iterator[Block]:
    notes = list(dict.fromkeys(of.results.warnings))
    for reason, places in _not_estimable(of).items():
        notes.append(f"{'; '.join(places)}: {reason}")
    if notes:
        yield Heading(of.words("headings.notes"))
        for note in notes:
            yield Paragraph(note, "quiet")


def _not_estimable(of: _Sources) -> dict[str, list[str]]:
    """Return why there are numbers that could not be estimated, and which they are."""
    found: dict[str, list[str]] = {}
    for record in of.results.records:
        place = record.place
        # A number needed to treat is not shown where its interval includes nought: no news.
        if record.estimate.value is not None or place.method.startswith(("nnt", "tipping_point")):
            continue
        who = of.words.contrast(place.contrast) if place.contrast else of.words.arm(place.arm or "")
        parts = (of.words.outcome(place.outcome), column_name(method_name(place.method, of.words)),
                 week(place.visit, of.words), who)  # fmt: skip
        reason = record.estimate.warnings[0] if record.estimate.warnings else record.status
        found.setdefault(reason, []).append(", ".join(filter(None, parts)))
    return found


def _numbered(blocks: list[Block], words: Words) -> list[Block]:
    """Return the blocks with tables and figures counted; a figure's own table stays uncounted."""
    n_tables = n_figures = 0
    found: list[Block] = []
    for block in blocks:
        if isinstance(block, Table):
            n_tables += 1
            found.append(
                replace(block, caption=f"{words('table', number=n_tables)}. {block.caption}")
            )
        elif isinstance(block, Figure):
            n_figures += 1
            found.append(
                replace(block, title=f"{words('figure', number=n_figures)}. {block.title}")
            )
        else:
            found.append(block)
    return found


def _level(of: _Sources) -> str:
    return f"{100 * of.results.plan.level:g}"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
