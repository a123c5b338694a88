"""Documents and the brief as HTML that needs no network and no script."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from foedus.report import number_format
from foedus.report.plots import describe, fan_svg, sample_days

if TYPE_CHECKING:
    from jinja2 import Environment

    from foedus.report.document import Brief, Document

#: A word that has no place to break.
_LONG = re.compile(r"\S{24,}")
_PIECE = 12


def render(brief: Brief) -> str:
    """Return the page; equal briefs give equal bytes.

    Everything that comes from a case file is escaped. A source's address becomes a link only if it
    is http or https; nothing on the page is fetched.
    """
    return environment().get_template("brief.html.j2").render(brief=brief)


def document_html(document: Document) -> str:
    """Return a document as notebooks show it; all text is escaped, and nothing is fetched."""
    return environment().get_template("document.html.j2").render(document=document)


def environment() -> Environment:
    """Return the templates of the report; everything they show is escaped.

    A very long word may break after every twelve letters. Where markup would be shown as text, in
    an attribute or a title, a template says ``| whole``.
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
    pages.filters.update(
        whole=whole,
        day=number_format.day,
        rating=number_format.rating,
        link=link,
        kind=lambda part: type(part).__name__,
        fan_svg=lambda fan, as_of: Markup(fan_svg(fan, as_of)),
        describe=describe,
        sample_days=sample_days,
    )
    return pages


def write(brief: Brief, path: Path) -> Path:
    """Write the page; see :func:`put`."""
    return put(render(brief).encode("utf-8"), path)


def put(data: bytes, path: Path) -> Path:
    """Write a file beside ``path`` and move it into place, so that it is never incomplete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(data)
    temporary.replace(path)
    return path


def link(address: str) -> str:
    """Return the address if a browser may follow it, otherwise nothing.

    Examples
    --------
    >>> link("https://example.org/a"), link("javascript:alert(1)")
    ('https://example.org/a', '')
    """
    plain = address.strip()
    scheme = plain.lower().startswith(("http://", "https://"))
    return plain if scheme and not any(c.isspace() or ord(c) < 32 for c in plain) else ""
