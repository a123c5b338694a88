"""The brief as a PDF: the same content as the page, set by typst.

The template is a file of foedus. All text of a case reaches it as data, as one JSON value in
``sys.inputs``; typst never reads that as markup, and the template neither evaluates nor imports
anything. Fonts are those inside typst and the DejaVu fonts that come with matplotlib, never the
machine's, so equal briefs give equal bytes. The file is tagged (PDF/UA-1): headings, tables and
the text alternatives of charts are there for screen readers.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from foedus.report.content import AnswerRow, Brief
from foedus.report.html import based, groups, link, put
from foedus.report.number_format import day, number, percent, points, visible
from foedus.report.plots import describe, fan_svg

TEMPLATE = "brief.typ"
#: Size of a chart in inches, so that ten of them with their texts fit on a page.
CHART = (4.3, 1.62)


def render_pdf(brief: Brief) -> bytes:
    """Return the PDF; equal briefs give equal bytes."""
    import matplotlib as mpl
    import typst

    fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
    values = json.dumps(plain(brief), ensure_ascii=False, allow_nan=False)
    with (
        as_file(files("foedus.report") / "templates") as folder,
        tempfile.TemporaryDirectory() as nowhere,  # no package is ever fetched or found
    ):
        made = typst.compile(
            folder / TEMPLATE,
            root=folder,
            font_paths=[fonts],
            ignore_system_fonts=True,
            format="pdf",
            sys_inputs={"brief": values},
            timestamp=0,
            pdf_standards="ua-1",
            package_path=nowhere,
            package_cache_path=nowhere,
        )
    return bytes(made)


def write(brief: Brief, path: Path) -> Path:
    """Write the PDF; see :func:`foedus.report.html.put`."""
    return put(render_pdf(brief), path)


def plain(brief: Brief) -> dict[str, Any]:
    """Return what the template shows: texts, and the numbers that bars are drawn from."""
    known = brief.known_by or day(brief.as_of)
    shown = {
        "title": brief.title,
        "kicker": f"Forecast, as of {known}",
        "known": known,
        "summary": brief.summary,
        "strip": [
            [
                "Days simulated",
                f"{day(brief.start)} to {day(brief.end)}",
            ],
            ["Runs", f"{brief.runs:,}"],
            ["Effective runs", number(brief.effective)],
            ["Evidence", f"{len(brief.evidence)} facts"],
        ],
        "verdict": brief.verdict,
        "headline": brief.headline,
        "advice": brief.advice,
        "groups": [
            {"kind": kind, "answers": [_answer(a) for a in answers]}
            for kind, answers in groups(brief)
        ],
        "charts": [
            {
                "title": fan.title,
                "unit": fan.unit,
                "text": (text := describe(fan, brief.as_of)),
                "alt": f"{fan.title}, {fan.unit}. {text}",
                "marks": [f"{day(m.date)}: {m.label}" for m in fan.marks],
                "svg": fan_svg(fan, brief.as_of, size=CHART),
            }
            for fan in brief.fans
        ],
        "explanations": [
            {
                **asdict(e),
                "before": percent(e.prior),
                "after": f"{percent(e.posterior)} {points(e.error)}",
            }
            for e in brief.explanations
        ],
        "apart": brief.apart,
        "contrasts": [asdict(c) for c in brief.contrasts],
        "watch": [asdict(w) for w in brief.watch],
        "alike": [asdict(a) for a in brief.alike],
        "evidence": [
            {
                "title": title,
                "facts": [
                    {**asdict(e), "link": link(e.address)}
                    for e in brief.evidence
                    if e.counts == counts
                ],
            }
            for title, counts in (
                ("Facts that bear on the runs", True),
                ("Facts for context", False),
            )
        ],
        "method": brief.method,
        "numbers": brief.numbers,
        "caveats": brief.caveats,
        "based": [["; ".join(questions), text] for text, questions in based(brief)],
        "provenance": brief.provenance,
    }
    cleaned: dict[str, Any] = clean(shown)
    return cleaned


def _answer(a: AnswerRow) -> dict[str, Any]:
    chance = None if a.probability is None else percent(a.probability)
    if chance is not None and a.error is not None:
        chance += f" {points(a.error)}"
    return {**asdict(a), "chance": chance}


def clean(value: Any) -> Any:
    """Return a value with the invisible letters taken out of its texts."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {k: clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [clean(v) for v in value]
    return value
