"""What if: the runs of a pair differ in the change and in nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from foedus.answers.whatif import Change, what_if
from foedus.case.priors import Fixed
from foedus.ensemble import run
from foedus.ensemble.work import Task, simulate
from foedus.errors import InputError
from foedus.weighing.verdict import Level, Verdict
from foedus.weighing.weighed import weigh

DATE = "2001-03-04"


@pytest.fixture(scope="module")
def made(crisis, tmp_path_factory):
    path = tmp_path_factory.mktemp("whatif") / "runs.zarr"
    ensemble = run(crisis, runs=300, workers=1, out=path, as_of=DATE)
    return crisis, weigh(crisis, as_of=DATE, ensemble=ensemble)


def asked(made, change, steps=(40, 120)):
    case, weighed = made
    return list(what_if(case, change, weighed=weighed, steps=steps))


def test_no_change_is_no_difference(made):
    first, last = asked(made, Change())
    assert (first.pairs, last.pairs) == (40, 120)
    assert last.moved == 0
    for d in (*last.outcomes, *last.questions):
        assert d.mean == d.error == 0.0
        assert d.factual == d.counterfactual
    assert all((c.difference == 0).all() for c in last.courses)


def test_streets_off_means_no_crowd(made):
    change = Change(mechanisms={"streets": False})
    last = asked(made, change)[-1]
    crowd = next(d for d in last.outcomes if d.key == "crowd_days")
    assert crowd.counterfactual == 0.0
    assert crowd.factual > 0.0
    assert crowd.mean == pytest.approx(-crowd.factual)
    course = next(c for c in last.courses if c.key == "crowd")
    assert (course.changed == 0).all()
    np.testing.assert_allclose(course.difference, -course.as_it_is)


def test_the_change_counts_under_every_hypothesis_that_says_otherwise(crisis):
    says = crisis.hypotheses[0].model_copy(
        update={"mechanisms": {"streets": True}, "priors": {"streets.k": Fixed(value=9.0)}}
    )
    case = crisis.model_copy(update={"hypotheses": (says, *crisis.hypotheses[1:])})
    change = Change(mechanisms={"streets": False}, priors={"streets.k": Fixed(value=1.0)})
    changed = change.apply(case)
    assert changed.mechanisms["streets"] is False
    assert all("streets" not in h.mechanisms for h in changed.hypotheses)
    assert all("streets.k" not in h.priors for h in changed.hypotheses)
    chosen = Change(hypothesis=crisis.hypotheses[1].id).apply(case)
    assert [h.id for h in chosen.hypotheses] == [crisis.hypotheses[1].id]


def test_a_moved_assumption_moves_that_parameter_alone(made):
    ensemble, guidance = made[1].store, made[1].guidance
    change = Change(priors={"streets.recorded": Fixed(value=0.5)})
    task = Task(
        str(ensemble.path), ensemble.plan, ensemble.attributes["case"], guidance,
        "foedus.world.engine",
    )  # fmt: skip
    other = Task(
        task.path, task.plan, change.apply(ensemble.case).model_dump_json(), guidance, task.engine
    )
    runs = np.arange(6, dtype=np.int64)
    a, b = simulate(task, runs), simulate(other, runs)
    at = ensemble.plan.parameters.index("streets.recorded")
    same = [i for i in range(len(ensemble.plan.parameters)) if i != at]
    np.testing.assert_array_equal(a["parameters"][:, same], b["parameters"][:, same])
    assert (b["parameters"][:, at] == 0.5).all()
    np.testing.assert_array_equal(a["crowd"], b["crowd"])  # only recorded arrests change
    assert made[0].id == ensemble.plan.case_id


def test_free_decisions_are_free_in_both_runs(made):
    stays, free = (
        asked(made, Change(mechanisms={"alliance": False}, free=f), steps=(60,))[0]
        for f in (False, True)
    )
    assert stays.change.free is False
    assert free.change.free is True
    assert free.to_dict()["change"]["free"] is True
    # The decision is known to have been made on day 3; left free, it is made on other days too.
    known, open_ = (next(c for c in w.courses if c.key == "troops_present") for w in (stays, free))
    assert (known.as_it_is[:3] == 0).all()
    assert known.as_it_is.sum() > 0
    assert open_.as_it_is[:3].sum() > 0
    assert (open_.changed == 0).all()


def test_more_pairs_reuse_the_runs_that_are_there(made, monkeypatch):
    from foedus.ensemble import work

    seen: list[int] = []

    def counted(task, runs):
        seen.extend(runs.tolist())
        return simulate(task, runs)

    monkeypatch.setattr(work, "simulate", counted)
    told: list[tuple[int, int]] = []
    change = Change(mechanisms={"contagion": False})
    answers = list(
        what_if(
            made[0],
            change,
            weighed=made[1],
            steps=(20, 40, 80),
            pairs_done=lambda d, t: told.append((d, t)),
        )
    )
    after_check = seen[4:]
    assert len(after_check) == len(set(after_check))
    assert answers[-1].distinct <= len(after_check)
    assert told[-1][0] == told[-1][1] == answers[-1].distinct


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Change(mechanisms={"magic": True}), "mechanisms"),
        (Change(hypothesis="none-such"), "hypothesis"),
        (Change(priors={"streets.magic": Fixed(value=1.0)}), "declared parameter"),
        (Change(priors={"streets.cop_density": Fixed(value=7.0)}), "median"),
    ],
)
def test_what_the_case_has_not_cannot_change(made, change, words):
    with pytest.raises(InputError, match=words):
        asked(made, change)


def test_too_few_runs_that_agree_give_pairs_from_all(made):
    from dataclasses import replace

    case, weighed = made
    refused = replace(
        weighed, weights=replace(weighed.weights, verdict=Verdict(level=Level.REFUSED))
    )
    last = list(what_if(case, Change(), weighed=refused, steps=(50,)))[-1]
    assert last.drawn_from == "prior"
    # Runs have unequal weights before the evidence, since unreported events are drawn less often.
    assert 40 <= last.distinct <= 50
