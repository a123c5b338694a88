"""Explanations in words, for terminal, brief and notebook alike."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from foedus.answers.bayes_factors import Grade
from foedus.answers.explanations import DECISIONS
from foedus.errors import InputError
from foedus.report import content
from foedus.report.number_format import count, number, percent, points
from foedus.report.verdict_words import words

if TYPE_CHECKING:
    from foedus.answers.bayes_factors import Standing
    from foedus.answers.counterfactuals import Contrast, Difference
    from foedus.answers.explanations import Explanations, Hypothesis
    from foedus.answers.forecasts import Forecast
    from foedus.answers.watch_list import Watch

#: What to keep in mind of every counterfactual.
MIND = (
    "What would have been otherwise is what the model says, with parameters learnt from "
    "what did happen; other known decisions stay as they were."
)


def explanations_of(
    forecast: Forecast, found: Explanations | None
) -> tuple[content.ExplanationRow, ...]:
    """Return the competing explanations, the likeliest first; none where the evidence is mute.

    Parameters
    ----------
    forecast : Forecast
        Has each explanation's weight by the evidence.
    found : Explanations, optional
        Adds what the casebook says, and what moves each.
    """
    weighed = {} if found is None else {h.id: h for h in found.hypotheses}
    out = []
    for h in sorted(forecast.hypotheses, key=lambda h: -h.posterior):
        if h.posterior != h.posterior:
            continue
        more = weighed.get(h.id)
        words = (
            ("", "", "")
            if more is None
            else (chance(more.casebook), chance(more.both), _sentence(said(more, text=True)))
        )
        out.append(
            content.ExplanationRow(
                h.title, h.says, h.put_forward_by, h.prior, h.posterior, h.error, *words
            )
        )
    return tuple(out)


def apart_of(forecast: Forecast, found: Explanations | None) -> tuple[str, ...]:
    """Return what the casebook says of the explanations, and where their answers differ."""
    if found is None or not found.hypotheses:
        return ()
    texts = {a.id: f"“{a.text}”" for a in forecast.answers}
    return tuple(t for t in (words(found.casebook), *apart(found, texts)) if t)


def contrasts_of(found: Explanations | None) -> tuple[content.ContrastTable, ...]:
    """Return what would have been otherwise."""
    return tuple(
        content.ContrastTable(
            c.title,
            c.pairs,
            c.distinct,
            c.changed,
            tuple(content.DifferenceRow(*difference(d)) for d in c.differences),
        )
        for c in (() if found is None else found.counterfactuals)
    )


def contrast_title(c: Contrast) -> str:
    """Return what is otherwise, and in how many runs it shows."""
    changed = f"{c.changed} of {count(c.distinct, 'different run')} change"
    return f"{c.title} ({count(c.pairs, 'pair')}, {changed})"


def warnings_of(found: Explanations | None) -> tuple[str, ...]:
    """Return what to keep in mind of explanations and counterfactuals."""
    if found is None:
        return ()
    return (*map(str, found.warnings), *((MIND,) if found.counterfactuals else ()))


def same(forecast: Forecast, other: Explanations | Watch | None, what: str) -> None:
    """Refuse to put results of different cases, dates or runs into one brief.

    Raises
    ------
    InputError
    """
    if other is None:
        return
    made = (other.case_id, other.as_of.isoformat(), other.provenance.get("digest"))
    wanted = (forecast.case_id, forecast.as_of.isoformat(), forecast.provenance.get("digest"))
    if made != wanted:
        raise InputError(
            f"{what}: of the same case, date and runs as the forecast, {_known(wanted)} "
            f"(found {_known(made)})"
        )


def _known(made: tuple[str, str, object]) -> str:
    case, date, digest = made
    return f"{case} as of {date}" + (f", runs {digest}" if digest else "")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def chance(s: Standing) -> str:
    """Return a posterior with its error."""
    if math.isnan(s.posterior):
        return "–"
    return percent(s.posterior) + ("" if math.isnan(s.error) else f" {points(s.error)}")


def said(h: Hypothesis, *, text: bool = False) -> str:
    """Return what a hypothesis is worth and what moves it most.

    Parameters
    ----------
    h : Hypothesis
    text : bool
        Name the fact by its text, for readers who do not have the case file.
    """
    middle, low, high = h.evidence.factor
    strength = h.evidence.strength
    out = words(strength)
    if math.isfinite(h.evidence.log_factor_error) and strength.grade is not Grade.TOO_FEW:
        out += f" (Bayes factor {number(middle)}, {number(low)} to {number(high)})"
    past = f"; the casebook: {words(h.casebook.strength)}" if h.casebook.told else ""
    if math.isnan(h.evidence.posterior):
        return f"{out}{past}."
    top = next((m for m in h.moved_by if m.told), None)
    if top is None:
        return f"{out}; no single fact moves it beyond chance{past}."
    side = "for" if top.shift > 0 else "against"
    fact = f"“{top.text.rstrip('.')}”" if text else f"fact {top.fact}"
    name = "the known decisions together" if top.fact == DECISIONS else fact
    times = number(math.exp(min(abs(top.shift), 300.0)))
    return f"{out}; moved most by {name}, by a factor of {times} {side} it{past}."


def apart(found: Explanations, texts: Mapping[str, str] | None = None) -> list[str]:
    """Return, a line each, on which answers explanations differ by more than chance.

    Parameters
    ----------
    found : Explanations
    texts : mapping of str to str, optional
        What to call a question; its id if absent.
    """
    texts = texts or {}
    told = [a for a in found.apart if a.told]
    if len(found.apart) and not told:
        return ["No two explanations differ in their answers by more than chance."]
    title = {h.id: h.title for h in found.hypotheses}
    return [
        f'Furthest apart in their answers: "{title[a.a]}" and "{title[a.b]}", on question '
        f"{texts.get(a.question or '', a.question)}, by {100 * a.distance:.0f} points "
        f"(chance gives {100 * a.noise:.0f})."
        for a in sorted(told, key=lambda a: -a.distance)[:3]
    ]


def difference(d: Difference) -> tuple[str, ...]:
    """Return the cells of a difference: title, both means, their difference, two ranges."""
    share = d.unit.startswith("share")
    q05, q25, _, q75, q95 = (_signed(q, share) for q in d.quantiles)
    return (
        f"{d.title} ({'%, points' if share else d.unit})",
        _amount(d.factual, share),
        _amount(d.counterfactual, share),
        f"{_signed(d.mean, share)} ± {'?' if math.isnan(d.error) else _amount(d.error, share)}",
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
