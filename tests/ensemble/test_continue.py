"""An ensemble that begins with the runs of another."""

from __future__ import annotations

import numpy as np
import pytest

from foedus.ensemble import open_ensemble
from foedus.ensemble.proposal import Stage
from foedus.ensemble.runner import run
from foedus.errors import InputError

pytestmark = pytest.mark.usefixtures("fake")


@pytest.fixture
def calls():
    return []


@pytest.fixture
def adapt(calls):
    def where(ensemble, first):
        calls.append((ensemble.plan.runs, first))
        return Stage(first, ("a.rate", "b.size"), (0.5, -0.3), (1.0, 1.0))

    return where


def values(ensemble):
    return ensemble.dataset["parameters"].to_numpy()


@pytest.fixture
def first(case, adapt, tmp_path):
    return run(
        case, runs=70, seed=3, workers=1, batch=40, as_of="2022-01-03", adapt=adapt,
        out=tmp_path / "first",
    )  # fmt: skip


def longer(case, first, adapt, out, **more):
    given = {"as_of": "2022-01-04", "runs": 100, "workers": 1, **more}
    return run(case, adapt=adapt, continues=first, out=out, **given)


def test_the_first_runs_are_those_of_the_other(case, first, adapt, calls, tmp_path):
    made = longer(case, first, adapt, tmp_path / "longer")
    assert calls == [(70, 70)]
    assert made.complete_runs == made.verify() == 100
    assert made.plan.batch == first.plan.batch
    for name in ("parameters", "crowd", "log_guidance", "event_leader_leaves"):
        both = (e.dataset[name].to_numpy() for e in (made, first))
        a, b = both
        assert a[:70].tobytes() == b.tobytes()
    (stage,) = made.plan.stages
    assert stage.first_run == 70
    assert len(np.unique(made.dataset["run"])) == 100


def test_the_new_runs_are_drawn_as_the_stage_says(case, first, adapt, tmp_path):
    """The stage begins in the middle of a batch, and moves the runs from there on."""
    made = longer(case, first, adapt, tmp_path / "a", runs=400)
    plain = run(case, runs=400, seed=3, workers=1, as_of="2022-01-03", out=tmp_path / "plain")
    column = list(made.plan.parameters).index(made.plan.stages[0].names[0])
    same = values(made)[:, column] == values(plain)[:, column]
    assert same[:70].all()
    assert 0.1 < same[70:].mean() < 0.3  # a fifth is still drawn from the prior
    assert not same[70:80].all()


def test_it_is_ready_the_second_time_and_repaired_after_an_interruption(
    case, first, adapt, calls, tmp_path
):
    made = longer(case, first, adapt, tmp_path / "a")
    longer(case, first, adapt, tmp_path / "a")
    assert len(calls) == 1
    for batch in (1, 2):
        (made.path / "checksum" / f"c.{batch}").unlink()
    again = longer(case, first, adapt, tmp_path / "a")
    assert len(calls) == 1, "the stage is in the plan"
    assert values(again).tobytes() == values(open_ensemble(tmp_path / "a")).tobytes()
    other = longer(case, first, adapt, tmp_path / "b", batch=7)
    assert values(again).tobytes() == values(other).tobytes()


def test_only_the_runs_that_are_seen_are_continued(case, adapt, tmp_path):
    """A store may hold more runs and stages than the ensemble that is continued."""
    short, long = tmp_path / "short", tmp_path / "long"
    given = {"seed": 3, "workers": 1, "as_of": "2022-01-03", "adapt": adapt}
    small = run(case, runs=300, out=short, **given)
    run(case, runs=600, out=long, **given)
    part = run(case, runs=300, out=long, **given)
    assert part.plan.stages, "the store has a second stage"
    a = longer(case, small, adapt, tmp_path / "a", runs=350)
    b = longer(case, part, adapt, tmp_path / "b", runs=350)
    assert a.plan.stages == b.plan.stages
    assert values(a).tobytes() == values(b).tobytes()
    assert a.path.name != b.path.name


def test_the_command_goes_through_the_days(case, first, adapt, tmp_path):
    made = longer(case, first, adapt, tmp_path / "a")
    assert "--runs 70" in made.plan.command()
    assert "--as-of 2022-01-03..2022-01-04" in made.plan.command()
    third = longer(case, made, adapt, tmp_path / "b", as_of="2022-01-05", runs=130)
    assert "--runs 70" in third.plan.command()
    assert "2022-01-03..2022-01-05" in third.plan.command()
    assert [s.first_run for s in third.plan.stages] == [70, 100]


def test_what_cannot_be_continued(case, first, adapt, tmp_path):
    with pytest.raises(InputError, match="days"):
        longer(case, first, adapt, tmp_path / "a", as_of="2022-01-06")
    with pytest.raises(InputError, match="fewer than 70 runs"):
        longer(case, first, adapt, tmp_path / "a", runs=70)
    with pytest.raises(InputError, match="and adapt"):
        longer(case, first, None, tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_what_was_looked_at_before_names_the_store(case, first, adapt, tmp_path):
    facts = list(case.facts)
    extra = facts[0].model_copy(update={"id": "context", "quantity": None, "value": None})
    other = case.model_copy(update={"facts": (*facts, extra)})
    made = [longer(c, first, adapt, tmp_path / n) for c, n in ((case, "a"), (other, "b"))]
    assert made[0].plan.digest != made[1].plan.digest
