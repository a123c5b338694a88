"""Scores by lead time, against a computation by hand."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pytest

from foedus.answers.forecasts import judge
from foedus.case.asof import as_of
from foedus.scoring.lead_time import by_lead
from foedus.scoring.scores import Scored, Scores, score
from foedus.scoring_rules import Score
from foedus.weighing.verdict import Verdict
from foedus.weighing.weighed import weigh_runs

pytestmark = pytest.mark.usefixtures("unwidened")

DAY = dt.date(2001, 3, 1)


def binary(name, p, outcome, lead, *, casebook=None, **more):
    brier = (p - outcome) ** 2
    beside = {} if casebook is None else {"casebook": Score(casebook, (casebook - outcome) ** 2)}
    given = {"open": True, "known_already": False, **more}
    return Scored(
        name, f"{name}?", "binary", "", outcome, given["open"], given["known_already"],
        Score(p, brier, 1.0), beside, {}, lead=lead,
    )  # fmt: skip


def number(name, crps, base, lead):
    skill = {"casebook": 1 - crps / base}
    return Scored(
        name, f"{name}?", "number", "people", 5.0, True, False, Score(4.0, crps=crps),
        {"casebook": Score(3.0, crps=base)}, skill, lead=lead, pit=(0.2, 0.4),
    )  # fmt: skip


def day(n, *questions, case="toy"):
    return Scores(case, DAY + dt.timedelta(days=n), Verdict(), 500.0, questions)


def test_by_hand():
    scores = [
        day(0, binary("a", 0.5, True, 10, casebook=0.4), number("n", 2.0, 4.0, 9)),
        day(1, binary("a", 0.7, True, 9), number("n", 3.0, 2.0, 8)),
        day(8, binary("a", 0.9, True, 2, casebook=0.4), binary("b", 0.2, False, 3)),
        day(0, binary("a", 0.1, False, 8), case="other"),
    ]
    near, far = by_lead(scores)
    assert (near.label, far.label) == ("2 to 3", "8 to 14")
    assert (near.forecasts, near.questions, near.binary) == (2, 2, 2)
    assert near.brier == pytest.approx((0.01 + 0.04) / 2)
    assert near.baselines["casebook"]["n"] == 1
    assert near.baselines["casebook"]["forecast_brier"] == pytest.approx(0.01)
    assert near.baselines["casebook"]["baseline_brier"] == pytest.approx(0.36)
    assert (far.forecasts, far.questions, far.binary) == (5, 3, 3)
    assert far.brier == pytest.approx((0.25 + 0.09 + 0.01) / 3)
    assert far.log == 1.0
    beside = far.baselines["casebook"]
    assert (beside["n"], beside["better"]) == (3, 2)
    assert beside["mean_crps_skill"] == pytest.approx((0.5 - 0.5) / 2)
    assert json.dumps(far.to_dict(), allow_nan=False)


def test_what_was_settled_known_or_refused_does_not_count():
    kept = binary("a", 0.5, True, 1)
    settled = binary("b", 0.9, True, 1, open=False)
    known = binary("c", 0.9, True, 0, known_already=True)
    refused = Scored("d", "d?", "binary", "", True, True, False, None, {}, {}, lead=1)
    (lead,) = by_lead([day(0, kept, settled, known, refused)])
    assert (lead.label, lead.forecasts) == ("1", 1)
    assert by_lead([day(0, settled, known)]) == ()
    assert by_lead([day(0, binary("a", 0.5, True, 400))])[0].label == "31 or more"


def test_lead_and_transform_of_a_scored_forecast(toy):
    case = toy.case(
        questions=[
            toy.question("killed", "number", quantity="deaths_total", statistic="at"),
            toy.question("when", "date", quantity="decision", statistic="first_day"),
            toy.question("asks", "binary", quantity="request", statistic="happens"),
        ],
        outcomes=[
            {"question": q, "value": v, "known_from": "2001-03-12", "source": "desk"}
            for q, v in (("killed", 2), ("when", None), ("asks", True))
        ],
    )
    runs = 1000
    block = toy.block(case, runs, event_decision=np.where(np.arange(runs) < 300, 6, -1))
    block["deaths_security"][:, 3, 0] = np.arange(runs) % 4
    known = as_of(case, "2001-03-05")
    found = {
        q.id: q
        for q in score(case, forecast=judge(weigh_runs(known, toy.dataset(known, block)))).questions
    }
    assert {q.lead for q in found.values()} == {7}
    assert found["killed"].pit == pytest.approx((0.5, 0.75))
    assert found["when"].pit == pytest.approx((0.3, 1.0)), "never is the last day of all"
    assert found["asks"].pit is None
    assert found["killed"].to_dict()["pit"] == pytest.approx([0.5, 0.75])
