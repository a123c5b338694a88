"""The brief: one HTML file that needs no network and no script."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from foedus.report import number_format
from foedus.report.content import AnswerRow, Brief
from foedus.report.plots import describe, fan_svg, sample_days

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATE = "brief.html.j2"

#: A word without a place to break.
_LONG = re.compile(r"\S{24,}")
_PIECE = 12


def render(brief: Brief) -> str:
    """Return the page; equal briefs give equal bytes.

    Everything that comes from a case file is escaped. A source's address becomes a link only where
    it is http or https; nothing on the page is fetched.
    """
    from markupsafe import Markup

    pages = environment()
    pages.filters.update(
        percent=number_format.percent,
        points=number_format.points,
        number=number_format.number,
        day=number_format.day,
        rating=number_format.rating,
        link=link,
        sample_days=sample_days,
    )
    charts = [
        (fan, Markup(fan_svg(fan, brief.as_of)), describe(fan, brief.as_of)) for fan in brief.fans
    ]
    return pages.get_template(TEMPLATE).render(
        brief=brief, charts=charts, groups=groups(brief), based=based(brief)
    )


def environment() -> Environment:
    """Return the templates of the report; whatever they show is escaped.

    A very long word may break after every twelve letters. Where markup would be text, in an
    attribute or a title, a template says ``| whole``.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup, escape

    def whole(value: str) -> Markup:
        return escape(number_format.visible(value))

    def shown(value: object) -> object:
        if not isinstance(value, str) or isinstance(value, Markup):
            return value
        parts = _LONG.sub(lambda m: "\0".join(wrap(m[0], _PIECE)), number_format.visible(value))
        return Markup("<wbr>").join(parts.split("\0"))

    pages = Environment(
        loader=PackageLoader("foedus.report"),
        autoescape=True,
        finalize=shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    pages.filters["whole"] = whole
    return pages


def groups(brief: Brief) -> list[tuple[str, list[AnswerRow]]]:
    """Return the answers by kind of question; kinds without any are left out."""
    found = [
        (kind, [a for a in brief.answers if a.kind == kind])
        for kind in ("binary", "number", "date")
    ]
    return [g for g in found if g[1]]


def based(brief: Brief) -> list[tuple[str, list[str]]]:
    """Return each outside view in words, with the questions that it is about."""
    out: dict[str, list[str]] = {}
    for answer in brief.answers:
        if answer.base_text:
            out.setdefault(answer.base_text, []).append(answer.text)
    return list(out.items())


def write(brief: Brief, path: Path) -> Path:
    """Write the page; see :func:`put`."""
    return put(render(brief).encode("utf-8"), path)


def put(data: bytes, path: Path) -> Path:
    """Write a file beside ``path`` and move it into place, so that it is never half there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(data)
    temporary.replace(path)
    return path


def link(address: str) -> str:
    """Return the address if a browser may follow it, else nothing.

    Examples
    --------
    >>> link("https://example.org/a"), link("javascript:alert(1)")
    ('https://example.org/a', '')
    """
    plain = address.strip()
    scheme = plain.lower().startswith(("http://", "https://"))
    return plain if scheme and not any(c.isspace() or ord(c) < 32 for c in plain) else ""
