"""Results as tables on a terminal, and as JSON for programs."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foedus.report.answer_words import known_by_words, outside_short, short, span
from foedus.report.number_format import day, number, percent, points, worth
from foedus.report.verdict_words import advice, headline

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from foedus.answers.forecasts import Answer, Forecast
    from foedus.ensemble import Ensemble
    from foedus.ensemble.catalogue import RunInfo
    from foedus.errors import InputError
    from foedus.scoring.scores import Scores
    from foedus.weighing.verdict import Verdict

#: Width where the output is no terminal.
PLAIN_WIDTH = 110
#: Narrowest table on a terminal; in less, numbers would break in two.
LEAST_WIDTH = 72

_GROUPS = (("binary", "Will it happen?"), ("number", "How many?"), ("date", "When?"))


def console() -> Console:
    """Return a console that writes to standard output, without guesses about its markup."""
    from rich.console import Console

    plain = Console(highlight=False, markup=False)
    width = max(plain.width, LEAST_WIDTH) if plain.is_terminal else PLAIN_WIDTH
    return Console(highlight=False, markup=False, width=width)


def print_json(data: Any) -> None:
    """Print data as JSON that any program can read: no NaN, no infinity."""
    print(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False))


def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> Table:
    """Return a table whose first column takes the room, and whose texts are plain."""
    from rich.table import Table
    from rich.text import Text

    out = Table(
        title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0)
    )
    for n, column in enumerate(columns):
        out.add_column(
            column, ratio=1 if n == 0 else None, no_wrap=False, header_style="dim", overflow="fold"
        )
    for row in rows:
        out.add_row(*(Text(cell) for cell in row))
    return out


def print_forecast(forecast: Forecast, *briefs: Path) -> None:
    """Print the answers, the explanations, and how far to trust them."""
    to = console()
    w = forecast.weights
    to.print(f"{forecast.title}: as of {known_by_words(forecast)}", style="bold")
    to.print(worth(w.ess, w.runs))
    print_verdict(to, w.verdict)
    for group in answer_tables(forecast):
        to.print()
        to.print(table(*group))
    told = [h for h in forecast.hypotheses if h.posterior == h.posterior]
    if len(told) > 1:
        rows = [
            (h.title, f"{percent(h.posterior)} {points(h.error)}", percent(h.prior))
            for h in sorted(told, key=lambda h: -h.posterior)
        ]
        to.print()
        to.print(table("Which explanation?", ("", "After the evidence", "Before"), rows))
    doubted = [e for e in forecast.evidence if (e.disbelief or 0.0) > 0.5]
    if doubted:
        to.print()
    for e in sorted(doubted, key=lambda e: -(e.disbelief or 0.0)):
        chance = percent(e.disbelief or 0.0)
        to.print(f"Rather disbelieved: {e.source_name}, fact {e.id} ({e.rating}): {chance} wrong.")
    for warning in forecast.warnings:
        to.print(f"Mind: {warning}")
    if briefs:
        to.print()
    for brief in briefs:
        to.print(f"Brief: {brief}", soft_wrap=True)


def print_verdict(
    to: Console, verdict: Verdict, *, refused: str = "No answer", thin: str = "Weak answers"
) -> None:
    """Print a verdict that is not ok, with its reasons; parameters as of `headline`."""
    if verdict.ok:
        return
    to.print(headline(verdict, refused=refused, thin=thin), style="bold")
    for line in advice(verdict):
        to.print(f"  {line}")


def answer_tables(forecast: Forecast) -> list[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]:
    """Return title, columns and rows of the answers, a table for each kind of question."""
    return [
        (title, _columns(kind), [_row(a, forecast.end) for a in forecast.answers if a.kind == kind])
        for kind, title in _GROUPS
        if any(a.kind == kind for a in forecast.answers)
    ]


def _columns(kind: str) -> tuple[str, ...]:
    answer = {"binary": ("Probability",), "date": ("Early", "Median", "Late")}.get(
        kind, ("Low", "Median", "High")
    )
    happens = ("Happens",) if kind == "date" else ()
    return ("", *answer, *happens, "Before", "Base rate")


def _row(a: Answer, end: dt.date) -> tuple[str, ...]:
    view = a.outside
    if view is not None and view.probability is not None:
        history = percent(view.probability)
    else:
        history = outside_short(view, a.kind, end) or "–"
    before = short(a.before, a.kind, end) or "–"
    if a.estimate is None:
        blank = ("–",) * (len(_columns(a.kind)) - 3)
        return (a.text, *blank, before, history)
    if a.kind == "binary":
        return (a.text, _chance(a), before, history)
    happens = (_chance(a),) if a.kind == "date" else ()
    return (a.text, *span(a.estimate, a.kind, end), *happens, before, history)


def _chance(a: Answer) -> str:
    if a.estimate is None or a.estimate.probability is None:
        return "–"
    error = a.estimate.probability_error
    return percent(a.estimate.probability) + (f" {points(error)}" if error is not None else "")


def print_scores(scores: Scores) -> None:
    """Print the scores of each question, and the means."""
    print(f"{scores.case_id}: as of {day(scores.as_of)}, {number(scores.effective)} effective runs")
    print(scores.table())
    mean = scores.summary()
    mine = mean["forecast"]
    if mine["n"]:
        print(
            f"\nOpen binary questions: {mine['n']}, mean Brier score {mine['brier']:.3f}, "
            f"mean log score {mine['log']:.3f} (0 is best)"
        )
    for name, against in mean["baselines"].items():
        if against["n"]:
            print(f"  better than {name} on {against['better']} of {against['n']}")


def print_runs(ensemble: Ensemble) -> None:
    """Print where the runs are and how many are done."""
    plan = ensemble.plan
    print(f"{ensemble.complete_runs:,} of {plan.runs:,} runs, seed {plan.seed}: {ensemble.path}")


def print_run_list(found: list[RunInfo], folder: Path) -> None:
    """Print one line a store."""
    if not found:
        print(f"no stores in {folder}")
        return
    rows = [
        (
            str(i.path),
            i.case,
            i.as_of or "–",
            str(i.seed),
            f"{i.complete:,} of {i.runs:,}",
            f"{i.size / 1e6:,.1f} MB",
        )
        for i in found
    ]
    head = ("store", "case", "as of", "seed", "runs", "size")
    widths = [max(len(r[k]) for r in (head, *rows)) for k in range(len(head))]
    for row in (head, *rows):
        print("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip())


def print_run_info(info: RunInfo) -> None:
    """Print what a store says of itself."""
    rows = {
        "store": str(info.path),
        "case": f"{info.title} ({info.case})",
        "case hash": info.case_hash,
        "as of": info.as_of or "nothing replayed",
        "seed": str(info.seed),
        "runs": f"{info.complete:,} of {info.runs:,} done",
        "failed batches": str(info.failed),
        "batch": f"{info.batch:,} runs",
        "digest": info.digest,
        "versions": ", ".join(f"{name} {number}" for name, number in info.versions.items()),
        "made": info.created,
        "size": f"{info.size / 1e6:,.1f} MB, {info.size / max(info.complete, 1):,.0f} bytes a run",
        "command": info.command,
    }
    for name, value in rows.items():
        print(f"{name:<15} {value}")


def problems(error: InputError) -> dict[str, Any]:
    """Return what is wrong with an input as plain data, for ``check --json``."""
    return {
        "ok": False,
        "message": str(error),
        "problems": [
            {
                "file": p.file,
                "line": p.line,
                "column": p.column,
                "field": p.field,
                "found": p.found,
                "expected": p.expected,
            }
            for p in error.problems
        ],
    }
