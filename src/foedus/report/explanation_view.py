"""Competing explanations and counterfactuals: as a document, and as the brief shows them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from foedus.answers.bayes_factors import Grade
from foedus.answers.explanations import DECISIONS
from foedus.errors import InputError
from foedus.report.document import (
    Bar,
    Cell,
    Column,
    Document,
    Paragraph,
    Part,
    Section,
    Table,
    cautions,
    paragraphs,
    section,
)
from foedus.report.number_format import count, day, number, percent, plus_minus, worth
from foedus.report.verdict_words import verdict_parts, words
from foedus.weighing.silence import SILENCE

if TYPE_CHECKING:
    from foedus.answers.bayes_factors import Standing
    from foedus.answers.counterfactuals import Contrast, Difference
    from foedus.answers.explanations import Explanations, Hypothesis
    from foedus.answers.forecasts import Explanation, Forecast
    from foedus.answers.watch_list import Watch

_COLUMNS = ("Which explanation?", "Before", "Evidence", "Casebook", "Both")
_DIFFERENCES = (
    Column("Outcome"),
    Column("As it was", 16),
    Column("Otherwise", 16),
    Column("Difference", 32),
    Column("50% of pairs", 30),
    Column("90% of pairs", 34),
)

#: Limitation of every counterfactual.
MIND = (
    "These differences are the model's, with parameters inferred from "
    "what happened; other known decisions stay as they were."
)


def explanations_document(found: Explanations) -> Document:
    """Return the explanations, what moves them, how far apart they are, and counterfactuals."""
    runs = found.provenance.get("complete_runs")
    parts: list[Part] = [
        Paragraph(worth(found.effective, runs)),
        *verdict_parts(found.verdict, refused="No answer from the evidence"),
        *_explanations(found),
        *(contrast_table(c) for c in found.counterfactuals),
    ]
    if found.counterfactuals:
        parts.append(Section((Paragraph(MIND),)))
    elif found.left_out:
        parts.append(Section((Paragraph(f"No counterfactuals: {words(found.left_out)}."),)))
    title = f"{found.title}: explanations as of {day(found.as_of)}"
    return Document(title, (*parts, *cautions(found.warnings)))


def _explanations(found: Explanations) -> tuple[Part, ...]:
    if not found.hypotheses:
        return section(("The case names no hypotheses.",))
    if len(found.hypotheses) == 1:
        only = found.hypotheses[0].title
        return section((f"The case names one hypothesis, so there is no alternative: {only}.",))
    ranked = sorted(found.hypotheses, key=_rank)
    return (
        Table("", _COLUMNS, tuple(_row(h) for h in ranked)),
        Section(paragraphs(f"{h.title}: {said(h)}" for h in ranked)),
        Section(paragraphs((*redated(found), words(found.casebook), *apart(found)))),
    )


def redated(found: Explanations) -> list[str]:
    """Return one line for each event whose day is not known: what it would say on either day."""
    out = []
    for one in found.redated:
        parts = [
            f"{h.title} {percent(a)} or {percent(b)}"
            for h, a, b in zip(found.hypotheses, one.at_first, one.at_last, strict=True)
        ]
        end = "" if one.told else " The evidence does not tell which explanation leads."
        out.append(
            f"The day of “{one.text.rstrip('.')}” is not known; if it was {day(one.first)} or "
            f"{day(one.last)}: {', '.join(parts)}.{end}"
        )
    return out


def _rank(h: Hypothesis) -> float:
    """Return a sort key that puts the likeliest explanation first."""
    p = h.evidence.posterior
    return math.inf if math.isnan(p) else -p


def _row(h: Hypothesis) -> tuple[str, ...]:
    """Return the cells of an explanation: title, prior, and its probability by each source."""
    if h.evidence.strength.grade is Grade.ALONE:
        return (h.title, "the only one", "–", "–", "–")
    return (h.title, percent(h.prior), *(chance(s) for s in (h.evidence, h.casebook, h.both)))


def contrast_table(c: Contrast) -> Table:
    """Return a counterfactual's differences, and the number of runs that change."""
    changed = f"{c.changed} of {count(c.distinct, 'different run')} change"
    return Table(
        c.title,
        _DIFFERENCES,
        tuple(difference(d) for d in c.differences),
        note=f"{count(c.pairs, 'pair')}, {changed}",
    )


def explanations_table(forecast: Forecast, found: Explanations | None = None) -> tuple[Table, ...]:
    """Return the competing explanations, likeliest first, if the evidence weighs at least two.

    Parameters
    ----------
    forecast : Forecast
        Has each explanation's weight by the evidence.
    found : Explanations, optional
        Adds the casebook's weighing, and what moves each explanation.
    """
    weighed = [h for h in forecast.hypotheses if not math.isnan(h.posterior)]
    if len(weighed) < 2:
        return ()
    more = {} if found is None else {h.id: h for h in found.hypotheses}
    past = (Column("Casebook", 18), Column("Both", 18)) if more else ()
    rows = tuple(
        _explanation(h, more.get(h.id)) + (("–", "–") if more and h.id not in more else ())
        for h in sorted(weighed, key=lambda h: -h.posterior)
    )
    columns = (Column("Explanation"), Column("Before", 13), Column("After the evidence", 42), *past)
    return (Table("Which explanation?", columns, rows, bars=("after", "sampling error", "before")),)


def _explanation(h: Explanation, more: Hypothesis | None) -> tuple[Cell | str, ...]:
    says = f"{h.says} Put forward by {h.put_forward_by}."
    moved = () if more is None else (_sentence(said(more, text=True)),)
    past = () if more is None else (chance(more.casebook), chance(more.both))
    after = Cell(
        percent(h.posterior),
        beside=plus_minus(h.error),
        strong=True,
        bar=Bar(share=h.posterior, error=h.error, compared=h.prior),
    )
    return (Cell(h.title, below=(says, *moved)), percent(h.prior), after, *past)


def apart_of(forecast: Forecast, found: Explanations | None) -> tuple[str, ...]:
    """Return the casebook's expectation, and where the explanations' answers differ."""
    if found is None or not found.hypotheses:
        return ()
    texts = {a.id: f"“{a.text}”" for a in forecast.answers}
    return tuple(t for t in (*redated(found), words(found.casebook), *apart(found, texts)) if t)


def warnings_of(found: Explanations | None) -> tuple[str, ...]:
    """Return the warnings about explanations and counterfactuals."""
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
            f"{what}: of the same case, date and runs as the forecast, {_made_from(wanted)} "
            f"(found {_made_from(made)})"
        )


def _made_from(made: tuple[str, str, object]) -> str:
    case, date, digest = made
    return f"{case} as of {date}" + (f", runs {digest}" if digest else "")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def chance(s: Standing) -> str:
    """Return a posterior with its error."""
    if math.isnan(s.posterior):
        return "–"
    return percent(s.posterior) + ("" if math.isnan(s.error) else f" {plus_minus(s.error)}")


def said(h: Hypothesis, *, text: bool = False) -> str:
    """Return the standing of a hypothesis and the fact that moves it most.

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
    together = {DECISIONS: "the known decisions together", SILENCE: "what no fact reports"}
    name = together.get(top.fact, fact)
    times = number(math.exp(min(abs(top.shift), 300.0)))
    return f"{out}; moved most by {name}, by a factor of {times} {side} it{past}."


def apart(found: Explanations, texts: Mapping[str, str] | None = None) -> list[str]:
    """Return one line each for the answers on which explanations differ beyond chance.

    Parameters
    ----------
    found : Explanations
    texts : mapping of str to str, optional
        Names of questions; by default their ids.
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


def difference(d: Difference) -> tuple[Cell | str, ...]:
    """Return the cells of a difference: title, both means, their difference, two ranges."""
    share = d.unit.startswith("share")
    q05, q25, _, q75, q95 = (_signed(q, share) for q in d.quantiles)
    error = "?" if math.isnan(d.error) else _amount(d.error, share)
    return (
        f"{d.title} ({'%, points' if share else d.unit})",
        _amount(d.factual, share),
        _amount(d.counterfactual, share),
        Cell(f"{_signed(d.mean, share)} ± {error}", strong=True),
        f"{q25} to {q75}",
        f"{q05} to {q95}",
    )


def _amount(x: float, share: bool) -> str:
    """Return a number with meaningful precision: a tenth of a point or of a person."""
    x = 100.0 * x if share else x
    return number(round(x, 1))


def _signed(x: float, share: bool) -> str:
    text = _amount(abs(x), share)
    return text if text == "0" else f"−{text}" if x < 0 else f"+{text}"
