"""The tutorial notebook runs from top to bottom, and is stored without results."""

from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat")
NOTEBOOK = Path(__file__).parents[1] / "docs" / "tutorial" / "notebook.ipynb"


def notebook() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)


def test_it_is_stored_without_results() -> None:
    code = [c for c in notebook().cells if c.cell_type == "code"]
    assert code
    assert not [c for c in code if c.outputs or c.execution_count]


def test_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    ran = notebook()
    client = nbclient.NotebookClient(ran, timeout=300, kernel_name="python3")
    client.execute(cwd=str(tmp_path))
    outputs = [o for c in ran.cells if c.cell_type == "code" for o in c.outputs]
    shown = [o["data"] for o in outputs if "data" in o]
    pages = [d["text/html"] for d in shown if "text/html" in d]
    charts = [page for page in pages if 'role="img"' in page]  # not the bars of tables
    assert len(charts) == 2
    assert all("<desc" in chart for chart in charts)
    assert [d for d in shown if "application/vnd.jupyter.widget-view+json" in d]
    streams = [o for o in outputs if o.output_type == "stream" and o.name == "stdout"]
    printed = "".join(o["text"] for o in streams)
    assert printed.endswith("brief.html\nbrief.pdf\n")
    assert list(tmp_path.glob("*/arrests.png"))
