"""Scenario discovery in a sentence, as a document and as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from foedus.report.document import Document, Paragraph, Part, Section, Table, paragraphs, section
from foedus.report.number_format import day, number, percent, plus_minus, with_unit
from foedus.report.plots import FAINT, INK, INNER, LINE, STYLE, inline, svg_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from foedus.answers.discovery import Condition, Discovery, Step

#: A restriction that comes back in a smaller share of the resamples is called unsteady.
_STEADY = 0.5
#: A restriction with a quasi-p above this may be chance, and is introduced by "perhaps".
_BORNE_OUT = 0.05
#: Width of a chart in inches.
_WIDTH = 7.2


_CONDITIONS = ("Condition", "Holds in", "Comes back in", "Quasi-p")
_STEPS = ("Step", "Restricted", "Mass", "Density", "Coverage")


def discovery_document(found: Discovery) -> Document:
    """Return the sentence, its conditions, and the trajectory from which it comes."""
    weighed = "after weighing the evidence" if found.evidence else "before the evidence"
    runs = "1 run counts" if found.runs == 1 else f"{found.runs:,} runs count"
    said = [sentence(found)]
    if found.found and any(c.quasi_p > _BORNE_OUT for c in found.conditions):
        said.append(
            "Perhaps: what the box would lose without this condition may be chance on the runs "
            f"that had no part in the search (quasi-p above {_BORNE_OUT:g})."
        )
    parts: list[Part] = [
        Paragraph(f"{runs}, worth {number(found.effective)} {weighed}."),
        *section(said),
    ]
    if found.found:
        rows = tuple(
            (condition(c), percent(c.holds), percent(c.stability), f"{c.quasi_p:.2g}")
            for c in found.conditions
        )
        meanings = [f"{c.input.name}: {c.input.meaning}" for c in found.conditions]
        shaky = [c.input.name for c in found.conditions if c.stability < _STEADY]
        if shaky:
            meanings.append(f"Unsteady, gone in most resamples: {', '.join(shaky)}.")
        parts += [Table("", _CONDITIONS, rows), Section(paragraphs(meanings))]
    title = "The trajectory, on the half of the runs that had no part in the search"
    parts.append(Table(title, _STEPS, tuple(_step(s, found) for s in _some(found))))
    if found.found:
        parts.append(
            Paragraph("* the box comes from here, without the restrictions that may do nothing.")
        )
    return Document(f"{found.title}: as of {day(found.as_of)}", tuple(parts))


def _step(s: Step, found: Discovery) -> tuple[str, ...]:
    return (
        f"{s.number}" + (" *" if found.found and s.number == found.chosen else ""),
        str(len(s.box.restrictions)),
        percent(s.held.mass),
        percent(s.held.density),
        percent(s.held.coverage),
    )


def sentence(found: Discovery) -> str:
    """Return the finding in one sentence."""
    outcome = f"“{found.text}” {found.outcome}"
    base = percent(found.base)
    if not found.found:
        return (
            f"Nothing found: {outcome}, in {base} of the runs, but no conditions on the inputs "
            "set these apart on runs that had no part in the search."
        )
    held = found.held
    return (
        f"{outcome}: in {percent(held.density)} {plus_minus(held.density_error)} of the runs in "
        f"which {_conditions(found.conditions)}, against {base} of all and "
        f"{percent(found.outside)} of the others; the conditions hold in {percent(held.mass)} of "
        f"the runs and cover {percent(held.coverage)} {plus_minus(found.coverage_error)} of those "
        "with this outcome."
    )


def _conditions(conditions: Sequence[Condition]) -> str:
    """Return the conditions in words, individually confirmed ones first."""
    sure = [f"{_meaning(c)} {_limits(c)}" for c in conditions if c.quasi_p <= _BORNE_OUT]
    rest = [f"perhaps {_meaning(c)} {_limits(c)}" for c in conditions if c.quasi_p > _BORNE_OUT]
    return " and ".join((*sure, *rest))


def _meaning(c: Condition) -> str:
    """Return the meaning of an input, or its name if it has none."""
    text = c.input.meaning.rstrip(".")
    return f"“{text}”" if text else c.input.name


def condition(c: Condition) -> str:
    """Return a condition in words, with the input's name."""
    return f"{c.input.name.replace('chance:', 'chance: ')} {_limits(c)}"


def _limits(c: Condition) -> str:
    if c.options:
        return f"is {' or '.join(c.options)}"
    low, high = c.low, c.high
    if low is not None and high is not None:
        ends = (_with_unit(low, c.input.unit), _with_unit(high, c.input.unit))
        first = ends[0] if c.input.unit == "share" else number(low)
        return f"is {first} to {ends[1]}"
    if low is not None:
        return f"is at least {_with_unit(low, c.input.unit)}"
    return f"is at most {_with_unit(high or 0.0, c.input.unit)}"


def _with_unit(x: float, unit: str) -> str:
    return f"{number(100.0 * x)}%" if unit == "share" else with_unit(x, unit)


def _some(found: Discovery) -> list[Step]:
    """Return some steps of the trajectory: its ends, the chosen one, and some between."""
    last = len(found.trajectory) - 1
    stride = max(1, round(last / 8))
    wanted = {*range(0, last + 1, stride), last, *((found.chosen,) if found.found else ())}
    return [found.trajectory[n] for n in sorted(wanted)]


def discovery_svg(found: Discovery) -> str:
    """Draw coverage against density along the trajectory, and the conditions of the box.

    Parameters
    ----------
    found : Discovery

    Returns
    -------
    str
        An ``<svg>`` element with a title and a description.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(_WIDTH, 3.0), facecolor="white")
        FigureCanvasSVG(figure)
        ax = figure.add_axes((0.075, 0.16, 0.36, 0.68))
        for half, color, size, name in (
            ("sought", "#9aa5af", 3.0, "half that was searched"),
            ("held", LINE, 3.5, "other half"),
        ):
            steps = [getattr(s, half) for s in found.trajectory]
            ax.plot(
                [100 * q.coverage for q in steps],
                [100 * q.density for q in steps],
                "-o" if found.method == "prim" else "o",
                color=color, markersize=size, linewidth=1.0, label=name,
            )  # fmt: skip
        ax.axhline(100 * found.base, color=FAINT, linewidth=0.8, dashes=(3, 2))
        if found.found:
            ax.plot([100 * found.held.coverage], [100 * found.held.density], "s", color=INK,
                    markersize=7, markerfacecolor="none", label="the box")  # fmt: skip
        ax.set_xlim(-3, 103)
        ax.set_ylim(-3, 103)
        ax.set_xlabel("coverage, % of the outcome", fontsize=8, color=INK)
        ax.set_ylabel("density, % of the runs inside", fontsize=8, color=INK)
        ax.legend(
            frameon=False, fontsize=7.5, loc="lower left", bbox_to_anchor=(-0.02, 0.99), ncol=3,
            columnspacing=1.0, handletextpad=0.4, borderpad=0.1,
        )  # fmt: skip
        _draw_conditions(figure.add_axes((0.49, 0.16, 0.49, 0.68)), found)
        figure.text(0.01, 0.93, f"{found.text} – {found.outcome}", fontsize=9.5, weight="bold")
        text = svg_of(figure)
    title = f"Conditions: {found.text} – {found.outcome}"
    return inline(text, f"discovery-{found.question}", title, sentence(found))


def _draw_conditions(ax: Axes, found: Discovery) -> None:
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    if not found.found:
        ax.set_xticks([])
        ax.spines["bottom"].set_visible(False)
        ax.text(0.0, 0.5, "Nothing found.", color=INK, transform=ax.transAxes)
        return
    for row, c in enumerate(found.conditions):
        ax.plot([0, 100], [row, row], color="#eceff1", linewidth=7, solid_capstyle="butt")
        ax.plot([100 * r for r in c.ranks], [row, row], color=INNER, linewidth=7,
                solid_capstyle="butt")  # fmt: skip
        ax.text(0, row - 0.22, f"{condition(c)}  (back in {100 * c.stability:.0f}%)", fontsize=8,
                color=INK, va="bottom")  # fmt: skip
    ax.set_ylim(max(len(found.conditions), 3) - 0.5, -0.8)
    ax.set_xlim(0, 100)
    ax.set_xlabel("runs, ordered by the input, %", fontsize=8, color=INK)
