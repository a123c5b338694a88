"""Verdicts, their reasons and warnings, in words.

Weighing and answers hold them as data; ``str`` of these data, and their JSON, are the words here.
"""

from __future__ import annotations

import datetime as dt
import math
from functools import singledispatch

from foedus.answers.bayes_factors import Grade, Strength, Witness
from foedus.answers.diagnostics import Belief
from foedus.answers.explanations import (
    CasebookView,
    NoBelievedRuns,
    NoCasebookView,
    NoCounterfactuals,
)
from foedus.answers.sensitivity_results import NoAnswer, NoEffects, TooFewEffective
from foedus.plain_values import Worded, four_figures
from foedus.report.document import Items, Paragraph, Part
from foedus.report.number_format import because
from foedus.weighing.evidence import Evidence
from foedus.weighing.verdict import (
    REFUSE_BELOW,
    THIN_ABOVE_K,
    THIN_BELOW,
    Costly,
    Disbelieved,
    Failure,
    FewRuns,
    HeavyTail,
    ImpossibleDecisions,
    Level,
    NoOutsideView,
    NoRuns,
    NothingUsable,
    Refusal,
    Together,
    UnlikelyDecisions,
    Unmet,
    Verdict,
    short,
)

TOO_FEW = "too few runs to tell"
UNMET = "the runs do not meet the evidence"
#: More runs are advised if at most this multiple of the runs would be enough.
_MOST_MORE = 100


def reason(verdict: Verdict) -> str:
    """Return why a verdict is not ok, in a few words; empty if only the advice says so.

    Examples
    --------
    >>> few = FewRuns(runs=4000, effective=12.0)
    >>> reason(Verdict(level=Level.REFUSED, reasons=(few,))), reason(Verdict(level=Level.REFUSED))
    ('too few runs agree with the evidence', 'the runs do not meet the evidence')
    """
    if verdict.ok:
        return ""
    for found in verdict.reasons:
        if isinstance(found, NothingUsable):
            return _few("too few", found.runs, REFUSE_BELOW)
        if isinstance(found, FewRuns) and found.level is verdict.level:
            return _short(found)
    return UNMET if verdict.refused else ""


def headline(verdict: Verdict, *, refused: str = "No answer", thin: str = "Weak answers") -> str:
    """Return a verdict with its reason in a sentence; empty if all is well.

    Parameters
    ----------
    verdict : Verdict
    refused, thin : str
        Names for an answer of these levels.

    Examples
    --------
    >>> few = FewRuns(runs=4000, effective=12.0)
    >>> headline(Verdict(level=Level.REFUSED, reasons=(few,)))
    'No answer: too few runs agree with the evidence.'
    """
    return "" if verdict.ok else because(refused if verdict.refused else thin, reason(verdict))


def verdict_parts(
    verdict: Verdict, *, refused: str = "No answer", thin: str = "Weak answers"
) -> tuple[Part, ...]:
    """Return a verdict that is not ok, with its reasons; parameters as of :func:`headline`."""
    if verdict.ok:
        return ()
    return (
        Paragraph(headline(verdict, refused=refused, thin=thin), strong=True),
        Items(advice(verdict)),
    )


def advice(verdict: Verdict) -> tuple[str, ...]:
    """Return the reasons of a verdict, and what would help, in a sentence or two each."""
    return tuple(words(found) for found in verdict.reasons)


def conflicting(verdict: Verdict) -> tuple[Evidence, ...]:
    """Return the facts that the reasons of a verdict name, the worst first."""
    facts: list[Evidence] = []
    for found in verdict.reasons:
        if isinstance(found, Disbelieved | ImpossibleDecisions | Together):
            facts += found.facts
        elif isinstance(found, Unmet | Costly):
            facts.append(found.fact)
    return tuple(facts)


@singledispatch
def words(found: Worded) -> str:
    """Return data in words.

    Raises
    ------
    NotImplementedError
        If there are none for their type.
    """
    raise NotImplementedError(f"no words for {type(found).__name__}")


@words.register
def _(found: NothingUsable) -> str:
    return "No run could be judged at all: every one has a value that is not a number."


@words.register
def _(found: FewRuns) -> str:
    """Return how many runs would do, where that can be said."""
    runs, effective = found.runs, found.effective
    are = "1 run is" if runs == 1 else f"{runs:,} runs are"
    if not short(effective, runs):  # all weigh the same, so it is only their number
        few = "too few" if found.level is Level.REFUSED else "few"
        return f"{are} {few}: make {THIN_BELOW:.0f} or more."
    what = _short(found)
    what = what[0].upper() + what[1:]
    wanted = _round_up(runs * THIN_BELOW / effective)
    if wanted <= _MOST_MORE * runs:
        return (
            f"{what}: {are} worth {effective:.0f}. About {wanted:,} runs would be "
            f"worth {THIN_BELOW:.0f}: run more, or widen the priors of what the costliest facts "
            "are about."
        )
    if runs < THIN_BELOW:
        return f"{what}: {are} worth {effective:.1f}. Run more, to see whether others agree better."
    return (
        f"{what}: {are} worth {effective:.1f}. More runs alone will not do: look at the facts that "
        "cost most, their ratings, and the priors of what they are about."
    )


def _short(found: FewRuns) -> str:
    if found.level is Level.REFUSED:
        return _few("too few", found.runs, REFUSE_BELOW)
    return _few("few", found.runs, THIN_BELOW)


def _few(how: str, runs: int, limit: float) -> str:
    return f"{how} runs" + ("" if runs < limit else " agree with the evidence")


def _round_up(number: float) -> int:
    unit = 10 ** max(math.floor(math.log10(max(number, 1.0))) - 1, 0)
    return int(math.ceil(number / unit - 1e-6) * unit)


@words.register
def _(found: HeavyTail) -> str:
    return (
        f"A handful of runs dominates (Pareto shape {found.k:.2f}, above {THIN_ABOVE_K}): the "
        "errors given are too small."
    )


@words.register
def _(found: Disbelieved) -> str:
    named = "; ".join(f"{_named(e)}, {_doubts(e)}" for e in found.facts)
    if found.most:
        return (
            f"The runs disbelieve most of the well rated evidence, so do not trust them: {named}."
        )
    return f"The runs disbelieve well rated reports: {named}."


@words.register
def _(found: Unmet) -> str:
    e = found.fact
    return (
        f"No run comes near {_named(e)}: the runs say {_span(e)}, the nearest {_value(e.nearest)}, "
        f"which makes it {_times(e)} times less likely than agreement."
    )


@words.register
def _(found: Costly) -> str:
    e, far = found.fact, ""
    if e.closest is not None and e.closest < -0.7:
        far = f"; even the closest run makes it {_times(e)} times less likely than agreement"
    return (
        f"Without {_named(e)} the runs would be worth {e.ess_without or 0.0:.1f} instead of "
        f"{found.effective:.1f}{far}."
    )


@words.register
def _(found: Together) -> str:
    named = "; ".join(_named(e) for e in found.facts)
    return f"No fact alone conflicts with the runs, but together few runs agree with: {named}."


@words.register
def _(found: ImpossibleDecisions) -> str:
    named = "; ".join(
        f"{_named(e)}, excluded in {share:.0%} of the runs"
        for e, share in zip(found.facts, found.shares, strict=True)
    )
    return (
        "No run could have taken all known decisions by its own rules, so what is known "
        f"contradicts itself or the model: {named}."
    )


def _named(e: Evidence) -> str:
    where = f" in {e.place}" if e.place else ""
    said = e.reported or "yes"
    said = f"{int(said):,}" if said.isdecimal() else said
    what = f"{e.quantity}{where} {said}"
    return f"fact {e.id} ({what}, {e.about}, {e.source_name}, rated {e.rating})"


def _doubts(e: Evidence) -> str:
    if e.unmet:
        return f"no run comes near it (they say {_span(e)})"
    return f"{e.disbelief:.0%} likely wrong"


def _times(e: Evidence) -> str:
    return f"{math.exp(min(-(e.closest or 0.0), 300.0)):,.0f}"


def _span(e: Evidence) -> str:
    low, high = _value(e.runs[0]), _value(e.runs[-1])
    return low if low == high else f"{low} to {high}"


def _value(v: float | dt.date | None) -> str:
    if v is None:
        return "never"
    return v.isoformat() if isinstance(v, dt.date) else four_figures(v)


@words.register
def _(found: NoRuns) -> str:
    return f"no run was made under hypothesis {found.hypothesis}: run more"


@words.register
def _(found: UnlikelyDecisions) -> str:
    return (
        f"{found.excluded:.0%} of the runs would hardly have taken the known decisions: by their "
        "own rules these are a billion times less likely than in the best run "
        f"({', '.join(found.facts)})"
    )


@words.register
def _(found: NoOutsideView) -> str:
    return f"question {found.question}: no outside view: {found.problem}"


@words.register
def _(found: Failure) -> str:
    return found.problem


@words.register
def _(found: Refusal) -> str:
    """Return why nothing is answered, and the facts that conflict with the runs or each other."""
    facts = ", ".join(dict.fromkeys(e.id for e in conflicting(found.verdict)))
    named = f" Facts in conflict with the runs: {facts}." if facts else ""
    return ": ".join(("refused", *advice(found.verdict)[:1])) + named


_GRADES = {
    Grade.ALONE: "there is no other explanation",
    Grade.TOO_FEW: TOO_FEW,
    Grade.UNMET: UNMET,
    Grade.BARE: "not worth more than a bare mention",
    Grade.POSITIVE: "positive",
    Grade.STRONG: "strong",
    Grade.VERY_STRONG: "very strong",
}
_WITNESSES = {Witness.EVIDENCE: "the evidence", Witness.CASEBOOK: "the casebook"}


@words.register
def _(found: Strength) -> str:
    """Return what a Bayes factor is worth.

    Examples
    --------
    >>> words(Strength(grade=Grade.STRONG)), words(Strength(grade=Grade.MUTE))
    ('strong for it', 'the evidence does not tell')
    """
    if found.grade is Grade.MUTE:
        return f"{_WITNESSES[found.witness]} does not tell"
    text = _GRADES[found.grade]
    if found.grade in (Grade.ALONE, Grade.TOO_FEW, Grade.UNMET):
        return text
    side = "for it" if found.supports else "against it"
    return f"{side}, {text}" if found.grade is Grade.BARE else f"{text} {side}"


@words.register
def _(found: Belief) -> str:
    return {
        Belief.BELIEVED: "believed",
        Belief.DOUBTED: "doubted more than rated",
        Belief.DISBELIEVED: "disbelieved",
        Belief.UNKNOWN: TOO_FEW,
    }[found]


@words.register
def _(found: CasebookView) -> str:
    return (
        f"Before it began, the casebook expected: a request {found.request}, troops if asked "
        f"{found.troops_if_asked}."
    )


@words.register
def _(found: NoCasebookView) -> str:
    ending = {
        NoCasebookView.NOT_ASKED: ".",
        NoCasebookView.NO_RIVALS: ": there are no two explanations to tell apart.",
        NoCasebookView.NO_FEATURES: ": the case names no trigger and organisation.",
    }[found]
    return f"The casebook does not tell{ending}"


@words.register
def _(found: NoBelievedRuns) -> str:
    return f"they start from runs that are believed, and {reason(found.verdict)}"


@words.register
def _(found: NoCounterfactuals) -> str:
    if found is NoCounterfactuals.NOT_ASKED:
        return "no pairs of runs were asked for"
    return "no known decision, made otherwise, would have changed any run"


@words.register
def _(found: NoEffects) -> str:
    if found is NoEffects.CONSTANT:
        return "all runs give the same answer"
    return "a design of its own knows no evidence"


@words.register
def _(found: TooFewEffective) -> str:
    return f"fewer than {found.fewest:g} effective runs after the evidence: run more"


@words.register
def _(found: NoAnswer) -> str:
    return f"no answer after the evidence: {reason(found.verdict)}"
