"""A stand-in for the world: quick, deterministic by run, and able to fail on purpose.

Environment variables say what it does wrong, because spawned workers inherit them.
"""

import os
import time

import numpy as np

from foedus.case.priors import Normal, Uniform
from foedus.randomness import Random
from foedus.world.engine import shape
from foedus.world.mechanism import Parameter
from foedus.world.order import VARIABLES
from foedus.world.setting import Setting


def registry(case):
    declared = [
        Parameter("a.rate", Uniform(dist="uniform", low=0, high=1), "1/day", "A rate."),
        Parameter("b.size", Normal(dist="normal", mean=5, sd=2), "people", "A size.", low=0.0),
    ]
    declared += [
        Parameter(f"trigger.{i}", t.loss, "1", "A shock.", 0.0, 1.0)
        for i, t in enumerate(case.triggers)
    ]
    return {p.name: p for p in sorted(declared, key=lambda p: p.name)}


def luck(case):
    return ()


def simulate(case, *, seed, runs, values, hypothesis, guidance):
    time.sleep(float(os.environ.get("FAKE_SLEEP", "0")))
    bad = int(os.environ.get("FAKE_BAD_RUN", "-1"))
    if bad in runs:
        raise ArithmeticError(f"run {bad} went wrong")
    _die_once()
    if case.facts or case.questions or case.outcomes:
        raise AssertionError("the world sees what it must not")
    setting = Setting.of(case)
    random = Random(seed, runs)
    base = random.uniform("fake") + values["a.rate"] * values["b.size"] + hypothesis
    out = {}
    for number, v in enumerate(VARIABLES.values()):
        size = int(np.prod(shape(v, setting)))
        array = np.floor((base[:, None] * 37 + np.arange(size) * 0.5 + number) % 100)
        if v.dtype.startswith("float"):
            array = array + random.uniform("fake.noise", place=number)[:, None]
            array[:, -1] = np.where(runs % 7 == 0, np.nan, array[:, -1])
        array = array > 50 if v.dtype == "bool" else array.astype(v.dtype)
        out[v.name] = array.reshape(runs.size, *shape(v, setting))
    out["deaths_allied"][:] = 0.0  # a chunk of zeros only
    return out


def _die_once():
    """Kill this process as the system does when memory is short, but only the first time."""
    mark = os.environ.get("FAKE_DIE_ONCE")
    if mark:
        try:
            os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return
        os.kill(os.getpid(), 9)
