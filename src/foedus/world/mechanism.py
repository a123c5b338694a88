"""What a mechanism declares about itself, for the day loop and for lists of mechanisms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from foedus.case.priors import Prior
from foedus.randomness import Random
from foedus.world.guidance import Guidance
from foedus.world.setting import Setting
from foedus.world.state import State

FloatArray = NDArray[np.float64]

#: Values of all parameters for a set of runs: name to array of shape (run,).
Parameters = dict[str, FloatArray]

Dim = Literal["day", "city", "member"]
Start = Callable[[Setting, Parameters, State, Random], None]
Step = Callable[[Setting, Parameters, State, int, Random, Guidance], None]


@dataclass(frozen=True)
class Parameter:
    """One uncertain number of one mechanism.

    Attributes
    ----------
    name : str
        ``mechanism.word``, after the mechanism that declares it.
    prior : Prior
        Default prior, with its origin and source.
    unit : str
        Unit, or "1" for a pure number.
    meaning : str
        What it does, in one sentence.
    low, high : float
        A prior whose median lies outside is refused; a draw outside is clipped.
    """

    name: str
    prior: Prior
    unit: str
    meaning: str
    low: float = -np.inf
    high: float = np.inf


@dataclass(frozen=True)
class Variable:
    """One output; its leading dimension is always ``run``.

    ``read`` takes its value from the state; the default is the field of the same name.
    """

    name: str
    dims: tuple[Dim, ...]
    dtype: str
    unit: str
    meaning: str
    read: Callable[[State], NDArray[Any]] | None = None

    def of(self, state: State) -> NDArray[Any]:
        """Return today's value, shape (run, ...) without the day."""
        return np.asarray(getattr(state, self.name) if self.read is None else self.read(state))


@dataclass(frozen=True)
class Luck:
    """A random draw made once a run that facts may inform.

    It is an uncertain input like the parameters, and an adaptive ensemble can move it. ``meaning``
    may name the ``{city}`` or ``{member}`` for which it is drawn.
    """

    purpose: str
    per: Literal["run", "city", "member"]
    meaning: str


@dataclass(frozen=True, kw_only=True)
class Mechanism:
    """One mechanism.

    Attributes
    ----------
    name : str
        The switch in a case file, and the first word of its parameters and draws.
    text : str
        The docstring of its file: a heading line, then equations and sources.
    parameters : tuple of Parameter
    borrows : tuple of str
        Parameters of others that it reads, by name; a name without a dot is all of that group.
        The engine hands it these and its own, and no more.
    draws : tuple of str
        Purposes of all its random draws (:mod:`foedus.randomness`).
    luck : tuple of Luck
        Those of its draws that are uncertain inputs.
    reads, writes : tuple of str
        Fields of :class:`~foedus.world.state.State` that its start and step use, with events as
        ``event.name``. It may also read what it writes. A test checks this on the running engine.
    outputs : tuple of Variable
    quantities : tuple of str
        Words of :data:`foedus.case.vocabulary.QUANTITIES` that it produces.
    decisions : tuple of str
        Events that can be replayed: each has a daily probability (:meth:`Guidance.decide`).
    memory : type, optional
        A record that only this mechanism keeps; see :meth:`State.of`.
    start : callable, optional
        Sets the state before the first day.
    step : callable, optional
        Advances the state by one day; None if the mechanism is constant in time.
    """

    name: str
    text: str
    parameters: tuple[Parameter, ...] = ()
    borrows: tuple[str, ...] = ()
    draws: tuple[str, ...] = ()
    luck: tuple[Luck, ...] = ()
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    outputs: tuple[Variable, ...] = ()
    quantities: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    memory: type | None = None
    start: Start | None = None
    step: Step | None = None

    def may_read(self, parameter: str) -> bool:
        """Return whether a parameter is its own or one that it borrows."""
        group = parameter.split(".")[0]
        return group == self.name or not {parameter, group}.isdisjoint(self.borrows)
