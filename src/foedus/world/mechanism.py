"""What a mechanism declares of itself, for the day loop and for all that lists mechanisms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from foedus.randomness import Random
from foedus.world.guidance import Guidance
from foedus.world.parameters import Parameter, Parameters
from foedus.world.setting import Setting
from foedus.world.state import State

Dim = Literal["day", "city", "member"]
Start = Callable[[Setting, Parameters, State, Random], None]
Step = Callable[[Setting, Parameters, State, int, Random, Guidance], None]


@dataclass(frozen=True)
class Variable:
    """One output; its leading dimension is always ``run``.

    ``read`` takes it from the state; without it, the state's field of the same name is stored.
    """

    name: str
    dims: tuple[Dim, ...]
    dtype: str
    unit: str
    meaning: str
    read: Callable[[State], NDArray[Any]] | None = None

    def of(self, state: State) -> NDArray[Any]:
        """Return the variable's values today, shape (run, ...) without the day."""
        return np.asarray(getattr(state, self.name) if self.read is None else self.read(state))


@dataclass(frozen=True)
class Luck:
    """Chance that is drawn once a run and that facts may tell of.

    It is an uncertain input beside the parameters, and an adaptive ensemble can move it.
    ``meaning`` may name the ``{city}`` or ``{member}`` it is drawn for.
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
    draws : tuple of str
        Purposes of all its random draws (:mod:`foedus.randomness`).
    luck : tuple of Luck
        Those of its draws that are uncertain inputs.
    reads, writes : tuple of str
        Fields of :class:`~foedus.world.state.State` that its start and step use, events as
        ``event.name``. What it writes it may also read. A test holds the running engine to this.
    outputs : tuple of Variable
    quantities : tuple of str
        Words of :data:`foedus.case.vocabulary.QUANTITIES` that it produces.
    decisions : tuple of str
        Events that can be replayed: each has a probability a day (:meth:`Guidance.decide`).
    memory : type, optional
        A record of what only this mechanism remembers, see :meth:`State.of`.
    start : callable, optional
        Sets the state before the first day.
    step : callable, optional
        Moves the state through a day; None for a covariate that stands still.
    """

    name: str
    text: str
    parameters: tuple[Parameter, ...] = ()
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
