"""The day loop: the mechanisms in order, over all runs of a batch at once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from foedus.case.models import Case
from foedus.randomness import Random
from foedus.world.guidance import Guidance
from foedus.world.mechanism import Parameter, Parameters, Variable
from foedus.world.order import ORDER, VARIABLES
from foedus.world.order import luck as declared_luck
from foedus.world.setting import Setting
from foedus.world.state import State

#: Output variables by name; the leading axis is the run.
Arrays = dict[str, NDArray[np.generic]]


def registry(case: Case) -> dict[str, Parameter]:
    """Return all declared parameters and those of the case's triggers, sorted by name."""
    declared = [p for mechanism in ORDER for p in mechanism.parameters]
    for number, trigger in enumerate(case.triggers):
        meaning = f"Loss of legitimacy in {trigger.place} on {trigger.date}."
        declared.append(Parameter(f"trigger.{number}", trigger.loss, "share", meaning, 0.0, 1.0))
    return {p.name: p for p in sorted(declared, key=lambda p: p.name)}


def luck(case: Case) -> tuple[tuple[str, int], ...]:
    """Return the (purpose, place) of the draws made once a run that facts may inform.

    An adaptive ensemble can move these draws as it moves parameters.
    """
    places = {"run": 1, "city": len(case.places), "member": len(case.alliance.members)}
    return tuple(
        (item.purpose, place) for item in declared_luck() for place in range(places[item.per])
    )


def switches(case: Case, hypothesis: int = -1) -> frozenset[str]:
    """Return the mechanisms that are on: all but those the case or the hypothesis switches off."""
    on = {mechanism.name: True for mechanism in ORDER}
    on.update(case.mechanisms)
    if hypothesis >= 0:
        on.update(case.hypotheses[hypothesis].mechanisms)
    return frozenset(name for name, value in on.items() if value)


def shape(variable: Variable, setting: Setting) -> tuple[int, ...]:
    """Return the shape of a variable after the run axis."""
    sizes = {"day": setting.horizon, "city": len(setting.cities), "member": len(setting.members)}
    return tuple(sizes[d] for d in variable.dims)


def allocate(setting: Setting, runs: int) -> Arrays:
    """Return arrays of zeros for all variables."""
    return {v.name: np.zeros((runs, *shape(v, setting)), dtype=v.dtype) for v in VARIABLES.values()}


def record_day(out: Arrays, state: State, day: int) -> None:
    """Record a day of the state; this draws nothing and changes nothing."""
    for variable in VARIABLES.values():
        if variable.dims[:1] == ("day",):
            out[variable.name][:, day] = variable.of(state)


def record_end(out: Arrays, state: State) -> None:
    """Record the values that belong to a run as a whole."""
    for variable in VARIABLES.values():
        if variable.dims[:1] != ("day",):
            out[variable.name][...] = variable.of(state)


class World:
    """A case with its mechanisms, and the runs of a batch.

    Parameters
    ----------
    setting : Setting
    p : dict of str to ndarray, shape (run,)
        Parameter values.
    random : Random
        Keyed draws of these runs.
    on : frozenset of str
        Mechanisms that are on.
    guidance : Guidance
        Known decisions to replay.
    """

    def __init__(
        self,
        setting: Setting,
        p: Parameters,
        random: Random,
        *,
        on: frozenset[str],
        guidance: Guidance | None = None,
    ) -> None:
        self.setting = setting
        self.p = {m.name: {n: v for n, v in p.items() if m.may_read(n)} for m in ORDER}
        self.random = random
        self.on = on
        self.guidance = guidance if guidance is not None else Guidance()

    def start(self) -> State:
        """Return the state before the first day."""
        runs, setting = self.random.runs.size, self.setting
        state = State.calm(runs, len(setting.cities), len(setting.members), on=self.on)
        for mechanism in ORDER:
            if mechanism.name in self.on and mechanism.start is not None:
                mechanism.start(setting, self.p[mechanism.name], state, self.random)
        return state

    def advance(self, state: State, day: int) -> None:
        """Advance the state by one day, in place."""
        for mechanism in ORDER:
            if mechanism.name in self.on and mechanism.step is not None:
                p = self.p[mechanism.name]
                mechanism.step(self.setting, p, state, day, self.random, self.guidance)

    def run(self, state: State, first_day: int, until: int, out: Arrays | None = None) -> State:
        """Advance from ``first_day`` to the day before ``until``, recording into ``out``."""
        for day in range(first_day, until):
            self.advance(state, day)
            if out is not None:
                record_day(out, state, day)
        return state


def simulate(
    case: Case,
    *,
    seed: int,
    runs: NDArray[np.int64],
    values: Mapping[str, NDArray[np.float64]],
    hypothesis: NDArray[np.int16],
    guidance: Guidance | None = None,
    luck: Mapping[tuple[str, int], NDArray[np.float64]] | None = None,
) -> Arrays:
    """Simulate runs of a case from start to horizon.

    Parameters
    ----------
    case : Case
    seed : int
        Ensemble seed.
    runs : ndarray of int64, shape (run,)
        Global run numbers.
    values : mapping of str to ndarray, shape (run,)
        A value of each parameter in :func:`registry`.
    hypothesis : ndarray of int16, shape (run,)
        Index into ``case.hypotheses``, or -1; decides which mechanisms are on.
    guidance : Guidance, optional
        Known decisions to replay.
    luck : mapping of (purpose, place) to ndarray, shape (run,), optional
        Uniforms that replace the draws named by :func:`luck`.

    Returns
    -------
    dict of str to ndarray
        The variables of :data:`foedus.world.order.VARIABLES`; the run is the first axis. A run
        does not depend on the other runs in the call.
    """
    setting = Setting.of(case)
    out = allocate(setting, runs.size)
    on_by_run = [switches(case, int(h)) for h in hypothesis]
    for on in sorted(set(on_by_run), key=sorted):
        rows = np.flatnonzero(np.array([o == on for o in on_by_run]))
        p = {name: value[rows] for name, value in values.items()}
        draws = Random(seed, runs, luck or {}).subset(rows)
        world = World(setting, p, draws, on=on, guidance=guidance)
        part = allocate(setting, rows.size)
        state = world.run(world.start(), 0, setting.horizon, part)
        record_end(part, state)
        for name, array in part.items():
            out[name][rows] = array
    return out
