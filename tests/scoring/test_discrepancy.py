import numpy as np
import pandas as pd
import pytest
from scipy import special

from foedus.answers.discrepancy import FAMILIES, OTHER
from foedus.answers.pooling import widened_chances
from foedus.scoring.casebook_backtest import QUESTIONS
from foedus.scoring.discrepancy import (
    by_year,
    family_of,
    fit,
    leave_one_out,
    pool_weight,
)


def made(sds: dict[str, float], crises: int = 400, seed: int = 3) -> pd.DataFrame:
    """Forecasts of which the log-odds miss by a normal error, by question."""
    rng = np.random.default_rng(seed)
    lines = []
    for n in range(crises):
        for question, sd in sds.items():
            logit = rng.normal(0.0, 2.0)
            came = rng.random() < special.expit(logit + sd * rng.normal())
            p = float(special.expit(logit))
            lines.append(
                {
                    "cluster": f"C{n} {1950 + n % 70}",
                    "stage": "trigger",
                    "question": question,
                    "outcome": bool(came),
                    "pooled": p,
                    "simulation": p,
                    "casebook": p * 0.999,
                }
            )
    return pd.DataFrame(lines)


def test_each_generic_question_has_a_family() -> None:
    assert set(family_of([q.id for q in QUESTIONS])) == set(FAMILIES)


def test_no_discrepancy_leaves_a_probability_alone() -> None:
    p = np.array([0.01, 0.3, 0.99])
    assert widened_chances(p, np.zeros(3)) == pytest.approx(p)
    assert (np.abs(widened_chances(p, np.ones(3)) - 0.5) < np.abs(p - 0.5)).all()


def test_the_discrepancy_is_recovered_and_a_right_forecaster_has_hardly_any() -> None:
    found = fit(made({"asked": 2.0, "landed-7": 0.0}, crises=4000), "pooled").before(3000)
    assert found["asked"] == pytest.approx(2.0, abs=0.2)
    assert found["arrival"] < 0.3
    assert found["arrival"] < found["size"] < found["asked"]  # no forecast of a size: the pool's
    assert found["size"] == pytest.approx(found[OTHER], abs=1e-9)


def test_where_nothing_is_known_nothing_is_widened() -> None:
    frame = made({"asked": 2.0}, crises=70)
    assert set(fit(frame, "pooled").before(1950).values()) == {0.0}


def test_many_questions_of_one_crisis_count_as_one() -> None:
    frame = made({"landed-3": 1.5}, crises=60)
    more = pd.concat([frame, frame.assign(question="landed-7"), frame.assign(question="landed-30")])
    one, three = (fit(f, "pooled").before(3000)["arrival"] for f in (frame, more))
    assert three == pytest.approx(one)


def test_a_crisis_does_not_inform_its_own_forecast_nor_an_earlier_one() -> None:
    frame = made({"asked": 1.0, "troops": 0.5}, crises=50)
    last = frame["cluster"] == frame["cluster"].iloc[-1]
    turned = frame.assign(outcome=frame["outcome"] ^ last)
    before, after = (leave_one_out(f, "pooled") for f in (frame, turned))
    assert before[last] == pytest.approx(after[last], abs=1e-12)
    assert before[~last] != pytest.approx(after[~last], abs=1e-6)
    year = int(frame["cluster"].iloc[-1].split()[1])
    one, other = by_year(frame), by_year(turned)
    assert one[str(year)] == other[str(year)]
    assert one[str(year + 1)] != other[str(year + 1)]


def test_the_best_weight_is_that_of_the_voice_that_is_right() -> None:
    rng = np.random.default_rng(1)
    logit = rng.normal(0.0, 2.0, 600)
    frame = pd.DataFrame(
        {
            "cluster": [f"C{n} 2000" for n in range(600)],
            "stage": "trigger",
            "question": "asked",
            "outcome": rng.random(600) < special.expit(logit),
            "casebook": special.expit(logit),
            "simulation": special.expit(rng.normal(0.0, 2.0, 600)),
            "pooled": 0.5,
        }
    )
    found = pool_weight(frame)
    assert found.best > 0.8
    assert found.lowest <= found.best <= found.highest
    assert found.best_score <= found.left_out_score < found.half_score
    turned = pool_weight(frame.rename(columns={"casebook": "simulation", "simulation": "casebook"}))
    assert turned.best == pytest.approx(1.0 - found.best)
    # Where the world has no such thing, the pool is the casebook whatever the weight.
    alone = pool_weight(frame.assign(pooled=frame["casebook"]))
    assert alone.best_score == pytest.approx(alone.half_score)
    assert "one half" in str(found)
