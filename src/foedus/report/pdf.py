"""The brief as a PDF: the same content as the page, set by typst.

The template is a file of foedus. All text of a case reaches it as data, as one JSON value in
``sys.inputs``; typst never reads it as markup, and the template neither evaluates nor imports
anything. Fonts are those inside typst and the DejaVu fonts that come with matplotlib, never the
machine's, so equal briefs give equal bytes. The file is tagged (PDF/UA-1): headings, tables and the
text alternatives of charts are available to screen readers.
"""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from dataclasses import fields, is_dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from foedus.report.document import Brief, Cell, Charts, FanChart, Table
from foedus.report.html import link, put
from foedus.report.number_format import visible
from foedus.report.plots import describe, fan_svg

TEMPLATE = "brief.typ"
#: Size of a chart in inches, such that ten of them with their texts fit on a page.
CHART = (4.3, 1.62)


def render_pdf(brief: Brief) -> bytes:
    """Return the PDF; equal briefs give equal bytes."""
    import matplotlib as mpl
    import typst

    fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
    values = json.dumps(plain(brief), ensure_ascii=False, allow_nan=False)
    with (
        as_file(files("foedus.report") / "templates") as folder,
        tempfile.TemporaryDirectory() as nowhere,  # no package is ever fetched or searched for
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
    """Return the data for the template: texts, and the numbers behind bars."""
    shown = {
        "title": brief.title,
        "known": brief.known_by,
        "summary": brief.summary,
        "strip": brief.strip,
        "setback": [_plain(part) for part in brief.setback],
        "sections": [_plain(section) for section in brief.sections],
    }
    cleaned: dict[str, Any] = clean(shown)
    return cleaned


def _plain(part: Any) -> Any:
    """Return a part of a document for the template, with the name of its type."""
    match part:
        case Charts(fans, as_of):
            return {"kind": "Charts", "charts": [_chart(fan, as_of) for fan in fans]}
        case Table():
            part = part.full()
        case tuple():
            return [_plain(inside) for inside in part]
    if not is_dataclass(part):
        return part
    names = {"kind": type(part).__name__}
    if isinstance(part, Cell):
        names["link"] = link(part.address)
    return names | {f.name: _plain(getattr(part, f.name)) for f in fields(part)}


def _chart(fan: FanChart, as_of: dt.date) -> dict[str, str]:
    text = describe(fan, as_of)
    return {
        "title": fan.title,
        "unit": fan.unit,
        "text": text,
        "alt": f"{fan.title}, {fan.unit}. {text}",
        "svg": fan_svg(fan, as_of, size=CHART),
    }


def clean(value: Any) -> Any:
    """Return a value with invisible characters removed from its texts."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {k: clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [clean(v) for v in value]
    return value
