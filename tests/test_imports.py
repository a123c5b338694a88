"""Data flow one way through the house, and so do imports."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import foedus

ROOT = Path(foedus.__file__).parent
BASE = {
    "defaults",
    "errors",
    "plain_values",
    "randomness",
    "scoring_rules",
    "weighted_statistics",
}
#: The stages in their order: each may import those before it.
ORDER = ("case", "casebook", "world", "ensemble", "weighing", "answers", "scoring", "report")
MAY_IMPORT = {
    "defaults": set(),
    "errors": set(),
    "randomness": {"errors"},
    "plain_values": set(),
    "weighted_statistics": set(),
    "scoring_rules": {"defaults", "errors", "plain_values"},
    **{name: BASE | set(ORDER[:i]) for i, name in enumerate(ORDER)},
    "streets": BASE | {"case", "world"},
    "notebook": BASE | set(ORDER),
    "app": BASE | {*ORDER, "streets"},
}
#: Objects that draw themselves: what only ``plot``, ``_repr_html_`` and ``__str__`` may import.
CHARTS, FORECAST = "foedus.report.charts", "foedus.report.forecast_view"
VIEWS = {
    "answers/diagnostics.py": {"foedus.report.diagnostics_view"},
    "answers/discovery.py": {"foedus.report.discovery_view"},
    "answers/explanations.py": {"foedus.report.explanation_view"},
    "answers/sensitivity_results.py": {"foedus.report.sensitivity_view"},
    "answers/timelines.py": {"foedus.report.timeline_view"},
    "answers/watch_list.py": {"foedus.report.watch_view"},
    "case/models.py": {FORECAST},
    "ensemble/ensemble.py": {CHARTS, FORECAST},
    "plain_values.py": {"foedus.report.verdict_words"},
    "report/document.py": {"foedus.report.html"},
    "scoring/scores.py": {FORECAST},
    "answers/forecasts.py": {CHARTS, FORECAST},
}
FREE = {"__init__", "__main__", "cli"}


def stage(path: Path) -> str:
    """Return the folder, or the single file, of the package to which a file belongs."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def in_views(tree: ast.AST, allowed: set[str]) -> set[ast.AST]:
    """Return the allowed imports inside the methods that show, and those for types only."""
    places = [
        node
        for node in ast.walk(tree)
        if (isinstance(node, ast.FunctionDef) and node.name in ("plot", "_repr_html_", "__str__"))
        or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    ]
    return {
        node
        for place in places
        for node in ast.walk(place)
        if isinstance(node, ast.ImportFrom) and node.module in allowed
    }


def names_imported(path: Path, tree: ast.AST, without: set[ast.AST]) -> set[str]:
    """Return the full names that a file imports from foedus, inside functions too."""
    here = ("foedus", *path.relative_to(ROOT).with_suffix("").parts)
    names: set[str] = set()
    for node in ast.walk(tree):
        if node in without:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(here[: len(here) - node.level]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.startswith("foedus.")}


def views_of(path: Path, tree: ast.AST) -> set[ast.AST]:
    """Return the imports that a file may make against the order."""
    return in_views(tree, VIEWS.get(path.relative_to(ROOT).as_posix(), set()))


def imported(path: Path) -> set[str]:
    """Return the stages that a file imports, including inside functions and type checks."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {name.split(".")[1] for name in names_imported(path, tree, views_of(path, tree))}


def graph() -> dict[str, set[str]]:
    """Return the modules that each module imports, inside functions too, but not for types only."""
    paths = {
        ".".join(("foedus", *p.relative_to(ROOT).with_suffix("").parts)).removesuffix(
            ".__init__"
        ): p
        for p in ROOT.rglob("*.py")
    }
    edges: dict[str, set[str]] = {}
    for module, path in paths.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        without = views_of(path, tree) | {
            node
            for place in ast.walk(tree)
            if isinstance(place, ast.If) and ast.unparse(place.test) == "TYPE_CHECKING"
            for statement in place.body
            for node in ast.walk(statement)
        }
        names = names_imported(path, tree, without)
        # A name is a module, or is defined in the module from which it is imported.
        found = {name if name in paths else name.rpartition(".")[0] for name in names}
        assert found <= set(paths), (module, found - set(paths))
        edges[module] = found
    return edges


@pytest.mark.parametrize("name", sorted(MAY_IMPORT))
def test_imports_point_one_way(name: str) -> None:
    wrong = {}
    for path in (p for p in ROOT.rglob("*.py") if stage(p) == name):
        back = imported(path) - MAY_IMPORT[name] - {name, "__version__"}
        if back:
            wrong[str(path.relative_to(ROOT))] = sorted(back)
    assert wrong == {}


def test_no_module_imports_itself_by_way_of_others() -> None:
    try:
        TopologicalSorter(graph()).prepare()
    except CycleError as error:
        pytest.fail(f"imports go in a circle: {' <- '.join(error.args[1])}")


def test_the_graph_has_imports_inside_functions_but_not_for_types_or_views() -> None:
    edges = graph()
    assert "foedus.report.html" in edges["foedus.report.brief"]
    assert "foedus.answers.forecasts" not in edges["foedus.report.brief"]
    assert "foedus.report.charts" not in edges["foedus.ensemble.ensemble"]


def test_every_file_belongs_to_a_known_stage() -> None:
    assert {stage(p) for p in ROOT.rglob("*.py")} <= set(MAY_IMPORT) | FREE


def test_the_walk_sees_imports_inside_functions_and_relative_ones() -> None:
    assert "casebook" in imported(ROOT / "cli" / "casebook.py")
    assert {"case", "errors"} <= imported(ROOT / "__init__.pyi")


def test_foedus_does_not_know_the_lattice_study() -> None:
    """``foedus_streets`` imports foedus, never the other way round."""
    beside = ROOT.parent / "foedus_streets"
    assert beside.is_dir()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] == "foedus_streets" for name in names), path
