"""The pictures of the docs are small, and shrinking them again does not change them."""

from __future__ import annotations

import re

import numpy as np

from .scripts import script

pictures = script("tools/pictures.py")


def test_every_picture_of_the_docs_is_small():
    assert pictures.shrink(check=True) == []


def test_no_picture_carries_a_date_or_a_name_of_a_program():
    for path in sorted(pictures.DOCS.rglob("*.svg")):
        text = path.read_text(encoding="utf-8")
        assert "<dc:date>" not in text, path.name
        assert "Matplotlib" not in text, path.name


def test_a_thinned_line_stays_within_the_tolerance():
    x = np.linspace(0.0, 300.0, 2000)
    points = np.stack([x, 50.0 * np.sin(x / 30.0)], axis=1)
    kept = pictures.thinned(points)
    assert len(kept) < len(points) / 10
    assert np.abs(np.interp(x, *kept.T) - points[:, 1]).max() < 2 * pictures.TOLERANCE


def test_ends_of_lines_curves_and_scales_are_kept():
    line = '<path d="M 0.04 1.26 \nL 5 1.26 \nL 10.01 1.26 \nz\n"/>'
    svg = f'<svg>{line}<g transform="scale(0.015625)"/></svg>'
    small = pictures.small_svg(svg)
    assert 'd="M0 1.3L10 1.3z"' in small
    assert "scale(0.015625)" in small
    curve = '<svg><path d="M 0 0 C 1.111 2.222 3.333 4.444 5.555 6.666"/></svg>'
    assert re.search(r'd="M 0 0 C 1.1 2.2 3.3 4.4 5.6 6.7"', pictures.small_svg(curve))
