"""What is installed, what is public, and what stays fast."""

import inspect
import re
import subprocess
import sys
import tomllib
from importlib import resources
from pathlib import Path

import pytest

import foedus

ROOT = Path(__file__).parents[1]
HEAVY = ("numpy", "pandas", "xarray", "zarr", "numba", "scipy", "matplotlib", "pydantic", "jinja2")


@pytest.mark.parametrize("name", foedus.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(foedus, name)
    assert name == "__version__" or (value.__doc__ or "").strip()


def test_public_names_are_few_and_listed() -> None:
    assert len(foedus.__all__) <= 30
    assert set(foedus.__all__) <= set(dir(foedus))


def test_the_reference_lists_every_public_name() -> None:
    page = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    listed = re.findall(r"(?m)^\.\. auto(?:function|class|exception):: (\w+)$", page)
    assert sorted(listed) == sorted(set(foedus.__all__) - {"__version__"})


@pytest.mark.parametrize("name", [n for n in foedus.__all__ if n[0].islower()])
def test_every_parameter_of_a_public_function_is_described(name: str) -> None:
    function = getattr(foedus, name)
    described = re.split(r"\n\s*(?:Returns|Raises)\n", inspect.getdoc(function) or "")[0]
    for parameter in inspect.signature(function).parameters:
        assert re.search(rf"\b{parameter}\b", described.partition("Parameters\n")[2]), parameter


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'forcast'"):
        foedus.forcast  # type: ignore[attr-defined]  # noqa: B018


def test_version_is_that_of_pyproject() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert foedus.__version__ == project["project"]["version"]


@pytest.mark.parametrize("statement", ["import foedus", "import foedus.cli"])
def test_the_door_opens_without_the_heavy_libraries(statement: str) -> None:
    code = f"{statement}\nimport sys\nprint(*[m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize(
    "path",
    ["py.typed", "__init__.pyi", "report/templates/brief.html.j2", "report/templates/brief.css",
     "case/shipped/kazakhstan-2022.yaml", "case/shipped/niger-2023.yaml",
     "casebook/codebook.yaml", "casebook/fits.json",
     "casebook/fits.npz", "casebook/cases/KAZ2022.yaml"],
)  # fmt: skip
def test_data_files_travel_with_the_package(path: str) -> None:
    assert resources.files("foedus").joinpath(path).is_file()


def test_the_wheel_takes_all_files_of_the_package() -> None:
    """Hatchling packs a whole folder except what git ignores, whether tracked or not."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = ["src/foedus", "src/foedus_streets"]
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"] == {"packages": packages}
    if not (ROOT / ".git").exists():
        pytest.skip("no git checkout")
    command = ["git", "ls-files", "--ignored", "--cached", "--exclude-standard", "src"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == ""


@pytest.mark.parametrize("name", ["core.txt", "dev.txt", "uv.txt"])
def test_lock_files_pin_with_hashes_and_name_no_registry(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert "index-url" not in text
    pinned = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert pinned
    assert all(re.match(r"[a-z0-9._-]+(\[[a-z0-9,-]+\])?==\S+ ", line) for line in pinned)
    assert text.count("--hash=sha256:") >= len(pinned)


def test_development_pins_what_the_core_pins() -> None:
    def pins(name: str) -> set[str]:
        text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
        return set(re.findall(r"^(\S+==\S+)", text, flags=re.MULTILINE))

    assert pins("core.txt") <= pins("dev.txt")
