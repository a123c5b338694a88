"""Write the generated parts of the ODD+D page from the code, so that the page matches it.

Run it after a change to a mechanism's parameters or docstring::

    python tools/odd.py            # rewrites docs/explanation/odd.md
    python tools/odd.py --check    # exit status 1 if the page is out of date

The text between ``<!-- generated: NAME -->`` and ``<!-- end -->`` is replaced; the rest is written
by hand.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path

from generated import rewrite

from foedus.case.priors import (
    Beta,
    Choice,
    Fixed,
    Gamma,
    LogNormal,
    Normal,
    Prior,
    Uniform,
)
from foedus.case.vocabulary import EVENTS, MECHANISMS
from foedus.world.mechanism import Parameter
from foedus.world.order import ORDER, VARIABLES, mechanism
from foedus.world.state import State

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "odd.md"
_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def schedule() -> str:
    """Return the order of a day as a numbered list."""
    moving = [m.name for m in ORDER if m.step is not None]
    lines = [f"{n}. **{name}**: {_first(name)}" for n, name in enumerate(moving, start=1)]
    still = [m.name for m in ORDER if m.step is None]
    lines += ["", f"Set at the start and constant afterwards: {', '.join(still)}."]
    return "\n".join(lines)


def state() -> str:
    """Return the state variables, from the docstring of the state."""
    text = inspect.cleandoc(State.__doc__ or "").split("Attributes\n----------\n", 1)[1]
    rows = []
    for match in re.finditer(r"^(\S.*?) : (.+)\n((?:    .*\n?|\n)*)", text + "\n", re.MULTILINE):
        meaning = " ".join(match[3].split())
        rows.append([f"`{name}`" for name in match[1].split(", ")] + [match[2], meaning])
    table = [[", ".join(row[:-2]), f"`{row[-2]}`", row[-1]] for row in rows]
    events = ", ".join(f"`{e}`" for e in EVENTS)
    return _table(["Variable", "Shape", "Meaning"], table) + f"\n\nEvents with a day: {events}."


def outputs() -> str:
    """Return the output variables of a run."""
    rows = [
        [f"`{v.name}`", " × ".join(("run", *v.dims)), v.unit, v.meaning] for v in VARIABLES.values()
    ]
    return _table(["Variable", "Dimensions", "Unit", "Meaning"], rows)


def submodels() -> str:
    """Return each mechanism's docstring, what it reads and writes, and its parameters."""
    parts = []
    for number, name in enumerate(MECHANISMS, start=1):
        declared = mechanism(name)
        parts += [f"### {number}. {name.capitalize()}", "", _markdown(declared.text), ""]
        parts += [f"Reads {_listed(declared.reads)}; writes {_listed(declared.writes)}.", ""]
        if declared.borrows:
            parts += [f"Also uses other mechanisms' {_listed(declared.borrows)}.", ""]
        rows = [_row(p) for p in sorted(declared.parameters, key=lambda p: p.name)]
        if rows:
            header = ["Parameter", "Default prior", "Unit", "Meaning", "Origin", "Source"]
            parts += [_table(header, rows), ""]
        else:
            parts += ["It has no parameters.", ""]
    return "\n".join(parts).rstrip()


def summary() -> str:
    """Return the number of parameters, and the origins of their priors."""
    declared = [p for m in ORDER for p in m.parameters]
    origins: dict[str, int] = {}
    for p in declared:
        origins[p.prior.origin] = origins.get(p.prior.origin, 0) + 1
    counts = ", ".join(f"{n} {origin}" for origin, n in sorted(origins.items()))
    return f"{len(declared)} parameters are declared; by origin of the default prior: {counts}."


def prior(p: Prior) -> str:
    """Return a prior in the notation of the tables."""
    match p:
        case Fixed():
            return f"{p.value:g}"
        case Normal():
            return f"Normal({p.mean:g}, {p.sd:g}){_limits(p.low, p.high)}"
        case LogNormal():
            return f"LogNormal(median {p.median:g}, σ {p.sd_log:g})"
        case Uniform():
            return f"Uniform({p.low:g}, {p.high:g})"
        case Beta():
            scaled = "" if (p.low, p.high) == (0, 1) else f" on [{p.low:g}, {p.high:g}]"
            return f"Beta(mean {p.mean:g}, n {p.n:g}){scaled}"
        case Gamma():
            return f"Gamma(mean {p.mean:g}, shape {p.shape:g})"
        case Choice():
            weights = p.weights or (1.0,) * len(p.options)
            pairs = zip(p.options, weights, strict=True)
            return "one of " + ", ".join(f"{o} ({w / sum(weights):.2g})" for o, w in pairs)


def _limits(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    return f" on [{'−∞' if low is None else f'{low:g}'}, {'∞' if high is None else f'{high:g}'}]"


def _listed(fields: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in fields) or "nothing of the state"


def _row(p: Parameter) -> list[str]:
    return [f"`{p.name}`", prior(p.prior), p.unit, p.meaning, p.prior.origin, p.prior.source]


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(c) for c in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _first(name: str) -> str:
    """Return the first sentence of a mechanism's docstring, without its heading."""
    line = inspect.cleandoc(mechanism(name).text).split("\n\n")[0].replace("\n", " ")
    return re.sub(r"^Mechanism \d+, [^:]+: ", "", line)


def _markdown(docstring: str) -> str:
    """Return a docstring as Markdown: roles as code, simple tables, indented lines as they are."""
    text = _RULED.sub(lambda m: _simple_table(m[1], m[2]), inspect.cleandoc(docstring))
    out, code = [], False
    for line in text.split("\n"):
        indented = line.startswith("    ")
        if indented and not code:
            out.append("```text")
        elif code and line and not indented:
            out.insert(-1, "```") if out[-1] == "" else out.append("```")
        code = indented or (code and not line)
        if code:
            line = line.removeprefix("    ").replace("``", "")
        else:
            line = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", line).replace("``", "`")
            line = re.sub(r"::$", ":", line)
            line = re.sub(r"(?<![`\w\\])_(?=\w)", r"\\_", line) if "`" not in line else line
        out.append(line)
    if code:
        out.append("```")
    return "\n".join(out)


#: A simple reStructuredText table without a heading: two rules, and the rows between them.
_RULED = re.compile(r"^(=+(?: +=+)+)\n(.*?)\n\1$", re.DOTALL | re.MULTILINE)


def _simple_table(rule: str, rows: str) -> str:
    spans = [m.span() for m in re.finditer("=+", rule)]
    cells = [[row[low:high].strip() for low, high in spans] for row in rows.split("\n")]
    return _table([""] * len(spans), cells)


PARTS: dict[str, Callable[[], str]] = {
    "schedule": schedule,
    "state": state,
    "outputs": outputs,
    "summary": summary,
    "submodels": submodels,
}


def page(text: str) -> str:
    """Return the page with its generated parts updated."""
    return _PART.sub(lambda m: m[1] + "\n" + PARTS[m[2]]() + "\n\n" + m[3], text)


if __name__ == "__main__":
    sys.exit(rewrite(PAGE, page, "odd.py", "Write the generated parts of the ODD+D page."))
