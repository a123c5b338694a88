"""The priors of a case: default, casebook, case file and hypothesis.

Where a case names its trigger and organisation, the fitted models of :mod:`foedus.casebook` say how
often such a government asks for help, how often help comes, how soon, and for how long. The fits
exclude the case itself and everything from the year in which it starts or later. They set the
priors of these parameters:

- ``leader.request_base``, ``leader.request_fade``: the model's chance that such a government asks
  within :data:`ASKS` days of the trigger, on a usual course of unrest, and the share of the coded
  requests that came within :data:`SOON` days;
- ``alliance.lead_intercept``: the model's log-odds of troops given a request. The lead and the vote
  together have this chance, and the lead's mean interest, the street challenge and the allies'
  belief are taken off;
- ``alliance.scale``: the model's number of soldiers, against the usual shares of the pools;
- ``airlift.assembled`` and ``airlift.assembly``: the chance that more than :data:`PROMPT` days pass
  from request to arrival, and the length of that time;
- ``airlift.short_mission``, ``short_stay``, ``long_stay``: the mixture of stays.

What remains between the simulated world and the models is corrected by weights, see
:mod:`foedus.ensemble.prior_matching`.

A prior in the case file overrides the casebook's, which overrides the default.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foedus.case.models import Case, Hypothesis
from foedus.case.priors import Beta, Choice, LogNormal, Normal, Prior
from foedus.case.problems import nearest
from foedus.case.times import DAYS_PER_MONTH
from foedus.errors import InputError, Problem
from foedus.scoring_rules import smoothed_share
from foedus.world.mechanism import Parameter
from foedus.world.mechanisms.alliance import answer_chance
from foedus.world.mechanisms.leader import allied_share, call_shares
from foedus.world.mechanisms.ties import lead_interest
from foedus.world.setting import Setting

if TYPE_CHECKING:
    from foedus.casebook.outlook import Outlook

FloatArray = NDArray[np.float64]

#: Days from the trigger within which a government that will ask has asked.
ASKS = 365
#: Days from the trigger by whose share of the coded requests the fall of the hazard is set, and the
#: standard deviation of that fall; elicited.
SOON, FADE_SD = 3, 0.15
#: Utilities of asking in calm, and falls of the hazard, that are tried.
BASES, FADES = np.linspace(-15.0, 10.0, 251), np.linspace(0.0, 2.0, 41)
#: Usual course of unrest after a trigger: intensity on the first day, and days of its decay.
UNREST, UNREST_DAYS = 0.6, 2.0
#: Longest time from request to arrival, in days, of a mission that was on stand-by.
PROMPT = 3.0
#: Longest short mission, in months.
SHORT_MONTHS = 4.0
#: Least standard deviation of a log-odds, so that a small sample never counts as certain.
LEAST_SD = 0.5


def refuse_undeclared(case: Case, registry: dict[str, Parameter]) -> None:
    """Raise InputError with all that :func:`undeclared` finds, in the order of the file."""
    if problems := undeclared(case, registry):
        raise InputError(in_order(problems))


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Return problems in the order of the file."""
    return sorted(problems, key=lambda p: (p.line or 0, p.column or 0))


def undeclared(case: Case, registry: dict[str, Parameter]) -> list[Problem]:
    """Return the problems with names in a case that neither a mechanism nor the casebook knows.

    These are priors that no parameter declares or allows, and unknown words of the casebook.
    """
    from foedus.casebook.case_words import unknown_words

    layers: list[tuple[tuple[str | int, ...], dict[str, Prior]]] = [(("priors",), case.priors)]
    layers += [(("hypotheses", n, "priors"), h.priors) for n, h in enumerate(case.hypotheses)]
    problems = list(unknown_words(case))
    for path, priors in layers:
        for name, prior in priors.items():
            if name not in registry:
                expected = f"a declared parameter{nearest(name, registry)}"
                problems.append(case.problem((*path, name), repr(name), expected))
            elif (fault := _fault(registry[name], prior)) is not None:
                problems.append(case.problem((*path, name), *fault))
    return problems


def _fault(declared: Parameter, prior: Prior) -> tuple[str, str] | None:
    """Return what was found and what would be right, or None if the prior is allowed."""
    if isinstance(prior, Choice) and prior.options != getattr(declared.prior, "options", ()):
        legal = ", ".join(getattr(declared.prior, "options", ())) or "none, because it is a number"
        expected = f"the options {legal}; give each a weight"
        return ", ".join(prior.options), expected
    median = float(prior.quantile(np.array([0.5]))[0])
    if not declared.low <= median <= declared.high:
        expected = f"a prior whose median is between {declared.low:g} and {declared.high:g}"
        return f"{median:g}", expected
    return None


def resolve(
    case: Case, registry: dict[str, Parameter], hypothesis: Hypothesis | None = None
) -> dict[str, Prior]:
    """Return the prior of each parameter: hypothesis over case over casebook over default.

    Raises
    ------
    InputError
        If the case names a parameter that no mechanism declares, or a prior that it does not allow.
    """
    refuse_undeclared(case, registry)
    priors: dict[str, Prior] = {name: p.prior for name, p in registry.items()}
    priors |= casebook_priors(case, registry)
    priors |= case.priors
    if hypothesis is not None:
        priors |= hypothesis.priors
    return priors


def casebook_priors(
    case: Case, registry: dict[str, Parameter], *, later_rows: bool = False
) -> dict[str, Prior]:
    """Return the priors that the casebook gives a case.

    Empty where the case names no trigger or no organisation.

    Parameters
    ----------
    case : Case
    registry : dict of str to Parameter
        Declared parameters; their default priors give the average covariates.
    later_rows : bool
        Use what became known after the case began too. Only for leave-one-out scores.
    """
    if case.trigger_type is None or case.organisation is None:
        return {}
    outlook = casebook_outlook(case, later_rows=later_rows)
    setting = Setting.of(case)
    left_out = "this case" if later_rows else "this case or later ones"
    tags = sorted({tag for tag, _, _ in outlook.provenance.values()})
    like = f"{case.trigger_type}, {case.organisation}"
    source = f"casebook without {left_out} (fits {', '.join(tags)}): {like}"
    waits = casebook_waits(case, later_rows=later_rows)[0][:, 0]
    soon = smoothed_share([*(waits <= SOON)]) / smoothed_share([*(waits <= ASKS)])
    base, fade = _call(outlook.request.draws, soon, setting, registry)
    troops = outlook.answer_if_asked["troops"].draws
    return {
        "leader.request_base": _normal(base, source),
        "leader.request_fade": Normal(
            dist="normal", mean=fade, sd=FADE_SD, origin="casebook", source=source
        ),
        "alliance.lead_intercept": _normal(
            _logit(_lead(troops, setting, registry)) - _expected(setting, registry), source
        ),
        "alliance.scale": _scale(outlook.soldiers, setting, registry, source),
        **_tempo(outlook.arrival_days, source),
        **_length(outlook.months, outlook.short_mission.draws, source),
    }


def casebook_outlook(case: Case, *, later_rows: bool = False) -> Outlook:
    """Return what the casebook's models say of a case with a trigger type and an organisation.

    The case's own row is left out, and without ``later_rows`` so is all that became known after
    the case began.
    """
    from foedus.casebook.case_words import helper_group

    assert case.trigger_type is not None
    assert case.organisation is not None
    ally = case.alliance
    lead = next(m for m in ally.members if m.actor == ally.lead)
    return _outlook(
        case.trigger_type,
        helper_group(case.organisation),
        case.start.year,
        None if later_rows else case.start,
        _own_row(case),
        ally.lead_has_base,
        ally.rival_opposed,
        lead.contiguous,
    )


def _own_row(case: Case) -> str | tuple[str, int] | None:
    from foedus.casebook import load_casebook

    return load_casebook().own_row(case)


@functools.lru_cache(maxsize=32)
def _outlook(
    trigger: str,
    organisation: str,
    year: int,
    before: dt.date | None,
    exclude: str | tuple[str, int] | None,
    base: bool | None,
    rival: bool | None,
    contiguous: bool,
) -> Outlook:
    from foedus.casebook.design import Features
    from foedus.casebook.outlook import predict

    features = Features(trigger, organisation, year, base=base, rival=rival, contiguous=contiguous)
    return predict(features, before=before, exclude=exclude)


def casebook_waits(case: Case, *, later_rows: bool = False) -> tuple[FloatArray, FloatArray]:
    """Return the casebook's days from trigger to request (row, 2), and to the answer (row,).

    They leave out what :func:`casebook_outlook` leaves out.
    """
    from foedus.casebook import load_casebook
    from foedus.casebook.rates import answer_waits, request_waits

    book = load_casebook()
    before, own = None if later_rows else case.start, _own_row(case)
    return (
        request_waits(book, before=before, exclude=own),
        answer_waits(book, before=before, exclude=own),
    )


def _logit(p: FloatArray) -> FloatArray:
    p = np.clip(p, 1e-4, 1.0 - 1e-4)
    return np.asarray(np.log(p) - np.log1p(-p))


def _mean(registry: dict[str, Parameter], name: str) -> float:
    """Return the median of a parameter's default prior."""
    return float(registry[name].prior.quantile(np.array([0.5]))[0])


def _call(
    p: FloatArray, soon: float, setting: Setting, registry: dict[str, Parameter]
) -> tuple[FloatArray, float]:
    """Return the utility of asking in calm, and its fall with time.

    By them a government asks this helper with chance p within :data:`ASKS` days, on the usual
    course of unrest, and a share ``soon`` of those that ask do so within :data:`SOON` days.
    """
    through = 1.0
    if setting.patrons:
        name = "leader.patron_dependence"
        shares = call_shares(setting, {name: np.array([_mean(registry, name)])})
        through = float(allied_share(setting, shares)[0])
    tables = _asked(_mean(registry, "leader.request_unrest"), through)
    mean = float(np.clip(p.mean(), 0.01, 0.99))
    early = [np.interp(mean, *both) / mean for both in zip(*tables, strict=True)]
    fade = float(np.interp(soon, early, FADES))
    by_end = _asked_within(ASKS, fade, _mean(registry, "leader.request_unrest"), through)
    return np.asarray(np.interp(np.clip(p, 0.001, 0.999), by_end, BASES)), fade


@functools.lru_cache(maxsize=32)
def _asked(unrest: float, through: float) -> tuple[FloatArray, FloatArray]:
    """Return the chances of a request within ASKS and SOON days, shape (fade, base).

    Kept, since every hypothesis of a case and every batch of runs needs them.
    """
    by_end, by_soon = (
        np.array([_asked_within(days, float(fade), unrest, through) for fade in FADES])
        for days in (ASKS, SOON + 1)
    )
    return by_end, by_soon


def _asked_within(days: int, fade: float, unrest: float, through: float) -> FloatArray:
    """Return the chance of a request within some days at each of the BASES."""
    since = np.arange(days)
    usual = unrest * UNREST * np.exp(-since / UNREST_DAYS)
    daily = 1.0 / (1.0 + np.exp(-(BASES[:, None] + (usual - fade * np.log1p(since)))))
    return np.asarray(-np.expm1(np.log1p(-through * daily).sum(axis=1)))


def _lead(p: FloatArray, setting: Setting, registry: dict[str, Parameter]) -> FloatArray:
    """Return the lead's chance of accepting by which the whole body sends troops with chance p."""
    names = ("alliance.rho", "alliance.against", "alliance.yes")
    usual = {name: np.array([_mean(registry, name)]) for name in names}
    lead = np.linspace(0.001, 0.999, 200)
    return np.asarray(np.interp(p, answer_chance(setting, usual, lead), lead))


def _scale(
    soldiers: FloatArray, setting: Setting, registry: dict[str, Parameter], source: str
) -> LogNormal:
    """Return the size of a mission against what the pools would suggest.

    The spread is that of the models' soldiers: shares of the pools add little to it.
    """
    lead, pool = setting.lead, setting.pool
    base = min(setting.announced_pool or pool[lead], pool[lead])
    others = pool.sum() - pool[lead] - pool[setting.requester] * (lead != setting.requester)
    share = {n: _mean(registry, f"alliance.{n}") for n in ("lead_share", "member_share")}
    joins = 1.0 / (1.0 + np.exp(-_mean(registry, "alliance.intercept")))
    usual = share["lead_share"] * base + joins * share["member_share"] * others
    usual *= _mean(registry, "alliance.realised")
    return _lognormal(soldiers / max(usual, 1.0), source, least=0.01)


def _expected(setting: Setting, registry: dict[str, Parameter]) -> float:
    """Return the sum of the covariates in the lead's log-odds at the medians of their priors."""
    names = ("ties.dependence", "ties.border", "ties.firms", "ties.sanctions")
    interest = lead_interest(setting, {n: np.array([_mean(registry, n)]) for n in names})[0]
    belief = 1.0 / (1.0 + np.exp(-_mean(registry, "information.prior_abroad")))
    return float(
        _mean(registry, "alliance.interest") * interest
        + _mean(registry, "alliance.street") * UNREST
        + _mean(registry, "alliance.treaty") * (belief - 0.5) * setting.aggression_test
        - _mean(registry, "alliance.other_war") * setting.lead_other_war
    )


def _normal(draws: FloatArray, source: str) -> Normal:
    sd = max(float(draws.std()), LEAST_SD)
    return Normal(dist="normal", mean=float(draws.mean()), sd=sd, origin="casebook", source=source)


def _beta(draws: FloatArray, source: str) -> Beta:
    """Return a beta distribution with the mean of some chances and about their spread."""
    mean = float(np.clip(draws.mean(), 0.02, 0.98))
    n = mean * (1.0 - mean) / max(float(draws.var()), 1e-4) - 1.0
    return Beta(
        dist="beta", mean=mean, n=float(np.clip(n, 2.0, 40.0)), origin="casebook", source=source
    )


def _lognormal(draws: FloatArray, source: str, least: float = 0.1) -> LogNormal:
    logs = np.log(np.maximum(draws, least))
    return LogNormal(
        dist="lognormal",
        median=float(np.exp(np.median(logs))),
        sd_log=max(float(logs.std()), 0.2),
        origin="casebook",
        source=source,
    )


def _tempo(days: FloatArray, source: str) -> dict[str, Prior]:
    late = days[days > PROMPT]
    if late.size < 10 or late.size == days.size:
        return {}
    share = float(np.clip(late.size / days.size, 0.02, 0.98))
    return {
        "airlift.assembled": Beta(
            dist="beta", mean=share, n=12.0, origin="casebook", source=source
        ),
        "airlift.assembly": _lognormal(late, source),
    }


def _length(months: FloatArray, short: FloatArray, source: str) -> dict[str, Prior]:
    brief = months[months <= SHORT_MONTHS] * DAYS_PER_MONTH
    long = months[months > SHORT_MONTHS] * DAYS_PER_MONTH
    if brief.size < 10 or long.size < 10:
        return {}
    return {
        "airlift.short_mission": _beta(short, source),
        "airlift.short_stay": _lognormal(brief, source),
        "airlift.long_stay": _lognormal(long, source),
    }
