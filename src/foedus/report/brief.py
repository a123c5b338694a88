"""From a forecast to the words and numbers of its brief."""

from __future__ import annotations

import datetime as dt
import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from foedus.case.hash import case_hash
from foedus.case.times import latest, parse_when
from foedus.case.values import Value
from foedus.report import content
from foedus.report.answer_words import (
    known_by,
    known_by_words,
    never,
    outside,
    outside_short,
    quantile,
    short,
    span,
    spread,
    when,
)
from foedus.report.explanation_words import (
    apart_of,
    contrasts_of,
    explanations_of,
    same,
    warnings_of,
)
from foedus.report.number_format import day, number, percent
from foedus.report.verdict_words import advice, headline, words
from foedus.report.watch_words import titles_of, watch_of

if TYPE_CHECKING:
    from foedus.answers.explanations import Explanations
    from foedus.answers.forecasts import Answer, Fan, Forecast
    from foedus.answers.watch_list import Watch
    from foedus.case.models import Case
    from foedus.weighing.evidence import Evidence

#: What holds of every forecast.
CAVEATS = (
    "Probabilities are those of this model, its priors and these reports together. Many priors are "
    "elicited: an informed judgement, wide, and the first thing to doubt.",
    "The street model is a model of its kind, not of these cities: it gives orders of magnitude "
    "and timing, not addresses.",
    "Sampling error (±) says how far another set of runs could differ. It says nothing of what is "
    "wrong with the model.",
    "Base rates come from few past cases; their intervals are wide.",
    "Reports are weighed by the ratings in the case file. A source that was rated wrongly misleads "
    "the forecast in proportion.",
)

#: How the numbers of every forecast come about.
METHOD = (
    "The case file is simulated many times. Each run draws its parameters from priors, one of the "
    "competing explanations, and its own luck; then, day by day, streets, forces, leader, alliance "
    "and airlift act on each other. Every mechanism has a published source, which foedus's "
    "documentation names with its equation.",
    "Decisions that were public by the as-of date are imposed on all runs, and each run is charged "
    "for how likely it was to take them. Every other report is weighed: the better a run agrees "
    "with it, given how good its source is, the more the run counts. Effective runs say how many "
    "runs of equal weight the weighed ones are worth; below 50 there is no answer.",
    "Nothing that became public after the as-of date is used, and no outcome of the case is read. "
    "Base rates come from a casebook of past calls for help, without this case and without "
    "anything of its year or later.",
)

_USE = {
    "weighed": "weighed",
    "replayed": "imposed on all runs",
    "context": "context",
    "outside": "outside the days simulated",
    "plan": "a plan, not weighed",
}


def brief(
    forecast: Forecast,
    case: Case,
    path: str | Path,
    *,
    explanations: Explanations | None = None,
    watch: Sequence[Watch] = (),
) -> Path:
    """Write the brief of a forecast: one file without network or script.

    Parameters
    ----------
    forecast : Forecast
    case : Case
        The case that was forecast, filtered or not.
    path : str or pathlib.Path
        The file to write; it is replaced as a whole. A name that ends in ``.pdf`` gives a PDF,
        any other an HTML page; both say the same.
    explanations : Explanations, optional
        From :func:`foedus.explain` with the same runs: what the casebook says of each
        explanation, what moves it, and what would have been otherwise.
    watch : sequence of Watch
        From :func:`foedus.watch` with the same runs: what to look for next, a list for each.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    InputError
        If ``explanations`` or ``watch`` are of another case, date or set of runs.
    """
    made, path = brief_of(forecast, case, explanations=explanations, watch=watch), Path(path)
    if path.suffix.lower() == ".pdf":
        from foedus.report.pdf import write as write_pdf

        return write_pdf(made, path)
    from foedus.report.html import write

    return write(made, path)


def brief_of(
    forecast: Forecast,
    case: Case,
    *,
    explanations: Explanations | None = None,
    watch: Sequence[Watch] = (),
) -> content.Brief:
    """Return what the brief of a forecast says; parameters as of :func:`brief`."""
    same(forecast, explanations, "explanations")
    for found in watch:
        same(forecast, found, "watch")
    weights = forecast.weights
    warnings = dict.fromkeys((*map(str, forecast.warnings), *_also(explanations, watch)))
    return content.Brief(
        title=forecast.title,
        summary=_summary(forecast, case),
        as_of=forecast.as_of,
        start=forecast.start,
        end=forecast.end,
        runs=weights.runs,
        effective=weights.ess,
        verdict=weights.verdict.level,
        headline=headline(weights.verdict),
        answers=brief_answers(forecast),
        fans=tuple(
            fan_of(f, forecast.evidence) for f in forecast.fans if math.isfinite(f.quantiles.sum())
        ),
        alike=tuple(
            content.NearestCaseRow(
                f"{a.title} ({a.id})",
                ", ".join(a.same).replace("_", " "),
                ", ".join(a.different).replace("_", " "),
                a.happened,
            )
            for a in forecast.alike
        ),
        explanations=explanations_of(forecast, explanations),
        apart=apart_of(forecast, explanations),
        contrasts=contrasts_of(explanations),
        watch=tuple(watch_of(w, titles_of(forecast)) for w in watch),
        evidence=tuple(
            _evidence(e, forecast.end) for e in sorted(forecast.evidence, key=lambda e: e.about)
        ),
        advice=advice(weights.verdict),
        caveats=(*warnings, *CAVEATS),
        method=METHOD,
        numbers=tuple(_numbers(forecast)),
        provenance=tuple(_provenance(forecast, case, command(forecast, explanations, watch))),
        known_by=known_by_words(forecast),
    )


def _also(explanations: Explanations | None, watch: Sequence[Watch]) -> tuple[str, ...]:
    return (*warnings_of(explanations), *(str(line) for w in watch for line in w.warnings))


def command(
    forecast: Forecast, explanations: Explanations | None = None, watch: Sequence[Watch] = ()
) -> str:
    """Return the command that makes the brief again; parameters as of :func:`brief`."""
    made = forecast.provenance
    more = explanations is not None or watch
    words = ["foedus", "report" if more else "forecast"]
    words += [str(made.get("case_name", forecast.case_id)), "--as-of", known_by(forecast)]
    words += ["--runs", str(forecast.weights.runs)]
    words += ["--seed", str(made["seed"])] if "seed" in made else []
    return shlex.join([*words, *(_parts(explanations, watch) if more else ())])


def _parts(explanations: Explanations | None, watch: Sequence[Watch]) -> list[str]:
    """Return the options that give these parts of a report."""
    words = []
    if explanations is None:
        words.append("--no-explain")
    else:
        pairs = max((c.pairs for c in explanations.counterfactuals), default=0)
        words += ["--pairs", str(pairs)]
    if not watch:
        words.append("--no-watch")
    elif len(watch) == 1 and watch[0].kind != "hypotheses":
        words += ["--question", watch[0].about]
    return words


def _summary(forecast: Forecast, case: Case) -> str:
    """Return the case's summary, unless it was written later than what the forecast may know."""
    zone = case.timezone_offset
    if latest(parse_when(known_by(forecast)), zone) >= latest(case.as_of, zone):
        return case.summary
    return (
        f"What was known by {known_by_words(forecast)}. The case file's own summary was written "
        f"for {day(case.as_of)} and is left out here, because it would tell what came between."
    )


def brief_answers(forecast: Forecast) -> tuple[content.AnswerRow, ...]:
    """Return the answers in words."""
    return tuple(_answer(a, forecast) for a in forecast.answers)


def _answer(a: Answer, forecast: Forecast) -> content.AnswerRow:
    end = forecast.end
    low, middle, high = span(a.estimate, a.kind, end)
    if low == never(end):  # hardly any run: once is enough
        low = high = ""
    base, text = outside(a.outside, a.kind, end)
    note = "" if forecast.verdict.refused or a.reason is None else words(a.reason)
    if a.settled_by:
        told = next((e.text for e in forecast.evidence if e.id == a.settled_by), a.settled_by)
        note = f"Settled already by the fact “{told.rstrip('.')}”. {note}".strip()
    estimate = a.estimate
    return content.AnswerRow(
        text=a.text,
        kind=cast(Any, a.kind),
        unit=a.unit,
        probability=None if estimate is None else estimate.probability,
        error=None if estimate is None else estimate.probability_error,
        low=low,
        middle=middle,
        high=high,
        base_rate=base,
        base_text=text,
        before=short(a.before, a.kind, end),
        note=note,
        base_short=outside_short(a.outside, a.kind, end),
    )


def fan_of(fan: Fan, evidence: Sequence[Evidence] = ()) -> content.FanChart:
    """Return a fan with the reports of its quantity on it."""
    q05, q25, q50, q75, q95 = (tuple(float(v) for v in row) for row in fan.quantiles)
    inside = set(fan.dates)
    marks = [_mark(e) for e in evidence if e.quantity == fan.key and _counted(e)]
    return content.FanChart(
        fan.key, fan.title, fan.unit, fan.dates, q05, q25, q50, q75, q95,
        marks=tuple(m for m in marks if m.date in inside),
    )  # fmt: skip


def _counted(e: Evidence) -> bool:
    """Tell whether a report is a number, and an observation rather than a plan."""
    return e.reported not in (None, "yes", "no") and e.use in ("weighed", "replayed")


def _mark(e: Evidence) -> content.Mark:
    value = Value.parse(e.reported)
    date = dt.date.fromisoformat(e.about[:10])
    part = e.place or e.member
    where = f" in {part}" if e.place else f" from {part}" if part else ""
    label = f"{e.reported}{where} ({e.source_name}, {e.rating})"
    return content.Mark(date, value.low, value.high, value.point, label, part is not None)


def _evidence(e: Evidence, end: dt.date) -> content.EvidenceRow:
    kind = "date" if any(isinstance(v, dt.date) for v in e.runs) else "number"
    says = ""
    if e.runs and not all(v is None for v in e.runs):
        low, middle, high = (quantile(v, kind, end) for v in e.runs)
        says = middle if low == high else spread(low, middle, high, end)
    elif e.runs:
        says = never(end)
    use = _USE.get(e.use, e.use)
    if e.disbelief is not None and e.disbelief >= 0.5:
        use += "; the runs rather disbelieve it"
    return content.EvidenceRow(
        about=when(e.about),
        known_from="" if e.known_from[:10] == e.about[:10] else when(e.known_from),
        text=e.text,
        reported="" if e.reported is None else e.reported,
        source=e.source_name,
        address=e.address or "",
        rating=e.rating,
        runs_say=says,
        use=use,
        counts=e.use in ("weighed", "replayed"),
    )


def _numbers(forecast: Forecast) -> list[tuple[str, str]]:
    w = forecast.weights
    rows = [
        ("Effective runs", f"{number(w.ess)} of {w.runs:,}"),
        ("Runs that carry 99% of the weight", f"{w.carrying:,}"),
        ("Largest weight of a run", percent(w.largest)),
    ]
    if math.isfinite(w.pareto_k):
        rows.append(("Pareto shape of the weights (good below 0.7)", f"{w.pareto_k:.2f}"))
    uses = [e.use for e in forecast.evidence]
    counts = {words: uses.count(use) for use, words in _USE.items() if use in uses}
    rows.append(("Facts by use", ", ".join(f"{n} {words}" for words, n in counts.items())))
    excluded = forecast.replayed.get("excluded")
    if excluded:
        rows.append(("Runs whose own rules exclude the known decisions", percent(excluded)))
    return rows


def _provenance(forecast: Forecast, case: Case, again: str) -> list[tuple[str, str]]:
    made = forecast.provenance
    hashes = case_hash(case)
    rows = [("Command", again), ("Case, sha256", hashes.all)]
    if "seed" in made:
        rows.append(("Seed", str(made["seed"])))
    rows.append(("Runs", f"{forecast.weights.runs:,}"))
    if "digest" in made:
        rows.append(("Run plan", str(made["digest"])))
    versions = made.get("versions") or {}
    if versions:
        rows.append(("Versions", ", ".join(f"{k} {v}" for k, v in versions.items())))
    return rows
