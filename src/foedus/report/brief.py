"""From a forecast to the words and numbers of its brief."""

from __future__ import annotations

import datetime as dt
import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from foedus.case.asof import case_hash
from foedus.case.question_kinds import Shape
from foedus.case.times import latest, parse_when, show_when
from foedus.case.values import Value
from foedus.report.answer_words import (
    WORDS,
    known_by,
    known_by_words,
    never,
    outside,
    spread,
    when,
)
from foedus.report.document import (
    Brief,
    Cell,
    Charts,
    Column,
    FanChart,
    Items,
    Mark,
    Note,
    Pairs,
    Paragraph,
    Section,
    Table,
    paragraphs,
)
from foedus.report.explanation_view import (
    apart_of,
    contrast_table,
    explanations_table,
    same,
    warnings_of,
)
from foedus.report.forecast_view import answer_tables, setback
from foedus.report.number_format import day, number, percent
from foedus.report.watch_view import watch_part

if TYPE_CHECKING:
    from foedus.answers.explanations import Explanations
    from foedus.answers.forecasts import Fan, Forecast
    from foedus.answers.watch_list import Watch
    from foedus.case.models import Case
    from foedus.weighing.evidence import Evidence

#: Limitations of every forecast.
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

#: How every forecast is made.
METHOD = (
    "The case file is simulated many times. Each run draws its parameters from priors, one of the "
    "competing explanations, and its own luck; then, day by day, streets, forces, leader, alliance "
    "and airlift act on each other. Every mechanism has a published source, which foedus's "
    "documentation names with its equation.",
    "Decisions that were public by the as-of date are imposed on all runs, and each run is charged "
    "for how likely it was to take them. Every other report is weighed: the better a run agrees "
    "with it, given how good its source is, the more the run counts. Effective runs say how many "
    "runs of equal weight the weighed ones are worth; below 50 there is no answer.",
    "Where the casebook's models speak to a question, the answer is the mean of the log-odds of "
    "simulation and history; days and numbers are mixed in equal parts. Both voices stand after "
    "the question. The answer is then widened by the errors that such answers made in the "
    "back-test over earlier crises.",
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
    """Write the brief of a forecast: one file without network access or scripts.

    Parameters
    ----------
    forecast : Forecast
    case : Case
        The case that was forecast, filtered or not.
    path : str or pathlib.Path
        The file to write, replaced as a whole. A name that ends in ``.pdf`` gives a PDF, any other
        an HTML page; both have the same content.
    explanations : Explanations, optional
        From :func:`foedus.explain` with the same runs: the casebook's weighing of each explanation,
        what moves it, and counterfactuals.
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
) -> Brief:
    """Return the content of the brief of a forecast; parameters as of :func:`brief`."""
    same(forecast, explanations, "explanations")
    for found in watch:
        same(forecast, found, "watch")
    weights = forecast.weights
    start, end = day(forecast.start), day(forecast.end)
    return Brief(
        title=forecast.title,
        summary=_summary(forecast, case),
        known_by=known_by_words(forecast),
        strip=(
            ("Days simulated", f"{start} to {end}"),
            ("Runs", f"{weights.runs:,}"),
            ("Effective runs", number(weights.ess)),
            ("Evidence", f"{len(forecast.evidence)} facts"),
        ),
        setback=setback(forecast),
        sections=(
            Section(answer_tables(forecast, intervals=True), "Answers", name="answers"),
            *_days(forecast),
            *_explanations(forecast, explanations),
            *_contrasts(explanations),
            *_watch(forecast, watch),
            *_nearest_cases(forecast),
            *_evidence(forecast),
            _trust(forecast, explanations, watch),
            Section(
                (Pairs(_provenance(forecast, case, command(forecast, explanations, watch)), True),),
                "How to make this again",
                name="provenance",
            ),
        ),
    )


def _days(forecast: Forecast) -> tuple[Section, ...]:
    fans = tuple(
        fan_chart(f, forecast.evidence) for f in forecast.fans if math.isfinite(f.quantiles.sum())
    )
    charts = Charts(fans, forecast.as_of)
    return (Section((charts,), "Day by day", name="days", new_page=True),) if fans else ()


def _explanations(forecast: Forecast, found: Explanations | None) -> tuple[Section, ...]:
    tables = explanations_table(forecast, found)
    if not tables:
        return ()
    overlap = "Where bars and errors overlap, the evidence does not tell these explanations apart."
    return (
        Section(
            (*tables, Note(overlap), *paragraphs(apart_of(forecast, found))),
            "Which explanation does the record support?",
            name="explanations",
            new_page=True,
        ),
    )


def _contrasts(found: Explanations | None) -> tuple[Section, ...]:
    if found is None or not found.counterfactuals:
        return ()
    pairs = "Pairs of runs that share parameters and luck, and differ in one decision."
    return (
        Section(
            (Paragraph(pairs), *(contrast_table(c) for c in found.counterfactuals)),
            "What if one decision had been different?",
            name="otherwise",
        ),
    )


def _watch(forecast: Forecast, watch: Sequence[Watch]) -> tuple[Section, ...]:
    if not watch:
        return ()
    titles = {h.id: h.title for h in forecast.hypotheses}
    lists = tuple(watch_part(found, titles) for found in watch)
    return (Section(lists, "What to look for next", name="watch"),)


def _nearest_cases(forecast: Forecast) -> tuple[Section, ...]:
    if not forecast.nearest:
        return ()
    rows = tuple(
        (
            f"{a.title} ({a.id})",
            ", ".join(a.same).replace("_", " "),
            ", ".join(a.different).replace("_", " "),
            a.happened,
        )
        for a in forecast.nearest
    )
    columns = (
        Column("Case"),
        Column("Alike in", 38),
        Column("Not in", 34),
        Column("What happened", 58),
    )
    table = Table(
        "The nearest calls for help in the casebook",
        columns,
        rows,
        note="without this case and later ones, nearest first",
    )
    return (Section((table,), "Which past cases is it most like?", name="nearest"),)


def _trust(
    forecast: Forecast, explanations: Explanations | None, watch: Sequence[Watch]
) -> Section:
    warnings = dict.fromkeys((*map(str, forecast.warnings), *_also(explanations, watch)))
    base_rates: dict[str, list[str]] = {}
    for a in forecast.answers:
        source = outside(a.outside, a.kind, forecast.end)
        if source:
            base_rates.setdefault(source, []).append(a.text)
    sources = Pairs(tuple(("; ".join(asked), source) for source, asked in base_rates.items()))
    more = (Section((sources,), "Where the base rates come from"),) if base_rates else ()
    return Section(
        (
            *paragraphs(METHOD),
            Pairs(tuple(_numbers(forecast))),
            Items((*warnings, *CAVEATS)),
            *more,
        ),
        "Method, and how far to trust it",
        name="trust",
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
    """Return the options that ask for these parts of a report."""
    words = []
    if explanations is None:
        words.append("--no-explain")
    else:
        pairs = max((c.pairs for c in explanations.counterfactuals), default=0)
        words += ["--pairs", str(pairs)]
    if not watch:
        words.append("--no-watch")
    elif len(watch) == 1 and watch[0].shape is not Shape.CLASSES:
        words += ["--question", watch[0].about]
    return words


def _summary(forecast: Forecast, case: Case) -> str:
    """Return the case's summary, unless it was written after the date of the forecast."""
    zone = case.timezone_offset
    if latest(parse_when(known_by(forecast)), zone) >= latest(case.as_of, zone):
        return case.summary
    return (
        f"What was known by {known_by_words(forecast)}. The case file's own summary was written "
        f"for {when(show_when(case.as_of))} and is left out here, because it would tell what came "
        "between."
    )


def fan_chart(fan: Fan, evidence: Sequence[Evidence] = ()) -> FanChart:
    """Return a fan with the reports of its quantity on it."""
    q05, q25, q50, q75, q95 = (tuple(float(v) for v in row) for row in fan.quantiles)
    inside = set(fan.dates)
    marks = [_mark(e) for e in evidence if e.quantity == fan.key and _counted(e)]
    return FanChart(
        key=fan.key,
        title=fan.title,
        unit=fan.unit,
        dates=fan.dates,
        q05=q05,
        q25=q25,
        q50=q50,
        q75=q75,
        q95=q95,
        marks=tuple(m for m in marks if m.date in inside),
    )


def _counted(e: Evidence) -> bool:
    """Return whether a report is a number, and an observation rather than a plan."""
    return e.reported not in (None, "yes", "no") and e.use in ("weighed", "replayed")


def _mark(e: Evidence) -> Mark:
    value = Value.parse(e.reported)
    date = dt.date.fromisoformat(e.about[:10])
    part = e.place or e.member
    where = f" in {part}" if e.place else f" from {part}" if part else ""
    label = f"{e.reported}{where} ({e.source_name}, {e.rating})"
    return Mark(date, value.low, value.high, value.point, label, part=part is not None)


def _evidence(forecast: Forecast) -> tuple[Section, ...]:
    facts = sorted(forecast.evidence, key=lambda e: e.about)
    note = (
        f"known by {known_by_words(forecast)}; ratings: source A (reliable) to F, information 1 "
        "(confirmed) to 6"
    )
    columns = (
        Column("About", 21, whole=True),
        Column("Fact"),
        Column("Reported", 18),
        Column("Runs say", 22),
        Column("Source", 46),
        Column("Use", 20),
    )
    tables = tuple(
        Table(
            title,
            columns,
            tuple(_fact(e, forecast.end) for e in facts if _counts(e) is counts),
            note=note,
            named_by=1,
        )
        for title, counts in (("Facts that affect the runs", True), ("Facts for context", False))
        if any(_counts(e) is counts for e in facts)
    )
    title = "The evidence and its sources"
    return (Section(tables, title, name="evidence", new_page=True),) if tables else ()


def _counts(e: Evidence) -> bool:
    """Return whether a fact affects the runs or is only context for readers."""
    return e.use in ("weighed", "replayed")


def _fact(e: Evidence, end: dt.date) -> tuple[Cell | str, ...]:
    words = WORDS[Shape.DAY if any(isinstance(v, dt.date) for v in e.runs) else Shape.AMOUNT]
    says = ""
    if e.runs and not all(v is None for v in e.runs):
        low, middle, high = (words.quantile(v, end) for v in e.runs)
        says = middle if low == high else spread(low, middle, high, end)
    elif e.runs:
        says = never(end)
    use = _USE.get(e.use, e.use)
    if e.disbelief is not None and e.disbelief >= 0.5:
        use += "; the runs disbelieve it"
    known = () if e.known_from[:10] == e.about[:10] else (f"known {when(e.known_from)}",)
    return (
        Cell(when(e.about), below=known),
        e.text,
        "–" if e.reported is None else e.reported,
        says or "–",
        Cell(e.source_name, rating=e.rating, address=e.address or ""),
        use,
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


def _provenance(forecast: Forecast, case: Case, again: str) -> tuple[tuple[str, str], ...]:
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
    return tuple(rows)
