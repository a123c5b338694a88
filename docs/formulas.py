"""A Sphinx extension: formulas as pictures, set by matplotlib, so that no script is needed."""

from __future__ import annotations

import base64
import io
import re
from html import escape
from typing import Any

import matplotlib as mpl
from docutils import nodes
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import math_to_image
from sphinx.application import Sphinx

#: LaTeX that matplotlib writes otherwise.
SPELLINGS = ((r"\\tfrac\b", r"\\frac"), (r"\\(ge|le)\b", r"\\\1q"))
#: Points; matplotlib rounds a formula's depth to whole ones, so large ones are finer.
SIZE = 40
#: Points of SIZE that are one em of the page: Times looks small beside the page's font.
EM = 34
STYLE = {"mathtext.fontset": "stix", "svg.fonttype": "path", "svg.hashsalt": "foedus"}


def picture(latex: str) -> str:
    """Return a formula as an HTML image that stands on the baseline of its line."""
    text = " ".join(latex.split())
    for pattern, spelling in SPELLINGS:
        text = re.sub(pattern, spelling, text)
    out = io.BytesIO()
    with mpl.rc_context(STYLE):
        depth = math_to_image(f"${text}$", out, FontProperties(size=SIZE), dpi=72, format="svg")
    svg = re.sub(rb"<metadata>.*?</metadata>", b"", out.getvalue(), flags=re.DOTALL)
    width, height = (
        float(size) / EM for size in re.findall(rb'(?:width|height)="([\d.]+)pt"', svg)[:2]
    )
    data = base64.b64encode(svg).decode()
    return (
        f'<img class="formula" alt="{escape(latex)}" src="data:image/svg+xml;base64,{data}"'
        f' style="width:{width:.3f}em;max-width:none;height:{height:.3f}em;'
        f'vertical-align:{-depth / EM:.3f}em">'
    )


def inline(translator: Any, node: nodes.math) -> None:
    """Write a formula within a line."""
    translator.body.append(picture(node.astext()))
    raise nodes.SkipNode


def block(translator: Any, node: nodes.math_block) -> None:
    """Write a formula on a line of its own."""
    latex = node.astext().replace(r"\frac", r"\dfrac")
    translator.body.append(f'<p class="formula">{picture(latex)}</p>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer."""
    app.add_html_math_renderer("formulas", (inline, None), (block, None))
    return {"parallel_read_safe": True}
