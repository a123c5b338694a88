"""The shipped fits: current, converged, small, free of hindsight, and read without PyMC."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from importlib import resources

import numpy as np
import pytest

from foedus.casebook import load_casebook
from foedus.casebook.design import MODELS, Features, responses, usable
from foedus.casebook.fits import content_hashes, load_fits, pack, posterior, smooth, unpack
from foedus.casebook.outlook import predict
from foedus.errors import StoreError

BOOK = load_casebook()
CASES = usable(BOOK)
KAZ = Features.of(BOOK["KAZ2022"])


def test_fits_belong_to_the_current_cases():
    fits = load_fits()
    assert fits.notes["hashes"] == content_hashes(CASES), "run python -m foedus.casebook.refit"
    assert [c.id for c in fits.cases] == [c.id for c in CASES]


def test_every_fit_converged():
    for name, (rhat, ess, divergences) in load_fits().notes["diagnostics"].items():
        assert rhat <= 1.015, name
        assert ess >= 400, name
        assert divergences <= 8, name
        if name.endswith("/full"):
            assert rhat <= 1.01, name
            assert divergences <= 2, name


def test_every_fit_has_the_draws_that_it_should():
    fits = load_fits()
    assert set(fits.arrays) == set(fits.notes["diagnostics"])
    for name, table in fits.arrays.items():
        model, tag = name.split("/")
        columns = sum(fits.notes["parameters"][model].values())
        assert table.shape == (1000 if tag == "full" else 200, columns), name
        assert np.isfinite(table).all(), name


def test_package_data_is_small():
    folder = resources.files("foedus.casebook")
    assert len(folder.joinpath("fits.npz").read_bytes()) < 2_000_000


def test_one_byte_a_draw_is_enough():
    """Packed draws are off by a 510th of their range at most; packing again changes nothing."""
    table = np.random.default_rng(5).normal([0.0, 3.0], [1.0, 0.01], (200, 2))
    table = np.column_stack([table, np.full(200, 0.7)])
    kept = unpack(*pack(table))
    assert np.all(np.abs(kept - table) <= np.ptp(table, axis=0) / 509 + 1e-6)
    assert np.array_equal(unpack(*pack(kept)), kept)


def test_a_change_of_lengths_refits_only_the_model_of_lengths():
    hashes = content_hashes(CASES)
    late = {"date_withdrawal_end": {"value": "2022-03-19", "confidence": "H", "sources": ["K19"]}}
    at = next(i for i, c in enumerate(CASES) if c.id == "KAZ2022")
    data = CASES[at].model_dump()
    changed = type(CASES[at]).model_validate(data | {"fields": data["fields"] | late})
    other = content_hashes([*CASES[:at], changed, *CASES[at + 1 :]])
    assert {m for m in MODELS if hashes[m] != other[m]} == {"duration"}


def test_prediction_never_imports_pymc():
    code = (
        "import sys, foedus.casebook.outlook as c;"
        "c.outside_view('KAZ2022');"
        "assert not {'pymc', 'pytensor', 'nutpie', 'arviz'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("model", MODELS)
def test_as_of_fits_saw_nothing_later(model):
    """The fit used for a day is that of the last 1 January; its data do not change until then."""
    for year in (1975, 1990, 2001, 2010, 2022, 2026):
        day = dt.date(year, 1, 5)
        tag = posterior(model, before=day).tag
        cut = dt.date(int(tag.removeprefix("before-")), 1, 1)
        assert cut <= day
        a, b = responses(CASES, before=cut), responses(CASES, before=dt.date(year, 1, 1))
        assert np.array_equal(a.mask[model], b.mask[model])


def test_kazakhstan_as_of_its_day_uses_the_fit_before_2022():
    outlook = predict(KAZ, before=dt.date(2022, 1, 5), exclude=("KAZ", 2022))
    for _, (tag, method, _) in outlook.provenance.items():
        assert method == "exact"
        assert tag.startswith("before-")
        assert int(tag.removeprefix("before-")) <= 2022
    assert 0.2 < outlook.answer["troops"].mean < 0.6
    assert outlook.answer["troops"].low < outlook.answer["troops"].mean
    assert sum(c.mean for c in outlook.answer.values()) == pytest.approx(1)


def test_excluding_the_case_matters_in_the_right_direction():
    kept = predict(KAZ).answer["troops"].mean
    left_out = predict(KAZ, exclude=("KAZ", 2022)).answer["troops"].mean
    assert left_out < kept


def test_excluded_case_in_a_dated_fit_is_taken_out():
    p = posterior("call", before=dt.date(2024, 6, 1), exclude=("KAZ", 2022))
    assert p.method in ("reweighted", "earlier")
    assert p.tag.startswith("before-")


def test_before_all_history_there_is_the_prior():
    outlook = predict(KAZ, before=dt.date(1950, 1, 1))
    assert outlook.answer["troops"].low < 0.15
    assert outlook.answer["troops"].high > 0.85


def test_prediction_is_reproducible():
    a, b = predict(KAZ).summary(), predict(KAZ).summary()
    assert a == b


def test_unknown_store(tmp_path):
    with pytest.raises(StoreError, match="cannot be read"):
        load_fits(tmp_path)


def test_pareto_smoothing_against_theory():
    """Weights exp(z) of an exponential with rate r have shape 1 / r."""
    random = np.random.default_rng(3)
    for rate in (2.0, 5.0):
        found = [smooth(random.exponential(1 / rate, 4000))[1] for _ in range(20)]
        assert np.mean(found) == pytest.approx(1 / rate, abs=0.07)
    weights, k = smooth(np.zeros(100))
    assert k == -np.inf
    assert weights == pytest.approx(np.full(100, 0.01))


@pytest.mark.filterwarnings("ignore")
def test_pareto_smoothing_against_arviz():
    arviz = pytest.importorskip("arviz")
    random = np.random.default_rng(4)
    for scale in (0.3, 1.0, 2.0):
        ratios = scale * random.standard_normal(1000)
        weights, k = smooth(ratios)
        theirs, their_k = arviz.psislw(ratios.copy())
        assert k == pytest.approx(float(their_k), abs=0.02)
        assert weights == pytest.approx(np.exp(theirs), abs=2e-3)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", MODELS)
def test_quick_refit_converges_and_agrees(model):
    """A seeded refit without Kazakhstan agrees with the shipped way of leaving it out."""
    pytest.importorskip("pymc")
    from foedus.casebook.refit import fitter, without

    compiled, y = fitter(model, CASES)
    drop = np.array([c.key == ("KAZ", 2022) for c in CASES])
    fit = compiled.fit(without(y, drop), draws=1000, tune=1000)
    assert fit.diagnostics.rhat < 1.02
    assert fit.diagnostics.ess > 300
    assert fit.diagnostics.divergences <= 8
    shipped = posterior(model, exclude=("KAZ", 2022))
    for name, value in fit.draws.items():
        spread = value.std(axis=0)
        assert np.all(np.abs(shipped.draws[name].mean(axis=0) - value.mean(axis=0)) < 0.4 * spread)
    again = compiled.fit(without(y, drop), draws=100, tune=200)
    twice = compiled.fit(without(y, drop), draws=100, tune=200)
    for name in again.draws:
        assert np.array_equal(again.draws[name], twice.draws[name])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", MODELS)
def test_simulation_based_calibration(model):
    """Ranks of the truth in fits to synthetic data are uniform (a small run; the page has more)."""
    pytest.importorskip("pymc")
    from scipy import stats

    from foedus.casebook.design import inputs
    from foedus.casebook.models import ranks, simulate
    from foedus.casebook.refit import PARAMETERS, fitter

    runs = 24
    x = inputs([Features.of(c) for c in CASES])
    compiled, y = fitter(model, CASES)
    prior = compiled.fit(responses(CASES, before=dt.date(1900, 1, 1)), seed=7).draws
    random = np.random.default_rng(7)
    found: dict[str, list[float]] = {}
    for run in range(runs):
        truth = {k: v[[run * len(v) // runs]] for k, v in prior.items()}
        made = simulate(model, truth, x, y, random)
        fit = compiled.fit(made, seed=run, draws=200, tune=400, chains=2)
        for name, rank in ranks(fit.draws, truth, tuple(PARAMETERS[model])).items():
            found.setdefault(name, []).append(rank)
    p = np.array([stats.kstest(r, "uniform").pvalue for r in found.values()])
    assert p.min() > 0.001 / len(p)
    assert (p < 0.05).mean() < 0.35
    covered = np.mean([[0.05 <= r <= 0.95 for r in rs] for rs in found.values()])
    assert 0.83 < covered < 0.97
