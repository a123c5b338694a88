"""The brief: one HTML file that needs no network and no script."""

from __future__ import annotations

from pathlib import Path

from foedus.report import words
from foedus.report.content import Brief
from foedus.report.plots import describe, fan_svg

TEMPLATE = "brief.html.j2"


def render(brief: Brief) -> str:
    """Return the page; equal briefs give equal bytes.

    Everything that comes from a case file is escaped. A source's address becomes a link only where
    it is http or https; nothing on the page is fetched.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("foedus.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        percent=words.percent,
        points=words.points,
        number=words.number,
        day=words.day,
        rating=words.rating,
        link=link,
    )
    charts = [
        (fan, Markup(fan_svg(fan, brief.as_of)), describe(fan, brief.as_of)) for fan in brief.fans
    ]
    groups = [
        (kind, [a for a in brief.answers if a.kind == kind])
        for kind in ("binary", "number", "date")
    ]
    return environment.get_template(TEMPLATE).render(
        brief=brief, charts=charts, groups=[g for g in groups if g[1]]
    )


def write(brief: Brief, path: Path) -> Path:
    """Write the page beside ``path`` and move it into place, so that it is never half there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text(render(brief), encoding="utf-8")
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
