"""Explanations as text on a terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from foedus.judgement.factors import TOO_FEW
from foedus.report.tables import console, table
from foedus.report.words import day, number, percent, points

if TYPE_CHECKING:
    from foedus.judgement.counterfactual import Difference
    from foedus.judgement.explain import Explanations, Weighed
    from foedus.judgement.factors import Standing

_COLUMNS = ("", "As it was", "Otherwise", "Difference", "50% of pairs", "90% of pairs")


def print_explanations(found: Explanations) -> None:
    """Print the explanations, what moves them, how far apart they are, and the counterfactuals."""
    to = console()
    to.print(f"{found.title}: explanations as of {day(found.as_of)}", style="bold")
    runs = found.provenance.get("complete_runs")
    worth = f"worth {number(found.effective)} after weighing the evidence."
    to.print(f"{runs:,} runs, {worth}" if runs is not None else f"The runs are {worth}")
    if found.verdict != "ok":
        to.print(
            "No answer from the evidence: too few runs agree with it."
            if found.verdict == "refused"
            else "Weak answers: few runs agree with the evidence.",
            style="bold",
        )
        for line in found.advice:
            to.print(f"  {line}")
    to.print()
    if not found.hypotheses:
        to.print("The case names no hypotheses.")
    else:
        head = ("Which explanation?", "Before", "Evidence", "Casebook", "Both")
        ranked = sorted(found.hypotheses, key=_rank)
        to.print(table("", head, [_row(h) for h in ranked]))
        to.print()
        for h in ranked:
            to.print(f"{h.title}: {_said(h)}")
        to.print()
        to.print(found.casebook)
        _print_apart(found)
    for c in found.counterfactuals:
        to.print()
        title = f"{c.text} ({c.pairs} pairs, {c.changed} of {c.distinct} different runs change)"
        to.print(table(title, _COLUMNS, [_difference(d) for d in c.differences]))
    if found.counterfactuals:
        to.print()
        to.print(
            "What would have been otherwise is what the model says, with parameters learnt from "
            "what did happen; other known decisions stay as they were."
        )
    for warning in found.warnings:
        to.print(f"Mind: {warning}")


def _rank(h: Weighed) -> float:
    p = h.evidence.posterior
    return math.inf if math.isnan(p) else -p


def _row(h: Weighed) -> tuple[str, ...]:
    return (h.title, percent(h.prior), *(_chance(s) for s in (h.evidence, h.casebook, h.both)))


def _chance(s: Standing) -> str:
    if math.isnan(s.posterior):
        return "–"
    return percent(s.posterior) + ("" if math.isnan(s.error) else f" {points(s.error)}")


def _said(h: Weighed) -> str:
    middle, low, high = h.evidence.factor
    out = h.evidence.words
    if math.isfinite(h.evidence.log_factor_error) and out != TOO_FEW:
        out += f" (Bayes factor {number(middle)}, {number(low)} to {number(high)})"
    if h.casebook.words.startswith("the casebook") or not math.isfinite(h.casebook.log_factor):
        past = ""
    else:
        past = f"; the casebook: {h.casebook.words}"
    top = next((m for m in h.moved_by if m.told), None)
    if top is None:
        return f"{out}; no single fact moves it beyond chance{past}."
    side = "for" if top.shift > 0 else "against"
    name = "the known decisions together" if top.fact == "known-decisions" else f"fact {top.fact}"
    times = number(math.exp(min(abs(top.shift), 300.0)))
    return f"{out}; moved most by {name}, by a factor of {times} {side} it{past}."


def _print_apart(found: Explanations) -> None:
    to = console()
    told = [a for a in found.apart if a.told]
    if len(found.apart) and not told:
        to.print("No two explanations differ in their answers by more than chance.")
    title = {h.id: h.title for h in found.hypotheses}
    for a in sorted(told, key=lambda a: -a.distance)[:3]:
        to.print(
            f'Furthest apart in their answers: "{title[a.a]}" and "{title[a.b]}", on question '
            f"{a.question}, by {100 * a.distance:.0f} points (chance gives {100 * a.noise:.0f})."
        )


def _difference(d: Difference) -> tuple[str, ...]:
    share = d.unit.startswith("share")
    q05, q25, _, q75, q95 = (_signed(q, share) for q in d.quantiles)
    return (
        f"{d.title} ({'%, points' if share else d.unit})",
        _amount(d.factual, share),
        _amount(d.counterfactual, share),
        f"{_signed(d.mean, share)} ± {_amount(d.error, share)}",
        f"{q25} to {q75}",
        f"{q05} to {q95}",
    )


def _amount(x: float, share: bool) -> str:
    """Return a number as finely as it means anything: a tenth of a point, of a person."""
    x = 100.0 * x if share else x
    return number(round(x, 1))


def _signed(x: float, share: bool) -> str:
    text = _amount(abs(x), share)
    return text if text == "0" else f"−{text}" if x < 0 else f"+{text}"
