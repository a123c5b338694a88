"""The flagship before and after the request became known: the forecasts differ for that reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import foedus
from foedus.answers.forecasts import Forecast
from foedus.case import load_case
from foedus.case.models import Case

from ..narrowing import number, present

RUNS = 48
BEFORE, AFTER = "2022-01-05", "2022-01-07"

Made = dict[str, tuple[foedus.Ensemble, Forecast]]


@pytest.fixture(scope="module")
def case() -> Case:
    return load_case("kazakhstan-2022")


@pytest.fixture(scope="module")
def made(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder: Path = tmp_path_factory.mktemp("dates")
    out = {}
    for date in (BEFORE, AFTER):
        runs = foedus.run(case, as_of=date, runs=RUNS, seed=1, workers=1, out=folder / date)
        out[date] = (runs, foedus.forecast(case, as_of=date, ensemble=runs))
    return out


def test_the_request_is_hidden_on_the_5th_and_known_on_the_7th(case: Case) -> None:
    known = {date: {f.id for f in foedus.as_of(case, date).facts} for date in (BEFORE, AFTER)}
    assert "request" not in known[BEFORE]
    assert "request" in known[AFTER]


def test_the_request_is_open_on_the_5th_and_replayed_on_the_7th(case: Case, made: Made) -> None:
    early, late = (made[date][0].dataset.event_request.values for date in (BEFORE, AFTER))
    request = next(f for f in case.facts if f.id == "request")
    assert len(np.unique(early)) > 2, "on the 5th runs differ in whether and when it is made"
    assert (early == -1).any()
    np.testing.assert_array_equal(late, case.day(request.about))
    assert {"request", "decision"} & set(made[BEFORE][1].replayed["facts"]) == set()
    assert "request" in made[AFTER][1].replayed["facts"]
    assert made[AFTER][0].dataset.log_guidance.values.max() < 0, "replaying it is paid for"


def test_the_answers_say_so(made: Made) -> None:
    early, late = (made[date][1] for date in (BEFORE, AFTER))
    for question in ("asked", "decided"):
        open_, known = early.answer(question), late.answer(question)
        assert open_.before is not None
        assert known.before is not None
        assert 0.0 < (open_.before.probability or 0.0) < 1.0
        assert open_.settled_by is None
        assert known.before.probability == pytest.approx(1.0)
        assert known.settled_by is not None
    then, now = (present(f.answer("landed").before).probability for f in (early, late))
    assert number(now) > number(then)
    uses = [{e.id: e.use for e in f.evidence} for f in (early, late)]
    assert "request" not in uses[0]
    assert uses[1]["request"] == "replayed"
