"""The uncertain inputs of an ensemble: the hypothesis, parameters and chance of each run.

A parameter is measured by its *score*, the quantile of the run's value in the prior it was drawn
from. Where hypotheses have priors of their own, a difference between them is then due to the
hypothesis and not to the parameter, and before the evidence all inputs are independent. The
chance that is drawn once a run (:func:`foedus.world.engine.luck`) is a score too; all other
chance is no input.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from foedus.case.models import Case
from foedus.case.priors import Choice
from foedus.ensemble.design import HYPOTHESIS

if TYPE_CHECKING:
    from foedus.ensemble.ensemble import Ensemble

FloatArray = NDArray[np.float64]
Kind = Literal["hypothesis", "parameter", "chance"]


@dataclass(frozen=True, kw_only=True)
class Input:
    """One uncertain input.

    Attributes
    ----------
    name : str
        ``hypothesis``, the name of a parameter, or ``chance:`` with what is drawn and where.
    kind : {"hypothesis", "parameter", "chance"}
    unit : str
    meaning : str
        In one sentence.
    options : tuple of str
        The values it can take; empty for a number.
    """

    name: str
    kind: Kind
    unit: str = "1"
    meaning: str = ""
    options: tuple[str, ...] = ()

    @property
    def mechanism(self) -> str:
        """The mechanism that it belongs to: ``streets`` of ``streets.k``."""
        return self.name.removeprefix("chance:").split(".")[0]


#: How the field ``input`` of a record is written to JSON: what people need of it, as keys.
INPUT = {
    "json": None,
    "then": {
        "input": attrgetter("input.name"),
        **{key: attrgetter(f"input.{key}") for key in ("kind", "unit", "meaning")},
    },
}


@dataclass(frozen=True)
class Inputs:
    """The inputs of some runs.

    Attributes
    ----------
    about : tuple of Input
    scores : ndarray, shape (input, run)
        In (0, 1); the number of the option where the input has options.
    values : ndarray, shape (input, run)
        In the input's unit; the number of the option; the score itself for chance.
    fixed : tuple of str
        Declared parameters that are the same in all runs, and so are no inputs.
    """

    about: tuple[Input, ...]
    scores: FloatArray
    values: FloatArray
    fixed: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the inputs."""
        return tuple(i.name for i in self.about)

    def some(self, rows: NDArray[np.int64]) -> Inputs:
        """Return the inputs of some of the runs."""
        return Inputs(self.about, self.scores[:, rows], self.values[:, rows], self.fixed)


def inputs_of(ensemble: Ensemble, *, every: int = 1) -> Inputs:
    """Return the inputs of the complete runs of an ensemble.

    Parameters
    ----------
    ensemble : Ensemble
    every : int
        Take only every n-th run.
    """
    from foedus.ensemble import design
    from foedus.world import engine

    plan, case = ensemble.plan, ensemble.case
    luck = engine.luck(case)
    runs = np.flatnonzero(ensemble.complete)[::every].astype(np.int64)
    names, u = design.coordinates(
        design.dimensions(engine.registry(case)), luck, seed=plan.seed, runs=runs,
        stages=plan.stages,
    )  # fmt: skip
    part = ensemble.dataset[["parameters", "hypothesis"]].isel(run=slice(None, None, every))
    given = part["parameters"].transpose("parameter", "run").to_numpy().astype(np.float64)
    row_of = {name: row for row, name in enumerate(names)}
    about, scores, values, fixed = [], [], [], []
    if len(case.hypotheses) > 1:
        number = part["hypothesis"].to_numpy().astype(np.float64)
        about.append(hypothesis_input(case))
        scores.append(number)
        values.append(number)
    for input_, drawn in zip(parameter_inputs(case, plan.parameters), given, strict=True):
        if drawn.size == 0 or np.ptp(drawn) == 0.0:
            fixed.append(input_.name)
            continue
        about.append(input_)
        scores.append(drawn if input_.options else u[row_of[input_.name]])
        values.append(drawn)
    for purpose, place in luck:
        about.append(chance_input(case, purpose, place))
        scores.append(u[row_of[design.luck_name((purpose, place))]])
        values.append(scores[-1])
    return Inputs(tuple(about), np.array(scores), np.array(values), tuple(fixed))


def hypothesis_input(case: Case) -> Input:
    """Return the hypothesis as an input."""
    return Input(
        name=HYPOTHESIS,
        kind="hypothesis",
        meaning="Which explanation is true.",
        options=tuple(h.id for h in case.hypotheses),
    )


def parameter_inputs(case: Case, names: tuple[str, ...]) -> tuple[Input, ...]:
    """Return the declared parameters as inputs, those with a fixed value too."""
    from foedus.world import engine

    registry = engine.registry(case)
    return tuple(
        Input(
            name=name,
            kind="parameter",
            unit=registry[name].unit,
            meaning=registry[name].meaning,
            options=prior.options if isinstance(prior := registry[name].prior, Choice) else (),
        )
        for name in names
    )


def chance_input(case: Case, purpose: str, place: int) -> Input:
    """Return a draw of chance as an input."""
    members = tuple(case.actors[m.actor].name for m in case.alliance.members)
    cities = tuple(p.name for p in case.places.values())
    from foedus.world.order import luck

    text = next(item.meaning for item in luck() if item.purpose == purpose)
    name = f"chance:{purpose}"
    if "{member}" in text:
        name += f":{case.alliance.members[place].actor}"
        text = text.format(member=members[place])
    elif "{city}" in text:
        name += f":{tuple(case.places)[place]}"
        text = text.format(city=cities[place])
    return Input(name=name, kind="chance", meaning=text)
