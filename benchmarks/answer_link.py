"""Ordered or multinomial answers? Refit both and compare by leave-one-out (extra ``bayes``).

``python benchmarks/answer_link.py``. The shipped model is multinomial (nested): a linear predictor
for troops against the rest, and a softmax of the rest with a pooled organisation effect on
"limited". The ordered candidate has the same predictor and two distances between thresholds along
none < refused < limited < troops (McCullagh 1980). Both use the same rows. The score is the
expected log predictive density of the joint likelihood of request and answer, by Pareto-smoothed
importance sampling.
"""

from __future__ import annotations

import warnings

import numpy as np
from scipy import special

from foedus.casebook import load_casebook, models
from foedus.casebook.design import COMBINATIONS, Features, inputs, responses, usable
from foedus.casebook.fits import smooth

SEED = 20220105


def ordered_draws(x, y) -> dict[str, np.ndarray]:
    """Fit the ordered candidate and return its draws."""
    import nutpie
    import pymc as pm
    import pytensor.tensor as pt

    from foedus.casebook.coded_case import TRIGGERS
    from foedus.casebook.models import PRIORS
    from foedus.casebook.organisations import organisations

    groups = len(organisations().groups)
    with pm.Model() as model:

        def normal(name, key):
            return pm.Normal(name, PRIORS[key].mean, PRIORS[key].sd)

        def pooled(name, sd, size):
            return pm.Deterministic(
                name, pm.HalfNormal(f"{name}_sd", sd) * pm.Normal(f"{name}_z", shape=size)
            )

        p = pm.math.sigmoid(
            normal("req_a", "request.intercept")
            + pooled("req_u", 0.75, groups)[x.group]
            + pooled("req_v", 0.75, len(TRIGGERS))[x.trigger]
        )
        triggers = [PRIORS[f"answer.{t}"] for t in TRIGGERS]
        v = pm.Normal("ans_v", [t.mean for t in triggers], [t.sd for t in triggers])
        effects = [PRIORS[f"answer.{b}"] for b in ("base", "rival", "contiguous")]
        b = pm.Normal("ans_b", [e.mean for e in effects], [e.sd for e in effects])
        fixed = (
            normal("ans_a", "answer.intercept")
            + pooled("ans_u", 1.0, groups)[x.group]
            + v[x.trigger]
            + normal("ans_year", "answer.year") * x.year
        )
        eta = fixed[:, None] + pt.dot(b, COMBINATIONS.T)[None]
        gap = pm.HalfNormal("gap", 2.0, shape=2)
        troops, limited, refused = (
            pt.sum(x.weights * pm.math.sigmoid(eta + shift), axis=1)
            for shift in (0.0, gap[0], gap[0] + gap[1])
        )
        given = pt.stack([1 - refused, refused - limited, limited - troops, troops], axis=1)
        pm.Deterministic("given", given)
        pm.Deterministic("p", p)
        psi = pm.Dirichlet("psi", np.ones(4))
        yes = pt.sum(given * y.answer, axis=1) + y.answer_free
        no = pt.dot(pt.constant(y.answer), psi) + y.answer_free
        value = pm.Deterministic(
            "ll", pt.log(p * y.asked[:, 1] * yes + (1 - p) * y.asked[:, 0] * no)
        )
        pm.Potential("likelihood", pt.sum(value))
    trace = nutpie.sample(
        nutpie.compile_pymc_model(model),
        draws=1000,
        tune=1000,
        chains=4,
        cores=2,
        seed=SEED,
        target_accept=0.95,
        progress_bar=False,
    )
    out = {}
    for name in ("given", "p", "ll"):
        value = np.asarray(trace.posterior[name])
        out[name] = value.reshape(-1, *value.shape[2:])
    return out


def compare() -> None:
    """Print both candidates' leave-one-out scores and their paired difference."""
    from foedus.casebook.refit import fitter

    cases = usable(load_casebook())
    x, y = inputs([Features.of(c) for c in cases]), responses(cases)
    compiled, _ = fitter("call", cases)
    shipped = compiled.fit(y, seed=SEED, draws=1000, tune=1000).draws
    other = ordered_draws(x, y)
    asked = np.array([c.value("formal_request") is True for c in cases])
    candidates = {
        "multinomial": (
            models.log_likelihood("call", shipped, x, y),
            models.answer_given_request(shipped, x),
        ),
        "ordered": (other["ll"], other["given"]),
    }
    pointwise, answers = {}, {}
    for name, (ll, given) in candidates.items():
        weights = [smooth(-ll[:, i]) for i in range(ll.shape[1])]
        pointwise[name] = np.array(
            [special.logsumexp(ll[:, i], b=w) for i, (w, _) in enumerate(weights)]
        )
        chance = np.array(
            [(w[:, None] * given[:, i]).sum(axis=0) for i, (w, _) in enumerate(weights)]
        )
        truth = y.answer.argmax(axis=1)
        answers[name] = -np.log(chance[np.arange(len(cases)), truth])[asked]
        k = max(k for _, k in weights)
        print(
            f"{name}: joint elpd {pointwise[name].sum():.2f}, mean log score of the answer given a"
            f" request {answers[name].mean():.4f} (n {asked.sum()}), largest Pareto k {k:.2f}"
        )
    for label, table in (("joint elpd", pointwise), ("answer log score", answers)):
        d = table["multinomial"] - table["ordered"]
        print(
            f"{label}, multinomial minus ordered: {d.sum():+.2f} (s.e. {d.std() * d.size**0.5:.2f})"
        )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    compare()
