"""Cases, ensembles and results as notebooks show them: the tables of the terminal, as HTML.

Every text is escaped; nothing is fetched and nothing runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from foedus.report import explain as explained
from foedus.report import tables
from foedus.report.answer_words import known_by_words
from foedus.report.explanation_words import MIND, contrast_title, difference, said
from foedus.report.number_format import day, number, percent, points
from foedus.report.verdict_words import advice, headline, words
from foedus.report.watch_words import watch_of

if TYPE_CHECKING:
    from foedus.answers.explanations import Explanations
    from foedus.answers.forecasts import Forecast
    from foedus.answers.watch_list import Watch
    from foedus.case import Case
    from foedus.ensemble import Ensemble
    from foedus.scoring.scores import Scores

Table = tuple[str, Sequence[str], Sequence[Sequence[str]]]

TEMPLATE = "notebook.html.j2"


def html(title: str, notes: Iterable[str], shown: Iterable[Table]) -> str:
    """Return a title, some notes and some tables; tables without rows are left out."""
    from foedus.report.html import environment

    template = environment().get_template(TEMPLATE)
    kept = [t for t in shown if t[2]]
    return template.render(title=title, notes=[n for n in notes if n], tables=kept)


def case_html(case: Case) -> str:
    """Return what a case holds."""
    counts = f"{len(case.facts)} facts, {len(case.sources)} sources, {len(case.places)} places"
    return html(
        case.title,
        (
            case.summary,
            f"{day(case.start)} to {day(case.end)}, known by {day(case.as_of)}: {counts}.",
        ),
        (
            ("Questions", ("", "Kind", "Id"), [(q.text, q.kind, q.id) for q in case.questions]),
            (
                "Hypotheses",
                ("", "Says", "Put forward by"),
                [(h.title, h.says, h.put_forward_by) for h in case.hypotheses],
            ),
        ),
    )


def ensemble_html(ensemble: Ensemble) -> str:
    """Return what was run."""
    plan = ensemble.plan
    rows = [
        ("Runs", f"{ensemble.complete_runs:,} of {plan.runs:,}"),
        ("Seed", str(plan.seed)),
        ("Store", str(ensemble.path)),
        ("Command", plan.command()),
    ]
    return html(
        str(ensemble.attributes.get("title", plan.case_name)), (), [("Runs", ("", ""), rows)]
    )


def forecast_html(forecast: Forecast) -> str:
    """Return the answers and the explanations."""
    w = forecast.weights
    worth = f"{w.runs:,} runs, worth {number(w.ess)} after weighing the evidence."
    told = [h for h in forecast.hypotheses if h.posterior == h.posterior]
    weights = [
        (h.title, f"{percent(h.posterior)} {points(h.error)}", percent(h.prior))
        for h in sorted(told, key=lambda h: -h.posterior)
        if len(told) > 1
    ]
    return html(
        f"{forecast.title}: as of {known_by_words(forecast)}",
        (worth, headline(w.verdict), *advice(w.verdict)),
        (
            *tables.answer_tables(forecast),
            ("Which explanation?", ("", "After the evidence", "Before"), weights),
        ),
    )


def scores_html(scores: Scores) -> str:
    """Return the score of each question beside the baselines'."""
    head, *rows = scores.rows()
    mean = scores.summary()["forecast"]
    note = (
        f"Open binary questions: {mean['n']}, mean Brier score {mean['brier']:.3f}, mean log score "
        f"{mean['log']:.3f} (0 is best)."
        if mean["n"]
        else ""
    )
    title = f"{scores.case_id}: scores as of {day(scores.as_of)}"
    return html(title, (note,), [("Scores, the lower the better", head, rows)])


def explanations_html(found: Explanations) -> str:
    """Return the explanations and the counterfactuals."""
    weighed = [(*explained.row(h), said(h)) for h in sorted(found.hypotheses, key=explained.rank)]
    contrasts: list[Table] = [
        (
            contrast_title(c),
            explained.COLUMNS,
            [difference(d) for d in c.differences],
        )
        for c in found.counterfactuals
    ]
    return html(
        f"{found.title}: explanations as of {day(found.as_of)}",
        (
            headline(found.verdict),
            words(found.casebook),
            MIND if contrasts else "",
        ),
        (
            (
                "Which explanation?",
                ("", "Before", "Evidence", "Casebook", "Both", "From the evidence"),
                weighed,
            ),
            *contrasts,
        ),
    )


def watch_html(found: Watch) -> str:
    """Return what to look for next."""
    shown = watch_of(found)
    rows = [
        (s.what, s.when, s.said, "\n".join(f"{reading}: {then}" for reading, then in s.readings))
        for s in shown.signs
    ]
    none = "" if rows else "No report of the coming days would tell more than chance."
    return html(
        f"{found.title}: what to look for after {day(found.as_of)}",
        (f"{shown.about} {shown.now}.", none),
        [("What to look for", ("", "On", "Worth", "What a report would say"), rows)],
    )
