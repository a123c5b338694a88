"""Silence: an event that a run holds and nobody has reported counts little."""

from __future__ import annotations

import json

import numpy as np
import pytest

from foedus.case.load import load_text
from foedus.case.news import CUT_OFF, NEWS, SHAPE, survival
from foedus.case.vocabulary import PUBLIC_EVENTS
from foedus.errors import InputError
from foedus.weighing.quantities import Frame
from foedus.weighing.silence import Silence
from foedus.weighing.weighed import weigh_runs


def factor(toy, case, *, as_of=None, denial=None, runs=1, **arrays):
    silence = Silence.of(case, as_of)
    given = {"internet": 1.0, **arrays}
    block = toy.block(case, runs, **given)
    return np.exp(silence.log_factor(block, Frame.of(case), denial))


def only(kind):
    return {name: name == kind for name in PUBLIC_EVENTS}


def test_half_of_all_events_are_reported_by_the_median_and_the_tail_is_heavy():
    assert survival(np.array([0.0, 0.5]), 0.5) == pytest.approx([1.0, 0.5])
    # The law is that of an exponential delay with a gamma rate: average over rates.
    rate = np.random.default_rng(1).gamma(SHAPE, size=400_000)
    scale = 0.5 / (2.0 ** (1.0 / SHAPE) - 1.0)
    for days in (1.0, 7.0):
        assert survival(np.array([days]), 0.5)[0] == pytest.approx(
            np.exp(-rate * days / scale).mean(), rel=0.03
        )


def test_an_event_counts_less_the_longer_it_would_have_gone_unreported(toy):
    case = toy.case(silence=only("request"))  # known by the end of 5 March, day 4
    got = factor(toy, case, runs=4, event_request=np.array([-1, 4, 3, 0]))
    want = survival(np.array([0.5, 1.5, 4.5]), NEWS["request"].median)
    assert got == pytest.approx([1.0, *want])
    later = factor(toy, case, event_request=np.array([7]))
    assert later == pytest.approx([1.0])


def test_a_time_of_day_leaves_the_rest_of_the_day_open(toy):
    case = toy.case(silence=only("request"))
    got = factor(toy, case, as_of="2001-03-05T06:00", runs=3, event_request=np.array([4, 3, 5]))
    median = NEWS["request"].median
    today = 0.25 * survival(np.array([0.125]), median)[0] + 0.75
    assert got == pytest.approx([today, survival(np.array([0.75]), median)[0], 1.0])


def test_openness_and_the_internet_set_the_pace(toy):
    deaths = np.zeros((1, 10, 2))
    deaths[0, 2, 0] = 150.0
    median = NEWS["hundred_dead"].median
    open_ = toy.case(silence=only("hundred_dead"), openness=1.0)
    got = factor(toy, open_, deaths_protesters=deaths)
    assert got == pytest.approx(survival(np.array([4 * 2.5]), median))
    shut = factor(
        toy, toy.case(silence=only("hundred_dead")), deaths_protesters=deaths, internet=0.0
    )
    assert shut == pytest.approx(survival(np.array([CUT_OFF * 2.5]), median))


@pytest.mark.parametrize(
    ("quantity", "value", "ends"),
    [
        ("request", True, True),
        ("decision", True, True),
        ("troops_present", 200, True),
        ("troops_present", 0, False),
        ("crowd", 500, False),
    ],
)
def test_a_report_even_a_rumour_ends_the_silence(toy, quantity, value, ends):
    fact = toy.fact("f", quantity, "2001-03-03", value, rating="E5")
    case = toy.case(silence=only("request"), facts=[fact])
    got = factor(toy, case, event_request=np.array([0]))
    assert (got[0] == 1.0) == ends


def test_a_denial_and_the_silence_do_not_both_count(toy):
    fact = toy.fact("no", "request", "2001-03-03", False, rating="E5")
    case = toy.case(silence=only("request"), facts=[fact])
    days = np.array([0, 3, -1])
    weak, strong = (np.log(np.array([x, 1.0, 1.0])) for x in (0.9, 1e-6))
    alone = factor(toy, toy.case(silence=only("request")), runs=3, event_request=days)
    got = factor(toy, case, runs=3, event_request=days, denial={"no": weak})
    assert got * np.exp(weak) == pytest.approx(alone)  # the silence says more than the denial
    got = factor(toy, case, runs=3, event_request=days, denial={"no": strong})
    assert got == pytest.approx([1.0, alone[1], 1.0])  # the denial says more, up to its day


def test_a_plan_is_no_report(toy):
    fact = toy.fact("f", "first_arrival", "2001-03-08", True, known_from="2001-03-08")
    case = toy.case(silence=only("request"), facts=[fact])
    assert factor(toy, case, event_request=np.array([0]))[0] < 1.0


def test_the_posterior_of_an_unreported_request_is_calibrated(toy):
    # Half of all crises have no request; the others have one on some day. It is reported after a
    # delay whose rate is gamma distributed, and is then a fact: only unreported ones remain.
    case = toy.case(silence=only("request"))
    rng = np.random.default_rng(3)
    crises = 40_000
    days = np.where(rng.uniform(size=crises) < 0.5, rng.integers(0, 10, crises), -1)
    scale = NEWS["request"].median / (2.0 ** (1.0 / SHAPE) - 1.0)
    delay = rng.exponential(scale, crises) / rng.gamma(SHAPE, size=crises)
    by_then = (days >= 0) & (days <= 4)
    unreported = ~by_then | (days + 0.5 + delay > 5.0)
    share = (by_then & unreported).sum() / unreported.sum()
    block = toy.block(case, crises, event_request=days, internet=1.0)
    weighed = weigh_runs(case, toy.dataset(case, block))
    posterior = weighed.weights.weight[by_then].sum()
    assert posterior == pytest.approx(share, abs=4.0 * np.sqrt(share / unreported.sum()))
    assert by_then.mean() == pytest.approx(0.25, abs=0.02)
    assert posterior < 0.15  # without the silence it would be a quarter


def test_a_question_whose_window_began_earlier_is_about_what_is_still_to_come(toy):
    questions = [toy.question("asks", "binary", quantity="request", statistic="happens")]
    case = toy.case(silence=only("request"), questions=questions)
    days = np.array([0] * 60 + [7] * 10 + [-1] * 30)  # most runs asked on the first day
    weighed = weigh_runs(case, toy.dataset(case, toy.block(case, 100, event_request=days)))
    early = survival(np.array([4.5]), NEWS["request"].median)[0]
    share = weighed.draws["asks"] @ weighed.weights.weight
    assert share == pytest.approx((60 * early + 10) / (60 * early + 40))
    # A report of it, even a weak one, is weighed instead.
    rumour = toy.fact("f", "request", "2001-03-01", True, rating="C3")
    told = toy.case(silence=only("request"), questions=questions, facts=[rumour])
    weighed = weigh_runs(told, toy.dataset(told, toy.block(told, 100, event_request=days)))
    assert weighed.draws["asks"] @ weighed.weights.weight > 0.6


def test_a_misspelt_event_is_refused_with_its_line(toy):
    data = json.loads(toy.case().model_dump_json(exclude={"silence"}))
    text = json.dumps(data)[:-1] + ',\n"silence": {"requst": false}}'
    with pytest.raises(InputError, match="did you mean 'request'") as error:
        load_text(text, "case.yaml")
    assert error.value.problems[0].line == 2
