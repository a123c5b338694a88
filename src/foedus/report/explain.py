"""Explanations as text on a terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from foedus.answers.bayes_factors import Grade
from foedus.report.explanation_words import MIND, apart, chance, contrast_title, difference, said
from foedus.report.number_format import day, percent, worth
from foedus.report.tables import console, print_verdict, table
from foedus.report.verdict_words import words

if TYPE_CHECKING:
    from foedus.answers.explanations import Explanations, Hypothesis

COLUMNS = ("", "As it was", "Otherwise", "Difference", "50% of pairs", "90% of pairs")


def print_explanations(found: Explanations) -> None:
    """Print the explanations, what moves them, how far apart they are, and the counterfactuals."""
    to = console()
    to.print(f"{found.title}: explanations as of {day(found.as_of)}", style="bold")
    runs = found.provenance.get("complete_runs")
    to.print(worth(found.effective, runs))
    print_verdict(to, found.verdict, refused="No answer from the evidence")
    to.print()
    if not found.hypotheses:
        to.print("The case names no hypotheses.")
    elif len(found.hypotheses) == 1:
        only = found.hypotheses[0].title
        to.print(f"The case names one hypothesis, so nothing stands against it: {only}.")
    else:
        head = ("Which explanation?", "Before", "Evidence", "Casebook", "Both")
        ranked = sorted(found.hypotheses, key=rank)
        to.print(table("", head, [row(h) for h in ranked]))
        to.print()
        for h in ranked:
            to.print(f"{h.title}: {said(h)}")
        to.print()
        to.print(words(found.casebook))
        for line in apart(found):
            to.print(line)
    for c in found.counterfactuals:
        to.print()
        to.print(table(contrast_title(c), COLUMNS, [difference(d) for d in c.differences]))
    if found.counterfactuals:
        to.print()
        to.print(MIND)
    elif found.left_out:
        to.print()
        to.print(f"No counterfactuals: {words(found.left_out)}.")
    for warning in found.warnings:
        to.print(f"Mind: {warning}")


def rank(h: Hypothesis) -> float:
    """Return what puts the likeliest explanation first."""
    p = h.evidence.posterior
    return math.inf if math.isnan(p) else -p


def row(h: Hypothesis) -> tuple[str, ...]:
    """Return the cells of an explanation: title, prior, and what each source says."""
    if h.evidence.strength.grade is Grade.ALONE:
        return (h.title, "the only one", "–", "–", "–")
    return (h.title, percent(h.prior), *(chance(s) for s in (h.evidence, h.casebook, h.both)))
