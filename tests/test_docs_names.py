"""The commands, files, modules and make targets that the docs name exist."""

from __future__ import annotations

import importlib
import re
import shlex
from pathlib import Path

import cyclopts

from foedus.cli.app import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
TEXTS = {str(page.relative_to(ROOT)): page.read_text(encoding="utf-8") for page in PAGES}
#: Words that stand for a value of their own kind.
PLACEHOLDERS = {"COMMAND", "FIRST..LAST", "DATE", "FORMAT"}


def commands(text: str) -> list[str]:
    """Return every foedus command of a page, from its blocks and from its lines."""
    blocks = re.findall(r"```(?:sh|bash)\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    inline = re.findall(r"`(foedus [^`\n]+)`", text)
    return [c for c in (*lines, *inline) if c.startswith("foedus ") and "…" not in c]


def mistake(command: str) -> str:
    """Return what is wrong with a command; it may be named without its arguments."""
    words = shlex.split(command.split(" > ")[0], comments=True)[1:]
    if not PLACEHOLDERS & set(words):
        try:
            app.parse_args(words, exit_on_error=False, print_error=False)
        except cyclopts.MissingArgumentError:
            return ""
        except cyclopts.CycloptsError as error:
            return f"{command}: {error}"
    return ""


def test_every_command_is_understood() -> None:
    found = {page: [m for c in commands(text) if (m := mistake(c))] for page, text in TEXTS.items()}
    assert {page: wrong for page, wrong in found.items() if wrong} == {}
    assert sum(len(commands(text)) for text in TEXTS.values()) > 100


def test_every_file_exists() -> None:
    pattern = (
        r"`\.?/?((?:src|tests|tools|benchmarks|docs)/[\w./-]+)`|\b((?:tools|benchmarks)/\w+\.py)"
    )
    for page, text in TEXTS.items():
        for name in {a or b for a, b in re.findall(pattern, text)}:
            assert "NAME" in name or (ROOT / name).exists(), (page, name)


def test_every_name_can_be_imported() -> None:
    for page, text in TEXTS.items():
        for name in set(re.findall(r"`(foedus(?:_streets)?(?:\.\w+)+)[`(]", text)):
            first, *rest = name.split(".")
            found = importlib.import_module(first)
            for part in rest:
                if not hasattr(found, part):
                    assert hasattr(found, "__path__"), (page, name)
                    importlib.import_module(f"{found.__name__}.{part}")
                found = getattr(found, part)


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
    for page, text in TEXTS.items():
        named = re.findall(r"`make ([a-z-]+)\b|^make ([a-z-]+)", text, re.MULTILINE)
        assert {a or b for a, b in named} <= targets, page
