"""The priors of a case: default, casebook, case file and hypothesis.

Where a case names its trigger and organisation, the fitted models of :mod:`foedus.casebook` say how
often such a government asks for help, how often help comes, how soon, and for how long. The fits
exclude the case itself and everything from the year in which it starts or later. They set the
priors of these parameters:

- ``leader.request_base``: a government asks within :data:`DAYS` days of serious unrest
  (:data:`UNREST`) with the model's chance p, so the daily log-odds are ``logit(1 - (1 -
  p)^(1/DAYS)) - request_unrest · UNREST``;
- ``alliance.lead_intercept``: the model's log-odds of troops given a request, minus the mean
  contribution of the lead's interest, the street challenge and the allies' belief;
- ``airlift.assembled`` and ``airlift.assembly``: the chance that more than :data:`PROMPT` days pass
  from request to arrival, and the length of that delay;
- ``airlift.short_mission``, ``short_stay``, ``long_stay``: the mixture of durations.

A prior in the case file overrides the casebook's, which overrides the default.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from foedus.case.models import Case, Hypothesis
from foedus.case.priors import Beta, Choice, LogNormal, Normal, Prior
from foedus.case.problems import nearest
from foedus.case.times import DAYS_PER_MONTH
from foedus.errors import InputError, Problem
from foedus.world.mechanism import Parameter
from foedus.world.mechanisms.ties import lead_interest
from foedus.world.setting import Setting

FloatArray = NDArray[np.float64]

#: Days of serious unrest within which a government that will ask has asked.
DAYS = 5.0
#: Unrest intensity that counts as serious.
UNREST = 0.6
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
    from foedus.casebook import load_casebook
    from foedus.casebook.case_words import helper_group

    setting = Setting.of(case)
    found = _outlook(
        case.trigger_type,
        helper_group(case.organisation),
        case.start.year,
        None if later_rows else case.start,
        load_casebook().own_row(case),
        setting.lead_base,
        bool(setting.contiguous[setting.lead]),
    )
    if found is None:
        return {}
    request, granted, days, months, short, tag = found
    like = f"{case.trigger_type}, {case.organisation}"
    left_out = "this case" if later_rows else "this case or later ones"
    source = f"casebook without {left_out} ({tag}): {like}"
    return {
        "leader.request_base": _normal(_daily(request) - _unrest(registry), source),
        "alliance.lead_intercept": _normal(_logit(granted) - _expected(setting, registry), source),
        **_tempo(days, source),
        **_length(months, short, source),
    }


@functools.lru_cache(maxsize=32)
def _outlook(
    trigger: str,
    organisation: str,
    year: int,
    before: dt.date | None,
    exclude: str | tuple[str, int] | None,
    base: bool | None,
    contiguous: bool,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, str] | None:
    """Return draws of P(asks), P(troops if asked), arrival days, months, P(short), and the fits."""
    from foedus.casebook.design import Features
    from foedus.casebook.outlook import predict

    features = Features(trigger, organisation, year, base=base, contiguous=contiguous)
    outlook = predict(features, before=before, exclude=exclude)
    tags = sorted({t for t, _, _ in outlook.provenance.values()})
    return (
        outlook.request.draws,
        outlook.answer_if_asked["troops"].draws,
        outlook.arrival_days,
        outlook.months,
        outlook.short_mission.draws,
        "fits " + ", ".join(tags),
    )


def _logit(p: FloatArray) -> FloatArray:
    p = np.clip(p, 1e-4, 1.0 - 1e-4)
    return np.asarray(np.log(p) - np.log1p(-p))


def _daily(p: FloatArray) -> FloatArray:
    """Return the daily log-odds of asking, given the chance of asking within DAYS days."""
    return _logit(1.0 - np.power(1.0 - np.clip(p, 0.0, 1.0 - 1e-6), 1.0 / DAYS))


def _mean(registry: dict[str, Parameter], name: str) -> float:
    """Return the median of a parameter's default prior."""
    return float(registry[name].prior.quantile(np.array([0.5]))[0])


def _unrest(registry: dict[str, Parameter]) -> float:
    return UNREST * _mean(registry, "leader.request_unrest")


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


def _lognormal(draws: FloatArray, source: str, sd_log: float | None = None) -> LogNormal:
    logs = np.log(np.maximum(draws, 0.1))
    return LogNormal(
        dist="lognormal",
        median=float(np.exp(np.median(logs))),
        sd_log=max(float(logs.std()) if sd_log is None else sd_log, 0.2),
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
