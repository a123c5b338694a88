"""A small forecast made by hand; its numbers have no meaning."""

import datetime as dt

import numpy as np

from foedus.answers.forecasts import Answer, Explanation, Fan, Forecast
from foedus.answers.outside_view import Outside
from foedus.case.question_kinds import Estimate
from foedus.weighing.evidence import Evidence
from foedus.weighing.weights import importance_weights

START = dt.date(2022, 1, 2)
AS_OF = dt.date(2022, 1, 7)


def evidence(name: str, quantity: str | None, reported: str | None, **more: object) -> Evidence:
    return Evidence(
        id=name, about="2022-01-06", known_from="2022-01-06", text=f"Fact {name}.", rating="B2",
        quantity=quantity, place=None, member=None, reported=reported, speaker=None, source="s",
        source_name="An agency", address=None, use="weighed", **more,  # type: ignore[arg-type]
    )  # fmt: skip


def forecast(runs: int = 400) -> Forecast:
    dates = tuple(START + dt.timedelta(days=d) for d in range(20))
    rows = np.outer([0.5, 0.8, 1.0, 1.5, 3.0], np.arange(20.0))
    view = Outside(
        text="troops: protest: 2 of 9, mean 0.25 (90% interval 0.07 to 0.49)",
        n=9,
        probability=0.25,
        low=0.07,
        high=0.49,
        source="troops: protest: 2 of 9",
    )
    return Forecast(
        case_id="kazakhstan-2022",
        title="Kazakhstan, January 2022",
        as_of=AS_OF,
        start=START,
        end=dates[-1],
        weights=importance_weights(np.zeros(runs)),
        answers=(
            Answer(
                id="b",
                text="Will they?",
                kind="binary",
                unit="",
                quantity="decision",
                estimate=Estimate(0.3, 0.02),
                history=Estimate(0.5, 0.01),
                pooled=Estimate(0.4, 0.02),
                headline=Estimate(0.4, 0.02),
                source="pooled",
                before=Estimate(0.2, 0.01),
                outside=view,
            ),
            Answer(
                id="n",
                text="How many?",
                kind="number",
                unit="people",
                quantity="arrests",
                estimate=Estimate(mean=5.0, quantiles=(1.0, 2.0, 3.0, 4.0, 5000.0)),
                headline=Estimate(mean=5.0, quantiles=(1.0, 2.0, 3.0, 4.0, 5000.0)),
                source="simulation",
            ),
            Answer(
                id="d",
                text="When?",
                kind="date",
                unit="day",
                quantity="first_arrival",
                estimate=Estimate(0.6, 0.1, quantiles=(START, START, AS_OF, None, None)),
                headline=Estimate(0.6, 0.1, quantiles=(START, START, AS_OF, None, None)),
                source="simulation",
                settled_by="f",
            ),
        ),
        hypotheses=(
            Explanation(
                id="a",
                title="First",
                says="says",
                put_forward_by="someone",
                prior=0.5,
                posterior=0.3,
                error=0.1,
                bayes_factor=0.4,
                runs=200,
            ),
            Explanation(
                id="b",
                title="Second",
                says="says",
                put_forward_by="someone",
                prior=0.5,
                posterior=0.7,
                error=0.1,
                bayes_factor=2.3,
                runs=200,
            ),
        ),
        fans=(
            Fan(
                key="deaths_total",
                title="All killed so far",
                unit="people",
                dates=dates,
                quantiles=rows,
            ),
        ),
        evidence=(
            evidence("least", "deaths_total", "at least 13", runs=(1.0, 5.0, 20.0), disbelief=0.7),
            evidence("city", "deaths_total", "dozens"),
            evidence("other", "arrests", "100"),
            evidence("event", "decision", "yes", runs=(None, None, None)),
        ),
        replayed={"facts": [], "median": 0.0, "best": 0.0, "excluded": 0.0},
        provenance={"case_name": "kazakhstan-2022", "seed": 7, "versions": {"foedus": "0"}},
    )
