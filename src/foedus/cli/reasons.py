"""Commands that explain a forecast: its causes, inputs, facts and most useful reports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from foedus.cli.app import app, example
from foedus.cli.options import (
    MAKING,
    AsOfOption,
    CaseName,
    Json,
    Making,
    case_to_run,
    date,
    refuse_picture,
    tell,
)
from foedus.defaults import PAIRS


@app.command(
    help_epilogue=example(
        "foedus explain kazakhstan-2022 --as-of 2022-01-07 --runs 20000",
        "foedus explain my-case.yaml --pairs 0 --json",
    )
)
def explain(
    case: CaseName,
    /,
    *,
    as_of: AsOfOption = None,
    making: Making = MAKING,
    pairs: Annotated[
        int,
        Parameter(
            validator=Number(gte=0, lte=1_000_000),
            help="Pairs of runs for each counterfactual; 0 for none.",
        ),
    ] = PAIRS,
    json: Json = False,
) -> int:
    """Weigh the explanations of a case, and show what would differ with one decision changed.

    Runs already on disk are reused.
    """
    from foedus.answers.explanations import explain as weigh
    from foedus.report.explanation_view import explanations_document

    what = case_to_run(case, making, as_of)
    found = weigh(
        what,
        as_of=as_of,
        pairs=pairs,
        **making.options(),
    )
    return tell(found, json, explanations_document)


@app.command(
    help_epilogue=example(
        "foedus watch kazakhstan-2022 --as-of 2022-01-07 --question troops-3000",
        "foedus watch my-case.yaml --rating C3 --days 3 --json",
    )
)
def watch(
    case: CaseName,
    /,
    *,
    question: Annotated[
        str | None,
        Parameter(help="Id of the question to inform; if absent, which hypothesis holds."),
    ] = None,
    as_of: AsOfOption = None,
    rating: Annotated[str, Parameter(help="Admiralty rating of the reports.")] = "B2",
    days: Annotated[
        int, Parameter(validator=Number(gte=1, lte=3660), help="Days ahead of the date.")
    ] = 7,
    quantity: Annotated[
        list[str] | None,
        Parameter(help="Only this quantity of the vocabulary; may be repeated.", negative=""),
    ] = None,
    top: Annotated[
        int, Parameter(validator=Number(gte=1, lte=10_000), help="Rows of the table.")
    ] = 8,
    making: Making = MAKING,
    json: Json = False,
) -> int:
    """Rank the reports that could come next by how much they would tell.

    Runs already on disk are reused.
    """
    from foedus.answers.watch_list import watch as look
    from foedus.report.watch_view import watch_document

    what = case_to_run(case, making, as_of)
    found = look(
        what,
        question=question,
        as_of=as_of,
        rating=rating,
        days=days,
        quantities=quantity,
        **making.options(),
    )
    return tell(found, json, lambda made: watch_document(made, top=top))


@app.command(
    help_epilogue=example(
        "foedus sensitivity kazakhstan-2022 --as-of 2022-01-07",
        "foedus sensitivity kazakhstan-2022 --question all-deaths --chart deaths.svg",
        "foedus sensitivity my-case.yaml --design sobol --runs 4000 --json",
    )
)
def sensitivity(
    case: CaseName,
    /,
    *,
    as_of: AsOfOption = None,
    question: Annotated[
        str | None, Parameter(help="Id of a question to show in full; all if absent.")
    ] = None,
    design: Annotated[
        Literal["given", "sobol"],
        Parameter(
            help="From the runs of the forecast; or from runs of a Saltelli design, which gives "
            "total shares too, before the evidence only."
        ),
    ] = "given",
    by: Annotated[
        Literal["mechanism", "input"],
        Parameter(help="sobol: the inputs of a mechanism together, or each input."),
    ] = "mechanism",
    making: Making = MAKING,
    pairs: Annotated[
        int,
        Parameter(
            validator=Number(gte=0, lte=1_000_000),
            help="Pairs of runs for the share of chance; 0 for none.",
        ),
    ] = PAIRS,
    top: Annotated[
        int, Parameter(validator=Number(gte=1), help="Inputs to show for a question.")
    ] = 10,
    chart: Annotated[
        Path | None, Parameter(help="SVG file for a tornado chart of one question.")
    ] = None,
    after: Annotated[
        bool, Parameter(negative="", help="Draw the chart after the evidence instead of before.")
    ] = False,
    json: Json = False,
) -> int:
    """Show on which uncertain inputs the answers depend, and how much is chance.

    Runs already on disk are reused.
    """
    from foedus.answers.sensitivity_analysis import sensitivity as measure
    from foedus.errors import InputError
    from foedus.report.sensitivity_view import sensitivities_document, tornado_svg

    if chart is not None and question is None:
        raise InputError("--chart: give --question too, since a chart shows one question")
    refuse_picture(chart)
    what = case_to_run(case, making, as_of)
    found = measure(
        what,
        as_of=as_of,
        question=question,
        design=design,
        by=by,
        pairs=pairs,
        **making.options(),
    )
    if chart is not None and question is not None:
        chart.write_text(tornado_svg(found, question, after=after, most=top), encoding="utf-8")
    return tell(found, json, lambda made: sensitivities_document(made, most=top))


@app.command(
    help_epilogue=example(
        "foedus discover kazakhstan-2022 --question hundred-deaths --before",
        "foedus discover my-case.yaml --question deaths --at-least 500 --method tree",
        "foedus discover my-case.yaml --question landed --chart landed.svg --json",
    )
)
def discover(
    case: CaseName,
    /,
    *,
    question: Annotated[str, Parameter(help="Id of the question.")],
    as_of: AsOfOption = None,
    at_least: Annotated[
        float | None, Parameter(help="For a number: look for answers of at least this.")
    ] = None,
    at_most: Annotated[
        float | None, Parameter(help="For a number: look for answers of at most this.")
    ] = None,
    by: Annotated[
        str | None,
        Parameter(help="For a date: look for answers up to this; any simulated day if absent."),
    ] = None,
    happens: Annotated[
        bool | None,
        Parameter(
            negative="--fails",
            help="Look for the outcome or for its absence; the rarer of the two by default.",
        ),
    ] = None,
    before: Annotated[
        bool, Parameter(negative="", help="Do not weigh the runs by the evidence.")
    ] = False,
    method: Annotated[
        Literal["prim", "tree"], Parameter(help="Peel a box (PRIM), or grow a classification tree.")
    ] = "prim",
    chance: Annotated[
        bool, Parameter(negative="", help="Allow conditions on the random draws made once a run.")
    ] = False,
    making: Making = MAKING,
    chart: Annotated[Path | None, Parameter(help="SVG file to write.")] = None,
    json: Json = False,
) -> int:
    """Say in one sentence under which conditions an outcome happens.

    Runs already on disk are reused.
    """
    from foedus.answers.discovery import discover as look
    from foedus.report.discovery_view import discovery_document, discovery_svg

    refuse_picture(chart)
    what = case_to_run(case, making, as_of)
    found = look(
        what,
        question=question,
        as_of=as_of,
        at_least=at_least,
        at_most=at_most,
        by=date("--by", by),
        happens=happens,
        before=before,
        method=method,
        chance=chance,
        **making.options(),
    )
    if chart is not None:
        chart.write_text(discovery_svg(found), encoding="utf-8")
    return tell(found, json, discovery_document)


@app.command(
    help_epilogue=example(
        "foedus diagnose kazakhstan-2022 --as-of 2022-01-07",
        "foedus diagnose my-case.yaml --json",
    )
)
def diagnose(
    case: CaseName,
    /,
    *,
    as_of: AsOfOption = None,
    making: Making = MAKING,
    json: Json = False,
) -> int:
    """Show what a forecast depends on: conflicts, facts that moved answers, and sources believed.

    Runs already on disk are reused.
    """
    from foedus.answers.diagnostics import diagnose as examine
    from foedus.report.diagnostics_view import diagnostics_document

    what = case_to_run(case, making, as_of)
    found = examine(
        what,
        as_of=as_of,
        **making.options(),
    )
    return tell(found, json, diagnostics_document)
