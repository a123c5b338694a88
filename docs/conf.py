"""Sphinx: ``make docs``. Nothing is fetched, and a warning is an error."""

import sys
from pathlib import Path

import foedus

sys.path.insert(0, str(Path(__file__).parent))

project = "foedus"
author = "The foedus authors"
copyright = "2026, The foedus authors"  # noqa: A001 - the name is Sphinx's
version = release = foedus.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "formulas",
]
exclude_patterns = ["_build"]
suppress_warnings = ["toc.empty_glob"]
templates_path: list[str] = []

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
html_math_renderer = "formulas"

autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

html_theme = "pydata_sphinx_theme"
html_title = "foedus"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navigation_with_keys": False,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "use_edit_page_button": False,
}
html_sidebars = {"index": []}
