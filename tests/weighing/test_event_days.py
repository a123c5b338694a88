"""Events that are under way, and events of which only an interval of days is known."""

from __future__ import annotations

import json

import numpy as np
import pytest

from foedus.answers.explanations import weigh_hypotheses
from foedus.answers.questions import settled_by
from foedus.case.load import load_text
from foedus.case.models import Case, Fact
from foedus.errors import InputError
from foedus.report.explanation_view import redated
from foedus.weighing.evidence import reports
from foedus.weighing.observation_model import STAGES, observation
from foedus.weighing.silence import Silence
from foedus.weighing.weighed import weigh_runs
from foedus.world.guidance import Guidance


def model(toy, about, day, **more):
    fact = Fact.model_validate(toy.fact("f", more.pop("quantity"), about, True, **more))
    return observation(fact, day=day, horizon=10)


def text_of(toy, fact):
    case = toy.case(facts=[toy.fact("f", "fire_order", "2001-03-03", True)])
    data = json.loads(case.model_dump_json(exclude_none=True))
    data["facts"] = [{**data["facts"][0], **fact}]
    return json.dumps(data, indent=1)


def refused(toy, **fact):
    with pytest.raises(InputError) as error:
        load_text(text_of(toy, fact), "case.yaml")
    (problem,) = error.value.problems
    assert problem.line is not None
    return problem


# ---- intervals


def test_the_likelihood_of_an_interval_is_the_sum_over_its_days(toy):
    days = np.array([0.0, 1.0, 2.0, 3.0, 6.0, np.inf])
    whole = np.exp(
        model(toy, "2001-03-02..2001-03-04", 3, quantity="fire_order").log_likelihood(days)
    )
    each = [
        np.exp(model(toy, f"2001-03-0{d + 1}", d, quantity="fire_order").log_likelihood(days))
        for d in (1, 2, 3)
    ]
    assert whole == pytest.approx(sum(each), rel=1e-9)


def test_the_days_are_written_back_as_they_were_read(toy):
    case = toy.case(facts=[toy.fact("f", "fire_order", "2001-03-02..2001-03-04", True)])
    (fact,) = case.facts
    assert (str(fact.since), str(fact.about), fact.days) == (
        "2001-03-02",
        "2001-03-04",
        "2001-03-02..2001-03-04",
    )
    assert Case.model_validate_json(case.model_dump_json()) == case


def test_an_event_of_which_the_day_is_not_known_is_weighed_and_not_replayed(toy):
    case = toy.case(facts=[toy.fact("f", "fire_order", "2001-03-02..2001-03-04", True)])
    assert Guidance.of(case).facts == ()
    assert [r.use for r in reports(case)] == ["weighed"]


def test_a_question_is_settled_only_by_a_whole_interval(toy):
    ask = {"quantity": "fire_order", "statistic": "happens", "from_date": "2001-03-03"}
    for about, settles in (("2001-03-02..2001-03-04", None), ("2001-03-03..2001-03-04", "f")):
        case = toy.case(
            facts=[toy.fact("f", "fire_order", about, True)],
            questions=[toy.question("q", "binary", **ask)],
        )
        assert settled_by(case, case.questions[0]) == settles


def two(first_day, last_day):
    """Two hypotheses that order fire early and late."""
    return [
        {"id": h, "title": h, "says": "So.", "put_forward_by": "us"} for h in (first_day, last_day)
    ]


@pytest.mark.parametrize(("rival", "told"), [(4, False), (9, True)])
def test_explain_says_when_the_day_decides(toy, rival, told):
    case = toy.case(
        facts=[toy.fact("f", "fire_order", "2001-03-02..2001-03-05", True)],
        hypotheses=two("early", "late"),
    )
    runs = 400
    hypothesis = np.arange(runs) % 2
    day = np.where(hypothesis == 0, 1, rival)
    dataset = toy.dataset(case, toy.block(case, runs, event_fire_order=day), hypothesis)
    found = weigh_hypotheses(weigh_runs(case, dataset))
    (one,) = found.redated
    assert one.told == told
    assert one.at_first[0] > 0.9
    assert (one.at_last[1] > 0.9) == (not told)
    assert (str(one.first), str(one.last)) == ("2001-03-02", "2001-03-05")
    (line,) = redated(found)
    assert ("does not tell" in line) == (not told)


def test_an_interval_turned_round_is_refused(toy):
    problem = refused(toy, about="2001-03-05..2001-03-03")
    assert "first not after the last" in problem.expected


def test_an_interval_that_ends_after_its_report_is_refused(toy):
    problem = refused(toy, about="2001-03-02..2001-03-04", known_from="2001-03-03")
    assert "known_from" in problem.expected


def test_only_an_event_has_several_days(toy):
    problem = refused(toy, quantity="crowd", value=100, about="2001-03-02..2001-03-03")
    assert "only an event" in problem.expected


# ---- under way


def test_a_force_that_has_departed_lands_within_a_day_or_so(toy):
    when = "2001-03-04T12:00"
    days = np.array([1.0, 3.0, 4.0, 6.0, np.inf])
    far = np.exp(
        model(toy, when, 3, quantity="first_arrival", stage="departed").log_likelihood(days)
    )
    near = np.exp(
        model(toy, when, 3, quantity="first_arrival", stage="assembled").log_likelihood(days)
    )
    assert far.argmax() == 1  # the same day
    assert far[1] > 3 * far[2] > 6 * far[4]
    assert near[2] > 0.5 * near[1]  # an assembled force may take days
    assert near[3] > 2 * near[4]
    assert far[0] < 0.2 * far[1]
    assert STAGES["departed"][2] < STAGES["assembled"][2]


def test_under_way_is_no_arrival(toy):
    fact = toy.fact("f", "first_arrival", "2001-03-04", True, stage="departed")
    ask = {"quantity": "first_arrival", "statistic": "happens"}
    case = toy.case(facts=[fact], questions=[toy.question("q", "binary", **ask)], silence={})
    assert Guidance.of(case).facts == ()
    assert settled_by(case, case.questions[0]) is None
    kinds = {k.kind: k.denied_until for k in Silence.of(case).kinds}
    assert kinds["first_arrival"] == 2  # not there by the end of the day before
    assert "request" not in kinds
    days = np.array([-1, 3, 4, 9])
    block = toy.block(case, 4, event_first_arrival=days, internet=1.0)
    weighed = weigh_runs(case, toy.dataset(case, block))
    never, today, tomorrow, late = weighed.weights.weight
    assert today > never
    assert tomorrow > late


def test_under_way_before_the_start_is_refused(toy):
    problem = refused(
        toy,
        quantity="first_arrival",
        stage="departed",
        about="2001-02-20",
        known_from="2001-02-20",
    )
    assert "a date of the case" in problem.expected


def test_a_stage_belongs_to_an_arrival(toy):
    assert "first_arrival" in refused(toy, stage="departed").expected
    problem = refused(toy, quantity="first_arrival", stage="departed", value=False)
    assert "true" in problem.expected
