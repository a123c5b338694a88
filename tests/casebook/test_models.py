"""The models' equations: probabilities, missing codings, misclassification, equality with PyMC."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from scipy import special, stats

from foedus.casebook import load_casebook, models
from foedus.casebook.coded_case import MISSION_KINDS
from foedus.casebook.design import (
    CODING_ERROR,
    MODELS,
    UNKNOWN_YES,
    Features,
    inputs,
    responses,
    unknown_yes,
    usable,
)
from foedus.casebook.fits import load_fits
from foedus.casebook.models import PRIORS
from foedus.errors import InputError

CASES = usable(load_casebook())
ROWS = [Features.of(c) for c in CASES]
X, Y = inputs(ROWS), responses(CASES)


def draws(model):
    return {k: v[:7] for k, v in load_fits().draws(model, "full").items()}


def test_probabilities_sum_to_one():
    d = draws("call")
    for p in (models.answer_given_request(d, X), models.answer_probability(d, X)):
        assert p.shape == (7, len(CASES), 4)
        assert np.all(p >= 0)
        assert p.sum(axis=2) == pytest.approx(np.ones((7, len(CASES))))


def test_answer_by_hand():
    """Protest, CSTO, 2022, base there, no rival, contiguous, all certain."""
    d = draws("call")
    row = Features("domestic_protest", "CSTO", 2022, base=True, rival=False, contiguous=True)
    eta = (
        d["ans_a"][:, 0]
        + d["ans_u"][:, 0]
        + d["ans_v"][:, 0]
        + 1.6 * d["ans_year"][:, 0]
        + d["ans_b"][:, 0]
        + d["ans_b"][:, 2]
    )
    p = models.answer_given_request(d, inputs([row]))[:, 0]
    assert p[:, 3] == pytest.approx(special.expit(eta))
    rest = d["ans_rest"] + d["ans_limited"][:, [0]] * [0, 0, 1]
    expected = special.softmax(rest, axis=1) * special.expit(-eta)[:, None]
    assert p[:, :3] == pytest.approx(expected)


def test_unknown_feature_is_averaged_over():
    d = draws("call")
    row = Features("insurgency", "France", 2012, base=None, rival=False, contiguous=False)
    share = inputs([row]).weights[0]
    yes, no = (
        models.answer_given_request(d, inputs([replace(row, base=b)]))[:, 0] for b in (True, False)
    )
    mixed = models.answer_given_request(d, inputs([row]))[:, 0]
    belief = share[1::2].sum()
    assert mixed == pytest.approx(belief * yes + (1 - belief) * no)


def test_an_unknown_base_is_as_likely_as_among_the_helpers_crises():
    csto, uk = (unknown_yes(group, CASES)["base"] for group in ("csto", "uk"))
    assert csto > 0.9  # 12 of 12
    assert uk < 0.4  # 1 of 7
    assert unknown_yes("csto", CASES, before=dt.date(1950, 1, 1))["base"] == UNKNOWN_YES["base"]
    rest = [c for c in CASES if c.key != ("KEN", 1964)]
    assert unknown_yes("uk", CASES, exclude="KEN1964") == unknown_yes("uk", rest)
    known = [c.value("lead_base_or_forces_there") for c in CASES]
    assert UNKNOWN_YES["base"] == pytest.approx(sum(known) / len(known), abs=0.1)


def test_unknown_request_is_averaged_over():
    d = draws("call")
    x = inputs([Features("coup_mutiny", "ECOWAS", 2023)])
    p = models.request_probability(d, x)
    asked = models.answer_probability(d, x, asked=np.array([1.0]))
    silent = models.answer_probability(d, x, asked=np.array([0.0]))
    mixed = p[..., None] * asked + (1 - p[..., None]) * silent
    assert models.answer_probability(d, x) == pytest.approx(mixed)


def test_confidence_and_contested_codings_become_likelihoods():
    at = {c.id: i for i, c in enumerate(CASES)}
    kaz = at["KAZ2022"]
    assert Y.answer[kaz] == pytest.approx([0.01 / 3, 0.01 / 3, 0.01 / 3, 0.99])
    assert Y.asked[at["POL1981"]] == pytest.approx([0.6, 0.4])
    assert Y.asked[at["SLE2000"]] == pytest.approx([1, 1])
    ivory = Y.answer[at["CIV2002F"]]
    assert ivory[2] == pytest.approx(0.97 * 0.7 + 0.01 * 0.3)
    assert ivory[1] == pytest.approx(0.97 * 0.3 + 0.01 * 0.7)
    assert Y.answer_free[at["HUN1956"]] == 0.3
    assert set(CODING_ERROR) == {"H", "M", "L"}


def test_undated_requests_are_intervals():
    at = {c.id: i for i, c in enumerate(CASES)}
    assert Y.arrival[at["KAZ2022"]] == pytest.approx([1, 2])
    assert Y.arrival[at["SLE2000"]] == pytest.approx([0, 7])
    assert Y.mask["arrival"].sum() == 50
    assert Y.mask["size"].sum() == 35
    assert Y.mask["duration"].sum() == 52


def test_missions_still_on_are_censored():
    early = responses(CASES, before=dt.date(2005, 1, 1))
    at = {c.id: i for i, c in enumerate(CASES)}
    ramsi = early.months[at["SLB2003"]]
    assert ramsi[1] == 1
    assert ramsi[0] == pytest.approx(17.3, abs=0.1)
    assert early.mask["call"][at["KAZ2022"]] == 0
    assert responses(CASES).months[at["SLB2003"]][1] == 0


def test_missions_without_an_end_last_at_least_until_they_were_seen():
    at = {c.id: i for i, c in enumerate(CASES)}
    months = Y.months[at["GMB2017"]]
    assert months == pytest.approx([101.1, 1], abs=0.1)
    early = responses(CASES, before=dt.date(2018, 1, 19)).months[at["GMB2017"]]
    assert early == pytest.approx([12.0, 1], abs=0.1)
    pledged = at["NER2023"]
    assert Y.months[pledged] == pytest.approx([0, 1])
    assert Y.mask["duration"][pledged] == 1
    granted = [i for i, c in enumerate(CASES) if c.answer == "troops"]
    assert np.all(Y.months[granted, 0] > 0)


def test_mission_kind_is_averaged_over_until_it_is_announced():
    d = draws("duration")
    row = Features("coup_mutiny", "UK", 1964)
    x = inputs([row])
    by_kind = np.stack(
        [
            models.short_share(d, inputs([replace(row, mission_kind=kind)]))[:, 0]
            for kind in MISSION_KINDS
        ],
        axis=1,
    )
    kind = models.kind_given_trigger(d, x)[:, 0]
    assert kind.sum(axis=1) == pytest.approx(np.ones(7))
    assert models.short_share(d, x)[:, 0] == pytest.approx((kind * by_kind).sum(axis=1))
    assert models.short_share_by_kind(d, x)[:, 0] == pytest.approx(by_kind)
    assert all(r.mission_kind is None for r in ROWS), "a task is not known before the answer"


def test_duration_density_integrates_to_one():
    d = {k: v[:1] for k, v in draws("duration").items()}
    t = np.exp(np.linspace(-6, 12, 4001))
    x = inputs([ROWS[0]] * t.size)
    y = responses([CASES[0]] * t.size)
    y = replace(y, kind=np.ones_like(y.kind), months=np.stack([t, np.zeros_like(t)], axis=1))
    y.mask["duration"][:] = 1
    density = np.exp(models.log_likelihood("duration", d, x, y)[0])
    assert np.trapezoid(density, np.log(t)) == pytest.approx(1, abs=1e-4)
    above = replace(y, months=np.stack([t, np.ones_like(t)], axis=1))
    survival = np.exp(models.log_likelihood("duration", d, x, above)[0])
    assert survival[2000] == pytest.approx(np.trapezoid(density[2000:], np.log(t[2000:])), abs=1e-3)


def test_arrival_cells_sum_to_one():
    d = {k: v[:1] for k, v in draws("arrival").items()}
    n = 5000
    x, y = inputs([ROWS[0]] * n), responses([CASES[0]] * n)
    days = np.arange(n, dtype=float)
    y = replace(y, arrival=np.stack([days, days + 1], axis=1))
    y.mask["arrival"][:] = 1
    total = np.exp(models.log_likelihood("arrival", d, x, y)).sum()
    mean, sd = models.arrival_location(d, x)
    assert total == pytest.approx(stats.norm.cdf((np.log(n) - mean[0, 0]) / sd[0, 0]), abs=1e-4)


def test_priors_have_sources():
    assert all(p.source and p.sd > 0 for p in PRIORS.values())


@pytest.mark.parametrize(
    "bad",
    [
        {"trigger": "picnic"},
        {"organisation": "Galaxy"},
        {"base": "yes"},
        {"mission_kind": "gaurd"},
    ],
)
def test_features_are_checked(bad):
    good = {"trigger": "insurgency", "organisation": "France", "year": 2012}
    with pytest.raises(InputError):
        Features.from_mapping(good | bad)
    with pytest.raises(InputError):
        Features.from_mapping(good | {"weather": "rain"})


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", MODELS)
def test_pymc_states_the_same_equations(model):
    pytest.importorskip("pymc")
    from foedus.casebook.refit import PARAMETERS, build

    built = build(model, X, Y)
    free = {v.name: v for v in built.free_RVs}
    random = np.random.default_rng(1)
    from pytensor.compile.function import function as compiled

    outputs = [built[name] for name in PARAMETERS[model]]
    function = compiled(
        list(free.values()),
        [built.potentials[0], *outputs],
        on_unused_input="ignore",
        mode="FAST_COMPILE",
    )
    for _ in range(5):
        point = []
        for name, v in free.items():
            size = v.shape.eval()
            value = random.normal(size=size)
            if name == "psi":
                value = random.dirichlet(np.ones(4))
            elif name.endswith("sd") or name == "gap":
                value = np.abs(value) + 0.2
            point.append(value)
        total, *values = function(*point)
        ours = {
            name: np.asarray(v, dtype=float).reshape(1, -1)
            for name, v in zip(PARAMETERS[model], values, strict=True)
        }
        assert models.log_likelihood(model, ours, X, Y).sum() == pytest.approx(
            float(total), rel=1e-5, abs=1e-6
        )
