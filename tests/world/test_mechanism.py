"""Declarations: the running engine respects them, and an eleventh mechanism needs nothing else."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import foedus
from foedus.case.priors import Uniform
from foedus.case.vocabulary import EVENTS, MECHANISMS, QUANTITIES, REPLAYABLE, Quantity
from foedus.errors import InputError
from foedus.randomness import Random
from foedus.world import engine, order
from foedus.world.guidance import Guidance
from foedus.world.mechanism import Luck, Mechanism, Parameter, Variable
from foedus.world.order import ORDER, VARIABLES
from foedus.world.setting import Setting
from foedus.world.state import State

from .small_case import small_case, values_of

#: Fields that replaying a decision charges (``Guidance.decide``), and fields that the engine sets.
COMMON = {"log_guidance", "ruled_out", "on"}
FIELDS = {f.name for f in fields(State)} - {"events", "memories", "lattices"} - COMMON


class Events(dict[str, Any]):
    """The events of a state; records which ones are read."""

    def __init__(self, events: dict[str, Any], touched: set[str]) -> None:
        super().__init__(events)
        self.touched = touched

    def __getitem__(self, name: str) -> Any:
        self.touched.add(f"event.{name}")
        return super().__getitem__(name)


class Watched(State):
    """A state that records which of its fields are read, and which memories are requested."""

    touched: set[str]
    asked: set[type]

    def __getattribute__(self, name: str) -> Any:
        if name in FIELDS:
            object.__getattribute__(self, "touched").add(name)
        return object.__getattribute__(self, name)

    def of(self, kind: type[Any]) -> Any:
        self.asked.add(kind)
        return super().of(kind)


def watched(state: State) -> Watched:
    """Return a view of a state: the same arrays, with reads recorded."""
    view = object.__new__(Watched)
    vars(view).update(vars(state))
    view.touched, view.asked = set(), set()
    view.events = Events(state.events, view.touched)
    return view


def contents(state: State) -> dict[str, Any]:
    """Return a copy of all fields and events, as bytes."""
    out = {name: np.asarray(vars(state)[name]).tobytes() for name in FIELDS}
    return out | {f"event.{name}": days.tobytes() for name, days in dict.items(state.events)}


class Values(dict[str, Any]):
    """Values of parameters; notes which ones are looked at."""

    def __init__(self, values: dict[str, Any], read: set[str]) -> None:
        super().__init__(values)
        self.read = read

    def __getitem__(self, name: str) -> Any:
        self.read.add(name)
        return super().__getitem__(name)


class Seen:
    """The reads and writes observed in a mechanism."""

    def __init__(self) -> None:
        self.read: set[str] = set()
        self.touched: set[str] = set()
        self.written: set[str] = set()
        self.asked: set[type] = set()
        self.drawn: set[str] = set()


def spied(seen: Seen, call: Any) -> Any:
    """Return a start or step that is observed."""

    def watch(setting: Setting, p: Any, state: State, *rest: Any) -> None:
        before = contents(state)
        view = watched(state)
        call(setting, Values(p, seen.read), view, *rest)
        after = vars(view)
        seen.touched |= view.touched
        seen.asked |= view.asked
        for name in FIELDS | {"lattices"}:
            setattr(state, name, after[name])
        now = contents(state)
        seen.written |= {name for name in before if before[name] != now[name]}

    return watch


@pytest.fixture(scope="module")
def seen() -> dict[str, Seen]:
    """Run the small case in several ways with every mechanism observed."""
    noted: dict[str, Seen] = defaultdict(Seen)
    original = list(ORDER)
    patch = pytest.MonkeyPatch()
    for method in ("uniform", "normal"):
        plain = getattr(Random, method)

        def draw(self: Random, purpose: str, *, _plain: Any = plain, **address: Any) -> Any:
            noted[purpose.split(".")[0]].drawn.add(purpose)
            return _plain(self, purpose, **address)

        patch.setattr(Random, method, draw)
    try:
        ORDER[:] = [
            replace(
                m,
                start=m.start and spied(noted[m.name], m.start),
                step=m.step and spied(noted[m.name], m.step),
            )
            for m in original
        ]
        runs = np.arange(60, dtype=np.int64)
        hypothesis = np.full(60, -1, dtype=np.int16)
        for rule in ("consensus_with_abstention", "simple_majority"):
            alliance = small_case().alliance.model_copy(update={"rule": rule})
            case = small_case().model_copy(update={"alliance": alliance})
            values = values_of(case, 60)
            for name, value in LIVELY.items():
                values[name][:] = value
            for known in (
                Guidance(),
                Guidance(days={("request", ""): 3, ("leader_leaves", ""): 9}),
            ):
                engine.simulate(
                    case, seed=5, runs=runs, values=values, hypothesis=hypothesis, guidance=known
                )
    finally:
        ORDER[:] = original
        patch.undo()
    return dict(noted)


#: Values at which everything happens within the small case's twelve days.
LIVELY = {
    "streets.legitimacy": 0.7,
    "lethal.hazard": 0.05,
    "lethal.hazard_security": 0.2,
    "lethal.exposure": 0.9,
    "leader.gate": 0.02,
    "leader.request_base": 0.0,
    "leader.concession_base": -1.0,
    "leader.shutdown_base": -1.0,
    "leader.guard_base": -1.0,
    "leader.fire_base": -1.0,
    "alliance.decision_rate": 0.8,
    "alliance.lead_intercept": 1.0,
    "airlift.min_stay": 1.0,
    "airlift.short_stay": 1.0,
    "airlift.short_mission": 1.0,
    "airlift.withdrawal": 1.0,
    "airlift.assembled": 0.0,
}


@pytest.mark.parametrize("name", MECHANISMS)
def test_a_mechanism_touches_what_it_declares_and_nothing_else(
    seen: dict[str, Seen], name: str
) -> None:
    declared, did = order.mechanism(name), seen[name]
    assert did.written == set(declared.writes)
    assert did.touched - set(declared.writes) == set(declared.reads)
    assert did.asked == ({declared.memory} if declared.memory else set())
    assert did.drawn == set(declared.draws)
    others = {n for n in did.read if not n.startswith(f"{name}.")}
    own, lent = {p.name for p in declared.parameters}, {n for m in ORDER for n in m.borrows}
    assert did.read - others <= own
    assert own - did.read <= lent
    assert {n if n in declared.borrows else n.split(".")[0] for n in others} == set(
        declared.borrows
    )


def test_declarations_are_complete_and_agree_with_the_vocabulary() -> None:
    names = [m.name for m in ORDER]
    assert len(names) == len(set(names))
    assert set(names) == set(MECHANISMS)
    assert {q for m in ORDER for q in m.quantities} == set(QUANTITIES)
    assert {d for m in ORDER for d in m.decisions} == set(REPLAYABLE)
    assert {w for m in ORDER for w in m.writes if w.startswith("event.")} == {
        f"event.{name}" for name in EVENTS
    }
    outputs = [v.name for m in ORDER for v in m.outputs]
    assert len(outputs) == len(set(outputs))
    for m in ORDER:
        assert set(m.reads) | set(m.writes) <= FIELDS | {f"event.{name}" for name in EVENTS}
        assert all(p.name.startswith(f"{m.name}.") for p in m.parameters)
        assert set(m.borrows) <= {p.name for other in ORDER for p in other.parameters} | {"trigger"}
        assert not any(n.startswith(f"{m.name}.") for n in m.borrows)
        assert all(draw.startswith(f"{m.name}.") for draw in m.draws)
        assert {item.purpose for item in m.luck} <= set(m.draws)


@dataclass
class Fatigue:
    """Weariness of protest, shape (run,)."""

    level: np.ndarray


def _start(setting: Setting, p: Any, state: State, random: Random) -> None:
    state.remember(Fatigue(np.zeros(random.runs.size)))


def _step(
    setting: Setting, p: Any, state: State, day: int, random: Random, guidance: Guidance
) -> None:
    fatigue = state.of(Fatigue)
    luck = 2.0 * random.uniform("fatigue.pace")
    fatigue.level += p["fatigue.rate"] * luck * state.unrest * (1.0 - fatigue.level)


TOY = Mechanism(
    name="fatigue",
    text="Mechanism 11, fatigue: unrest tires those who take part.",
    parameters=(
        Parameter("fatigue.rate", Uniform(dist="uniform", low=0.1, high=0.5), "1/day", "Pace."),
    ),
    draws=("fatigue.pace",),
    luck=(Luck("fatigue.pace", "run", "How quickly people tire."),),
    reads=("unrest",),
    outputs=(
        Variable(
            "fatigue", ("day",), "float32", "share", "weariness", lambda s: s.of(Fatigue).level
        ),
    ),
    memory=Fatigue,
    start=_start,
    step=_step,
)


def test_an_eleventh_mechanism_is_simulated_and_leaves_the_others_alone() -> None:
    case, runs = small_case(), np.arange(30, dtype=np.int64)
    hypothesis = np.full(30, -1, dtype=np.int16)

    def simulated(values: dict[str, np.ndarray]) -> Any:
        return engine.simulate(case, seed=2, runs=runs, values=values, hypothesis=hypothesis)

    values = values_of(case, 30)
    plain = simulated(values)
    with order.extended(TOY, after="streets"):
        assert "fatigue.rate" in engine.registry(case)
        assert ("fatigue.pace", 0) in engine.luck(case)
        assert "fatigue" in engine.switches(case)
        slow, fast = (
            simulated(values | {"fatigue.rate": np.full(30, rate)}) for rate in (0.1, 0.5)
        )
    assert list(slow) == [*plain, "fatigue"]
    for name, array in plain.items():
        np.testing.assert_array_equal(array, slow[name], err_msg=name)
    assert (slow["fatigue"][:, -1] > 0).any()
    assert (fast["fatigue"] >= slow["fatigue"]).all()
    assert "fatigue" not in VARIABLES
    assert TOY not in ORDER


def test_an_eleventh_mechanism_is_drawn_stored_and_asked_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    word = Quantity("fatigue", "level", "nation", "share", "weariness of protest")
    monkeypatch.setitem(QUANTITIES, "fatigue", word)
    ask = {"quantity": "fatigue", "statistic": "at", "by_date": "2001-03-12"}
    question = {"id": "tired", "text": "How tired are people?", "kind": "number", "ask": ask}
    case = small_case(questions=[question])
    with order.extended(TOY, after="streets"):
        ensemble = foedus.run(case, runs=64, out=tmp_path / "toy.zarr", workers=1)
        stored = ensemble.dataset
        rates = stored["parameters"].sel(parameter="fatigue.rate")
        assert 0.1 < float(rates.min()) < float(rates.max()) < 0.5
        assert float(stored["fatigue"].isel(day=-1).max()) > 0
        forecast = foedus.forecast(case, ensemble=ensemble)
    (answer,) = forecast.answers
    assert answer.id == "tired"


@pytest.mark.parametrize(
    "taken", [replace(TOY, name="ties"), replace(TOY, outputs=ORDER[3].outputs)]
)
def test_a_taken_name_is_refused(taken: Mechanism) -> None:
    with pytest.raises(InputError, match="names of their own"), order.extended(taken, after="ties"):
        pass
