"""The tables of a report."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from studies.stats.analysis.baseline_table import table_rows
from studies.stats.analysis.comparisons import OTHERS, REFERENCE, comparisons_of
from studies.stats.analysis.records import Record
from studies.stats.analysis.running import Results
from studies.stats.estimate import Estimate
from studies.stats.report.blocks import Cells, Table
from studies.stats.report.lookup import (
    Numbers,
    digits_for,
    interval,
    number,
    p_value,
    with_interval,
)
from studies.stats.report.methods import rule_text
from studies.stats.report.wording import Words

MODELS = ("mmrm", "clda", "ancova", "ancova_hc3")
SIDE = ("mmrm_smd", "clda_smd", "ancova_smd", "hedges_g", "hodges_lehmann")
RATES = ("change", "rate_of_means", "rate_individual", "rate_model")
AT_BASELINE = " at baseline"


def week(visit: str, words: Words) -> str:
    """Return a visit as people read it; a name that is no number stays itself."""
    is_number = visit.replace(".", "", 1).isdigit()
    return words("week", visit=visit) if is_number else visit


def contrasts_with_reference(results: Results) -> list[str]:
    """Return the names of the contrasts with the reference arm."""
    return [c.label for c in comparisons_of(results.table.levels) if c.family == REFERENCE]


def baseline_table(results: Results, words: Words) -> Table:
    """Return Table 1."""
    levels = results.table.levels
    is_pool = len(levels) == 1
    found = table_rows(results.table, without=results.plan.adherence_column)
    rows = [cells for row in found for cells in _baseline_rows(row, words)]
    header = (words("tables.variable"), *_with_n(results, words))
    if is_pool:
        return Table(words("tables.baseline_pool"), header, tuple(row[:-1] for row in rows))
    return Table(words("tables.baseline"), (*header, words("tables.largest")), tuple(rows))


def _with_n(results: Results, words: Words) -> list[str]:
    counts = np.bincount(results.table.arms, minlength=len(results.table.levels))
    return [
        f"{words.arm(arm)} (n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{count})"
        for arm, count in zip(results.table.levels, counts, strict=True)
    ]


def _baseline_rows(row: Mapping[str, Any], words: Words) -> Iterator[Cells]:
    name = str(row["name"])
    if name.endswith(AT_BASELINE):
        outcome = words.outcome(name.removesuffix(AT_BASELINE))
        name = words("tables.at_baseline", name=outcome)
    largest = number(row["largest"], words)
    arms = row["arms"]
    if "n_missing" in row:
        kinds = list(dict.fromkeys(kind for counts in arms.values() for kind in counts))
        yield (name, *("" for _ in arms), largest)
        for kind in kinds:
            yield (f"  {kind}", *(_share(counts[kind], sum(counts.values())) for counts in
                                  arms.values()), "")  # fmt: skip
        if any(row["n_missing"].values()):
            missing = (str(count) for count in row["n_missing"].values())
            yield (f"  {words('missing')}", *missing, "")
        return
    yield (name, *(_mean_sd(about, words) for about in arms.values()), largest)


def _mean_sd(about: Mapping[str, Any], words: Words) -> str:
    return f"{number(about['mean'], words, 1)} ({number(about['sd'], words, 1)})"


def _share(count: int, n: int) -> str:
    return f"{count} ({100 * count / n:.0f} %)" if n else f"{count}"


def scores_table(results: Results, outcome: str, words: Words) -> Table:
    """Return how many of each arm have a score at each visit."""
    plan, table = results.plan, results.table
    seen = ~np.isnan(table.outcomes[outcome])
    visits = (plan.baseline_visit, *plan.visits)
    rows = []
    for place, arm in enumerate(table.levels):
        members = seen[table.arms == place]
        cells = (_share(int(members[:, v].sum()), len(members)) for v in range(len(visits)))
        rows.append((words.arm(arm), *cells))
    header = (words("arm"), *(week(visit, words) for visit in visits))
    caption = words("tables.retention", outcome=words.outcome(outcome))
    return Table(caption, header, tuple(rows))


def patterns_table(results: Results, outcome: str, words: Words) -> Table:
    """Return which visits people have, with the number of each arm."""
    levels = results.table.levels
    found: dict[str, dict[str, int]] = {}
    for pattern in results.patterns:
        if pattern["outcome"] == outcome:
            marks = " ".join(map(str, pattern["observed"]))
            found.setdefault(marks, {})[pattern["arm"]] = pattern["n"]
    visits = ", ".join((results.plan.baseline_visit, *results.plan.visits))
    header = (words("tables.pattern", visits=visits), *(words.arm(arm) for arm in levels))
    rows = tuple(
        (marks, *(str(counts.get(arm, 0)) for arm in levels))
        for marks, counts in sorted(found.items(), reverse=True)
    )
    return Table(words("tables.patterns", outcome=words.outcome(outcome)), header, rows)


def primary_table(results: Results, numbers: Numbers, words: Words) -> Table:
    """Return the contrasts that decide."""
    plan = results.plan
    primary = plan.primary
    rows = []
    sign = ""
    for label in contrasts_with_reference(results):
        found = numbers.estimate(primary.outcome, primary.method, primary.visit, label)
        smd = numbers.estimate(primary.outcome, f"{primary.method}_smd", primary.visit, label)
        estimate, *judged = _judged(found, words)
        rows.append((words.contrast(label), estimate, *_error(found, words), *judged,
                     with_interval(smd, words)))  # fmt: skip
        sign = _sign(found, words) or sign
    estimate, *judged = _judged_header(plan.level, words)
    header = (words("contrast"), estimate, words("se"), words("df"), *judged, "SMD")
    caption = words(
        "tables.primary", outcome=words.outcome(primary.outcome), visit=primary.visit,
        reference=words.arm(plan.reference_arm), sign=sign,
    )  # fmt: skip
    return Table(caption, header, tuple(rows))


def means_table(results: Results, numbers: Numbers, outcome: str, words: Words) -> Table:
    """Return the means of those who have a score, arms down, visits across."""
    plan = results.plan
    rows = []
    for arm in results.table.levels:
        for visit in (plan.baseline_visit, *plan.visits):
            found = numbers.estimate(outcome, "mean", visit, arm)
            rows.append((words.arm(arm), week(visit, words), str(found.n if found else 0),
                         number(found.value if found else None, words),
                         number(found.sd if found else None, words),
                         interval(found, words)))  # fmt: skip
    level = _level(plan.level, words)
    header = (words("arm"), words("visit"), words("n"), words("mean"), words("sd"), level)
    return Table(words("tables.means", outcome=words.outcome(outcome)), header, tuple(rows), 2)


def adjusted_table(results: Results, numbers: Numbers, words: Words) -> Table:
    """Return the adjusted means of the leading model at the primary visit."""
    primary = results.plan.primary
    rows = []
    for arm in results.table.levels:
        found = numbers.estimate(primary.outcome, primary.method, primary.visit, arm)
        value = number(found.value if found else None, words)
        rows.append((words.arm(arm), value, *_error(found, words), interval(found, words)))
    header = (words("arm"), words("mean"), words("se"), words("df"),
              _level(results.plan.level, words))  # fmt: skip
    caption = words("tables.adjusted_means", outcome=words.outcome(primary.outcome),
                    visit=primary.visit)  # fmt: skip
    return Table(caption, header, tuple(rows))


def rates_table(results: Results, numbers: Numbers, outcome: str, words: Words) -> Table:
    """Return change and the change rates in their separately named forms."""
    methods = RATES if len(results.table.levels) > 1 else RATES[:-1]
    rows = []
    for arm in results.table.levels:
        for visit in results.plan.visits:
            found = [numbers.estimate(outcome, method, visit, arm) for method in methods]
            cells = (with_interval(one, words, 1) for one in found)
            rows.append((words.arm(arm), week(visit, words), *cells))
    header = (words("arm"), words("visit"), *(words(f"tables.{name}") for name in methods))
    caption = words("tables.rates", outcome=words.outcome(outcome), level=_percents(results))
    return Table(caption, header, tuple(rows), 2)


def responders_table(results: Results, numbers: Numbers, outcome: str, words: Words) -> Table:
    """Return responders of each arm, and their difference from the reference."""
    plan, levels = results.plan, results.table.levels
    has_arms = len(levels) > 1
    rows = []
    for arm in levels:
        for visit in plan.visits:
            share = numbers.estimate(outcome, "responders", visit, arm)
            strict = numbers.estimate(outcome, "responders_nonresponder", visit, arm)
            cells = [words.arm(arm), week(visit, words), str(share.n if share else 0),
                     _percent(share, words), _percent(strict, words)]  # fmt: skip
            if has_arms:
                label = f"{arm} - {levels[0]}"
                cells.append(_percent(numbers.estimate(outcome, "risk_difference", visit, label),
                                      words))  # fmt: skip
            rows.append(tuple(cells))
    header = [words("arm"), words("visit"), words("n"), words("tables.share"),
              words("tables.as_none")]  # fmt: skip
    if has_arms:
        header.append(words("tables.against", reference=words.arm(levels[0])))
    rule = rule_text(plan.outcome(outcome).data["responder"], words)
    key = "tables.responders" if has_arms else "pooled.tables_responders"
    caption = words(key, outcome=words.outcome(outcome), rule=rule,
                    level=_percents(results))  # fmt: skip
    return Table(caption, tuple(header), tuple(rows), 2)


def long_term_table(results: Results, numbers: Numbers, outcome: str, words: Words) -> Table | None:
    """Return who kept the response after the primary visit; None where no visit comes after."""
    plan = results.plan
    later = plan.visits[list(plan.visits).index(plan.primary.visit) + 1 :]
    rows = []
    for arm in results.table.levels if later else ():
        for visit in later:
            stayed = numbers.estimate(outcome, "sustained", visit, arm)
            lost = numbers.estimate(outcome, "relapse", visit, arm)
            cells = [words.arm(arm), week(visit, words)]
            for share in (stayed, lost):
                cells += [str(share.n if share else 0), _percent(share, words)]
            rows.append(tuple(cells))
    if not rows:
        return None
    header = (words("arm"), words("visit"), words("n"), words("tables.sustained"), words("n"),
              words("tables.relapse"))  # fmt: skip
    name, visit = words.outcome(outcome), plan.primary.visit
    return Table(words("tables.long_term", outcome=name, visit=visit), header, tuple(rows), 2)


def contrasts_table(results: Results, numbers: Numbers, outcome: str, words: Words) -> Table:
    """Return the contrasts of every model, and the measures beside them."""
    records = [
        r for r in numbers.of(outcome)
        if r.place.method in (*MODELS, *SIDE, "non_inferiority", "equivalence")
        and r.place.family in (REFERENCE, OTHERS) and r.place.contrast
    ]  # fmt: skip
    rows = tuple(
        (method_name(r.place.method, words), week(r.place.visit, words),
         words.contrast(r.place.contrast), *_judged(r.estimate, words))
        for r in records
    )  # fmt: skip
    header = (words("method"), words("visit"), words("contrast"),
              *_judged_header(results.plan.level, words))  # fmt: skip
    sign = _sign(records[0].estimate, words) if records else ""
    caption = words("tables.contrasts", outcome=words.outcome(outcome), sign=sign)
    return Table(caption, header, rows, 3)


def sensitivity_table(results: Results, numbers: Numbers, words: Words) -> Table:
    """Return the primary contrasts under other assumptions about who left, and by chance alone."""
    plan = results.plan
    primary = plan.primary
    records = [
        r for r in numbers.of(primary.outcome)
        if r.place.role == "sensitivity" and r.place.visit == primary.visit
        and not r.place.method.endswith("_nonresponder")
        and r.place.method not in ("dose_response", "cace")
    ]  # fmt: skip
    contrasts = (r.estimate for r in records if r.place.method != "tipping_point")
    caption = words("tables.sensitivity", outcome=words.outcome(primary.outcome),
                    visit=primary.visit, sign=_sign(next(contrasts, None), words))  # fmt: skip
    return judged_table(caption, records, plan.level, words)


def judged_table(caption: str, records: Sequence[Record], level: float, words: Words) -> Table:
    """Return records as lines: method, contrast, number, interval, p."""
    rows = tuple(
        (method_name(r.place.method, words),
         words.contrast(r.place.contrast) if r.place.contrast else words("none"),
         str(r.estimate.n or words("none")), _value(r.estimate, words),
         interval(r.estimate, words, digits_for(r.estimate)), p_value(r.estimate.p, words))
        for r in records
    )  # fmt: skip
    header = (words("method"), words("contrast"), words("n"), words("estimate"),
              _level(level, words), words("p"))  # fmt: skip
    return Table(caption, header, rows, 2)


def method_name(method: str, words: Words) -> str:
    """Return a method as people read it."""
    if words.has(f"methods_of.{method}"):
        return words(f"methods_of.{method}")
    if "_delta_" in method:
        return words("methods_of.delta", delta=method.rpartition("_")[2])
    if method.startswith("interim_bound_"):
        return words("methods_of.interim_bound", look=method.rpartition("_")[2])
    return method.replace("_", " ")


def exposure_table(results: Results, numbers: Numbers, words: Words) -> Table:
    """Return the slopes on each feature of the music, outcome by outcome."""
    rows = []
    for outcome in results.plan.outcomes:
        for feature in results.plan.exposure:
            for side in ("within", "between"):
                found = next(numbers.of(outcome.name, starts=f"exposure_{feature}_{side}"), None)
                if found is not None:
                    name = column_name(feature)
                    what = words.outcome(outcome.name), name, words(f"tables.{side}")
                    n = str(found.estimate.n)
                    rows.append((*what, n, *_judged(found.estimate, words, 3)))
    header = (words("outcome"), words("tables.feature"), words("tables.side"), words("n"),
              *_judged_header(results.plan.level, words))  # fmt: skip
    return Table(words("tables.exposure"), header, tuple(rows), 3)


def reliability_table(results: Results, words: Words) -> Table:
    """Return alpha, omega, errors and agreement of each scale."""
    wanted = ("alpha", "omega", "standard_error", "smallest_detectable_change", "retest_icc")
    rows = [
        (words.outcome(r.place.outcome), week(r.place.visit, words),
         words(f"methods_of.{r.place.method}"), str(r.estimate.n), with_interval(r.estimate, words))
        for r in results.records
        if r.place.method in wanted
    ]  # fmt: skip
    header = (words("outcome"), words("visit"), words("method"), words("n"),
              words("tables.value"))  # fmt: skip
    caption = words("tables.reliability", level=_percents(results))
    return Table(caption, header, tuple(rows), 3)


def column_name(column: str) -> str:
    """Return the name of a table's column as people read it."""
    return column.replace("_", " ")


def _error(found: Estimate | None, words: Words) -> Cells:
    """Return standard error and degrees of freedom."""
    if found is None or found.value is None:
        return (words("none"), words("none"))
    return (number(found.se, words), number(found.df, words, 1))


def _judged(found: Estimate | None, words: Words, digits: int = 2) -> Cells:
    if found is None or found.value is None:
        return (words("not_estimable"), *(words("none") for _ in range(3)))
    return (number(found.value, words, digits), interval(found, words, digits),
            p_value(found.p, words), p_value(found.p_adjusted, words))  # fmt: skip


def _judged_header(level: float, words: Words) -> Cells:
    return (words("estimate"), _level(level, words), words("p"), words("p_adjusted"))


def _level(level: float, words: Words) -> str:
    return words("interval", level=f"{100 * level:g}")


def _percents(results: Results) -> str:
    return f"{100 * results.plan.level:g}"


def _value(found: Estimate, words: Words) -> str:
    if found.value is None:
        # No delta tips what is not significant to begin with: an answer, not a failure.
        return words("none" if found.label == "tipping_point" else "not_estimable")
    return number(found.value, words, digits_for(found))


def _percent(found: Estimate | None, words: Words) -> str:
    if found is None or found.value is None:
        return words("none")
    value = f"{number(100 * found.value, words, 0)} %"
    if found.ci_low is None or found.ci_high is None:
        return value
    low, high = (number(100 * limit, words, 0) for limit in (found.ci_low, found.ci_high))
    return f"{value} ({low}, {high})"


def _sign(found: Estimate | None, words: Words) -> str:
    if found is None:
        return ""
    return words.table["signs"].get(found.sign, found.sign)
