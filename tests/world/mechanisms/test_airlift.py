"""Airlift: the arrival curve and its limits, tempo and durations of the casebook, relief."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from foedus.world.guidance import Guidance
from foedus.world.mechanisms import airlift

from .street_settings import (
    advance,
    batch_free,
    changed,
    draws,
    keyed,
    medians,
    moving_parameters,
    setting,
    streets,
)

LEAD, OTHER, NEIGHBOUR = 1, 2, 3
PROMPT: dict[str, Any] = {"airlift__assembled": 0.0, "airlift__lag_spread": 0.0}
STAY: dict[str, Any] = {"airlift__min_stay": 1000.0}
WIDE = {"airlift__sorties": 500.0, "airlift__light": 1.0, "airlift__seats": 400.0}


def committed(runs=4, day=0, members=(LEAD,), sent=2000.0, intensity=0.3):
    state = streets(runs, intensity=intensity)
    for m in members:
        state.commits[:, m] = True
        state.contribution_day[:, m] = day
        state.sent[:, m] = sent
        state.announced[:, m] = 1.3 * sent
    return state


def daily(p, state, days, member=LEAD, **kwargs):
    """Return the troops present at the end of each day, shape (day, run)."""
    rows = []
    airlift.start(kwargs.get("frame", setting()), p, state, keyed(state.internet.size))
    for day in range(days):
        advance(airlift, p, state, first=day, begin=False, **kwargs)
        rows.append(state.present[:, member].copy())
    return np.array(rows)


def test_arrival_share_is_the_erlang_distribution():
    days = np.linspace(-1.0, 12.0, 27)
    want = stats.gamma.cdf(days, 2, scale=1.8 / 2)
    assert airlift.arrival_share(days, np.array(1.8)) == pytest.approx(want, abs=1e-14)


@pytest.mark.parametrize(("ramp", "width"), [("ramp_air", 3.0), ("ramp_land", 0.75)])
def test_arrival_curve_takes_the_fitted_days(ramp, width):
    """10 to 90% in 3 days by air, in 0.5 to 1 day by land."""
    mean = medians(airlift)[f"airlift.{ramp}"][0]
    x = stats.gamma.ppf([0.1, 0.9], 2, scale=mean / 2)
    assert x[1] - x[0] == pytest.approx(width, rel=0.05)
    assert airlift.arrival_share(x, np.array(mean)) == pytest.approx([0.1, 0.9], abs=1e-9)


def test_first_landing_within_a_day_and_complete_in_days():
    """A stand-by force of 2,000 with vehicles: the first land at once, most in 4 to 6 days."""
    p = medians(airlift, **PROMPT, **STAY)
    state = committed()
    present = daily(p, state, 14)[:, 0]
    landed = np.floor(state.arrival_day[0, LEAD])
    assert landed in (0, 1)
    share = present / 2000.0
    first = int(landed)
    assert 0.05 < share[first] + share[first + 1] < 1.3
    assert share[first + 1] > 0.25
    assert 0.75 < share[first + 4] <= 1.0
    assert share[first + 6] > 0.95
    assert share[-1] == pytest.approx(1.0, abs=1e-3)
    assert np.all(np.diff(present) >= 0)


def test_the_lift_is_limited_by_vehicles():
    lift: dict[str, Any] = {"airlift__vehicles_per_flight": 2.4, "airlift__vehicles": 120.0}
    p = medians(airlift, **PROMPT, **STAY, **lift, airlift__ramp_air=0.05, airlift__light=0.0)
    heavy = daily(p, committed(), 8)[:, 0]
    each_day = np.diff(heavy)[1:3]
    per_flight = 1000 * p["airlift.vehicles_per_flight"][0] / p["airlift.vehicles"][0]
    assert per_flight == pytest.approx(20.0, rel=0.05)
    assert each_day == pytest.approx(p["airlift.sorties"][0] * per_flight, rel=1e-9)
    light = medians(airlift, **PROMPT, **STAY, airlift__ramp_air=0.05, airlift__light=1.0)
    assert daily(light, committed(), 3)[2, 0] > 2 * heavy[2]


def test_light_infantry_comes_first():
    p = medians(airlift, **PROMPT, **STAY, airlift__ramp_air=0.05, airlift__light=0.3)
    state = committed(sent=4000.0)
    present = daily(p, state, 12)[:, 0]
    gains = np.diff(np.concatenate([[0.0], present]))
    busy = gains[gains > 1]
    assert busy[0] > 2 * busy[-2]


def test_flights_are_shared_and_land_contingents_need_none():
    p = medians(airlift, **PROMPT, **STAY, airlift__second_lag=0.0, airlift__ramp_air=0.05)
    alone = daily(p, committed(members=(LEAD,)), 5)[:, 0]
    both = committed(members=(LEAD, OTHER, NEIGHBOUR))
    shared = daily(p, both, 5)[:, 0]
    assert np.all(shared[1:] < alone[1:])
    assert both.present[0, NEIGHBOUR] > 0.99 * 2000
    assert both.present[0, LEAD] == pytest.approx(both.present[0, OTHER])
    per_day = p["airlift.sorties"][0] * p["airlift.seats"][0]
    assert shared[1] * 2 <= 2 * per_day


@pytest.mark.parametrize("runs", [20_000])
def test_tempo_of_a_stand_by_force_is_the_casebooks_bilateral_one(runs):
    """Median one day from call to arrival where a power decides at once (n = 22)."""
    p = draws(airlift, runs=runs)
    p["airlift.assembled"][:] = 0.0
    state = committed(runs)
    airlift.start(setting(), p, state, keyed(runs))
    due = 0.5 + state.of(airlift.Mission).lag[:, LEAD]
    days = np.floor(due)
    assert np.median(days) == 1
    assert np.quantile(days, 0.9) <= 3


def test_tempo_after_decisions_meets_the_casebooks_quantiles():
    """Decision to arrival, granted, n = 34: quartiles 1, 1, 14.5 and upper decile 48 days."""
    runs = 40_000
    p = draws(airlift, runs=runs)
    p["airlift.assembled"][:] = 11 / 34
    state = committed(runs)
    airlift.start(setting(), p, state, keyed(runs))
    mission = state.of(airlift.Mission)
    days = np.floor(np.maximum(0.5 + mission.lag[:, LEAD], mission.ready))
    low, median, high, top = np.quantile(days, [0.25, 0.5, 0.75, 0.9])
    assert low in (0, 1)
    assert median == 1
    assert high == pytest.approx(14.5, rel=0.35)
    assert top == pytest.approx(47.7, rel=0.35)


def test_tempo_of_organisations():
    """Request to arrival by an organisation: median 6 days, upper quartile 52 (n = 15).

    The distribution is bimodal and its median lies in the gap, so it is bracketed by the share that
    has to be assembled. The days from request to decision are the casebook's quantiles, drawn
    separately.
    """
    runs = 40_000
    p = draws(airlift, runs=runs)
    u = np.random.default_rng(1).uniform(size=runs)
    decision = np.interp(u, [0, 0.5, 0.75, 0.9, 1.0], [0, 0, 4, 20, 360])
    quantiles = []
    for share in (0.35, 10 / 18):
        p["airlift.assembled"][:] = share
        state = committed(runs)
        airlift.start(setting(), p, state, keyed(runs))
        mission = state.of(airlift.Mission)
        days = np.floor(np.maximum(decision + 0.5 + mission.lag[:, LEAD], mission.ready))
        quantiles.append(np.quantile(days, [0.5, 0.75]))
    (few, few_high), (many, many_high) = quantiles
    assert few <= 6 < many
    assert few_high < 52 < many_high


def test_lag_grows_with_distance_and_land_is_faster():
    p = medians(airlift, **PROMPT)
    lags = []
    for km in (500.0, 2750.0, 6000.0):
        state = committed()
        airlift.start(setting(air_distance=km), p, state, keyed(4))
        lags.append(state.of(airlift.Mission).lag[0, LEAD])
    assert lags == sorted(lags)
    assert lags[1] == pytest.approx(0.75)
    state = committed()
    airlift.start(setting(), p, state, keyed(4))
    lag = state.of(airlift.Mission).lag[0]
    assert lag[OTHER] - lag[LEAD] == pytest.approx(p["airlift.second_lag"][0])
    assert lag[NEIGHBOUR] - p["airlift.second_lag"][0] == pytest.approx(0.5)


def test_nobody_committed_nobody_comes():
    state = streets()
    state.announced[:] = 3000.0
    after = advance(airlift, medians(airlift), state.fork(), days=20)
    assert changed(state, after) == set()


def test_nothing_lands_before_the_commitment():
    p = medians(airlift, **PROMPT)
    state = committed(day=-1)
    state.commits[:] = False
    daily(p, state, 4)
    assert np.all(state.present == 0)
    state.commits[:, LEAD] = True
    state.contribution_day[:, LEAD] = 4
    advance(airlift, p, state, days=3, first=4, begin=False)
    assert np.all(state.arrival_day[:, LEAD] >= 4.5)
    assert np.all(state.events["first_arrival"] == np.floor(state.arrival_day[:, LEAD]))


def test_sent_is_the_ceiling_and_announced_is_not():
    p = draws(airlift, runs=300)
    state = committed(300, members=(LEAD, OTHER, NEIGHBOUR))
    advance(airlift, p, state, days=60)
    assert np.all(state.present <= state.sent + 1e-9)
    assert np.all(state.present >= 0)
    assert np.all(np.isinf(state.arrival_day[:, 0]))


def test_relief_is_guards_over_police():
    p = medians(airlift, **PROMPT, **STAY)
    state = committed()
    advance(airlift, p, state, days=3)
    police = 0.05 / 0.7 * state.mobilisable.sum(axis=1)
    assert state.police[:] == pytest.approx(police)
    want = p["airlift.guards"] * state.present.sum(axis=1) / police
    assert np.all((want > 0) & (want < 1))
    assert state.relief == pytest.approx(want)


def test_relief_is_capped_and_absent_without_streets():
    p = medians(airlift, **PROMPT, **STAY)
    state = committed(sent=500_000.0, members=(NEIGHBOUR,))
    assert np.all(advance(airlift, p, state, days=5).relief == 1.0)
    state = committed()
    state.mobilisable[:] = 0.0
    assert np.all(advance(airlift, p, state, days=5).relief == 0.0)


def test_citizens_per_site_is_the_streets_density():
    unrest = pytest.importorskip("foedus.world.mechanisms.streets")
    assert unrest.DENSITY == airlift.CITIZENS_PER_SITE


def test_durations_meet_the_casebook():
    """Months to withdrawal, granted, n = 39: 1.1, 3.6, 15, 38, 103 at 10, 25, 50, 75, 90%."""
    rng = np.random.default_rng(5)
    runs = 60_000
    p = draws(airlift, runs=runs)
    short = (
        rng.uniform(size=runs) < 11 / 39
    )  # the share of all missions, not of those against protest
    days = np.where(short, p["airlift.short_stay"], p["airlift.long_stay"])
    got = np.quantile(days / 30.44, [0.1, 0.25, 0.5, 0.75, 0.9])
    assert got == pytest.approx([1.1, 3.6, 15, 38, 103], rel=0.4)


def test_an_assembled_mission_lands_that_long_after_the_request():
    p = medians(airlift, **{**PROMPT, "airlift__assembled": 1.0}, airlift__assembly=12.0)
    state = committed(day=4)
    state.mark("request", np.full(4, True), 1)
    daily(p, state, 20)
    assert state.arrival_day[:, LEAD] == pytest.approx(13.0)
    late = committed(day=15)
    late.mark("request", np.full(4, True), 1)
    daily(p, late, 20)
    assert late.arrival_day[:, LEAD] == pytest.approx(15.5 + 0.75, abs=0.01)


def test_a_stay_comes_out_as_it_went_in():
    runs = 4000
    stays = np.random.default_rng(4).lognormal(np.log(40.0), 0.6, runs)
    p = medians(airlift, runs=runs, **PROMPT, airlift__short_mission=1.0, airlift__cut=0.0)
    p["airlift.short_stay"] = stays
    state = committed(runs, intensity=0.0)
    advance(airlift, p, state, days=100)
    stayed = state.events["withdrawal_end"] - state.events["first_arrival"] + 1.0
    done = (stays > 15) & (stays < 95)
    assert stayed[done] == pytest.approx(stays[done], abs=1.5)


def test_unrest_keeps_them_and_losses_change_the_end_by_their_sign():
    p = medians(airlift, **PROMPT, airlift__short_mission=1.0, airlift__short_stay=20.0)
    calm, riot = committed(intensity=0.0), committed(intensity=0.9)
    for state in (calm, riot):
        advance(airlift, p, state, days=25)
    assert calm.happened("withdrawal_end").all()
    assert not riot.happened("withdrawal_start").any()

    def end(losses):
        state = committed(intensity=0.0)
        airlift.start(setting(), p, state, keyed(4))
        p["airlift.losses"][:] = losses
        for day in range(60):
            state.deaths_allied[:] = 3.0
            advance(airlift, p, state, first=day, begin=False)
        return state.events["withdrawal_start"][0]

    assert 0 < end(1.0) < end(0.0) < end(-0.5)


def test_a_force_is_cut_to_its_remnant_before_it_leaves():
    p = medians(
        airlift, runs=200, **PROMPT, airlift__short_mission=1.0, airlift__short_stay=40.0,
        airlift__cut=1.0, airlift__remnant=0.2,
    )  # fmt: skip
    state = committed(200, intensity=0.0)
    present = daily(p, state, 32)
    cut = present[-1] < 1000.0
    # The cut is at a uniform time of the stay, which the days since the landing have used up.
    assert cut.mean() == pytest.approx(31 / 40, abs=0.09)
    assert present[-1][cut] == pytest.approx(0.2 * 2000.0, rel=0.01)
    assert present[-1][~cut] == pytest.approx(2000.0, rel=0.01)


def test_a_mandate_is_announced_by_the_stay():
    runs = 20_000
    p = medians(airlift, runs=runs, airlift__short_mission=1.0, airlift__short_stay=50.0)
    state = committed(runs)
    airlift.start(setting(), p, state, keyed(runs))
    logs = np.log(state.of(airlift.Mission).mandate / 50.0)
    assert logs.mean() == pytest.approx(-0.4, abs=0.02)
    assert logs.std() == pytest.approx(0.7, abs=0.02)
    p["airlift.short_mission"][:] = 0.0
    state = committed(runs)
    airlift.start(setting(), p, state, keyed(runs))
    mandate = state.of(airlift.Mission).mandate
    assert np.median(mandate) == pytest.approx(airlift.LONG_MANDATE, rel=0.03)


def test_withdrawal_runs_down_and_ends():
    p = medians(
        airlift,
        **PROMPT,
        airlift__min_stay=5.0,
        airlift__short_mission=1.0,
        airlift__short_stay=1e-3,
        airlift__withdrawal=4.0,
    )
    state = committed(intensity=0.0)
    present = daily(p, state, 20)[:, 0]
    start = int(state.events["withdrawal_start"][0])
    assert start == state.events["first_arrival"][0] + 5
    assert np.all(state.events["withdrawal_end"] == start + 3)
    before = present[start - 1]
    assert present[start : start + 4] / before == pytest.approx([0.75, 0.5, 0.25, 0.0], abs=0.05)
    assert np.all(present[start + 3 :] == 0)


def test_who_has_not_come_by_then_does_not_come():
    p = medians(
        airlift,
        **PROMPT,
        airlift__min_stay=2.0,
        airlift__short_mission=1.0,
        airlift__short_stay=1e-3,
    )
    state = committed(intensity=0.0)
    advance(airlift, p, state, days=8)
    assert state.happened("withdrawal_start").all()
    state.commits[:, OTHER] = True
    state.contribution_day[:, OTHER] = 8
    state.sent[:, OTHER] = 300.0
    advance(airlift, p, state, days=10, first=8, begin=False)
    assert np.all(state.present[:, OTHER] == 0)
    assert np.all(np.isinf(state.arrival_day[:, OTHER]))


@pytest.mark.parametrize(
    ("name", "sign"),
    [
        ("lag_air", -1),
        ("assembly", -1),
        ("assembled", -1),
        ("ramp_air", -1),
        ("sorties", 1),
        ("vehicles_per_flight", 1),
        ("vehicles", -1),
        ("light", 1),
        ("seats", 1),
        ("second_lag", -1),
    ],
)
def test_signs_of_the_troops_present(name, sign):
    prior = next(q.prior for q in airlift.PARAMETERS if q.name == f"airlift.{name}")
    totals = []
    for u in (0.1, 0.9):
        value = float(prior.quantile(np.array([u]))[0])
        changes = {"airlift__assembled": 0.5, "airlift__ramp_air": 0.5, **STAY}
        p = medians(airlift, runs=300, **{**changes, f"airlift__{name}": value})
        state = committed(300, members=(LEAD, OTHER), sent=3000.0)
        days = 30 if name == "assembly" else 4
        totals.append(advance(airlift, p, state, days=days).present.sum())
    assert sign * (totals[1] - totals[0]) > 0


def test_every_parameter_moves_something():
    def play(p):
        state = committed(60, members=(LEAD, OTHER, NEIGHBOUR), sent=3000.0, intensity=0.1)
        state.deaths_allied[:] = 0.5
        rows = daily(p, state, 60, member=LEAD)
        out = {name: getattr(state, name) for name in ("arrival_day", "present", "relief")}
        out |= {"lead": rows, "mandate": state.of(airlift.Mission).mandate}
        return out | state.events

    moved = moving_parameters(airlift, play)
    assert all(moved.values()), moved


def test_a_run_does_not_depend_on_its_batch():
    batch_free(airlift, lambda runs: committed(runs, members=(LEAD, OTHER, NEIGHBOUR)), days=12)


def test_a_known_first_landing_is_imposed_at_its_own_chance():
    """The charge is the chance of the natural law, and later landings keep their law given it."""
    runs, days, known = 40_000, 7, 2
    frame = setting()
    p = medians(airlift, runs=runs, airlift__assembled=0.2, airlift__lag_spread=0.8, **STAY)
    kept = {}
    for name, guidance in (
        ("free", None),
        ("known", Guidance({("first_arrival", ""): known})),
        ("not yet", Guidance({}, {("first_arrival", ""): known - 1})),
    ):
        state = committed(runs, members=(LEAD, OTHER))
        kept[name] = advance(airlift, p, state, days, frame=frame, guidance=guidance)
    free, forced, later = kept["free"], kept["known"], kept["not yet"]
    first = free.events["first_arrival"]
    assert (forced.events["first_arrival"] == known).all()
    share = (first == known).mean()
    weight = np.exp(forced.log_guidance)
    assert weight.mean() == pytest.approx(share, abs=4 * np.sqrt(share / runs))
    assert np.exp(later.log_guidance).mean() == pytest.approx(
        ((first < 0) | (first >= known)).mean(), abs=0.01
    )
    for member in (LEAD, OTHER):
        natural = np.minimum(np.floor(free.arrival_day[first == known, member]), days)
        told = np.minimum(np.floor(forced.arrival_day[:, member]), days)
        for day in range(days + 1):
            want = (natural == day).mean()
            got = weight[told == day].sum() / weight.sum()
            assert got == pytest.approx(want, abs=5 * np.sqrt(max(want, 1e-3) / natural.size))
    after = np.exp(later.log_guidance)
    for day in range(known, days):
        want = (first == day).sum() / ((first < 0) | (first >= known)).sum()
        got = after[later.events["first_arrival"] == day].sum() / after.sum()
        assert got == pytest.approx(want, abs=0.02)


def test_a_fact_that_states_the_mandate_says_how_long_the_stay_will_be():
    """Thirty days against three hundred: what a run of each stay announces."""
    runs = 20_000
    p = draws(airlift, runs=runs)
    state = committed(runs)
    airlift.start(setting(), p, state, keyed(runs))
    mission = state.of(airlift.Mission)
    short, long = (np.abs(np.log(mission.mandate / days)) < 0.1 for days in (30.0, 300.0))
    assert np.median(mission.stay[short]) < 0.5 * np.median(mission.stay[long])
