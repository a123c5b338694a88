"""The computations of the page's processes; each function returns the bytes of a result."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foedus.app.jobs import undisturbed
from foedus.case import Case, load_text
from foedus.case.asof import as_of as known_by
from foedus.errors import InputError
from foedus.plain_values import to_plain

if TYPE_CHECKING:
    from foedus.answers.whatif import Change
    from foedus.app.jobs import Tell
    from foedus.ensemble.ensemble import Ensemble


#: Modules that the first job would load within functions.
_LATE = (
    *("dask.array", "pandas", "scipy.stats", "xarray", "zarr"),
    *("foedus.answers.run_summaries", "foedus.case.upgrade", "foedus.ensemble.dataset"),
)


def warm() -> None:
    """Import what most jobs need, and compile or load the kernels."""
    with undisturbed():
        import foedus
        from foedus import casebook, streets
        from foedus.world.lattice.model import SMALL
        from foedus.world.mechanisms import streets as unrest

        for name in foedus.__all__:  # each loads the modules of its verb
            getattr(foedus, name)
        casebook.load_casebook()
        for name in _LATE:
            importlib.import_module(name)
    # The kernels of the usual lattices; the first job with a larger one compiles its own.
    for _ in streets.warm(unrest.READINGS, sides=[SMALL]):
        pass


def to_bytes(result: Any) -> bytes:
    """Return plain values as strict JSON."""
    return json.dumps(result, allow_nan=False, ensure_ascii=False).encode("utf-8")


class Reported:
    """Report the progress of an ensemble to the page."""

    def __init__(self, tell: Tell, what: str = "runs") -> None:
        self._tell, self._what = tell, what
        self._done = self._total = 0

    def start(self, total: int, done: int) -> None:
        """Begin."""
        self._total, self._done = total, done
        self._tell.progress(done, total, self._what)

    def advance(self, runs: int) -> None:
        """Report runs that were added."""
        self._done += runs
        self._tell.progress(self._done, self._total, self._what)

    def note(self, text: str) -> None:
        """Report a message."""
        self._tell.progress(self._done, self._total, text)

    def stop(self) -> None:
        """Do nothing, because more may follow."""


def case_of(params: dict[str, Any]) -> Case:
    """Return the case of a job, named as on the command line."""
    return load_text(params["text"], params["name"])


def runs_of(params: dict[str, Any], case: Case, tell: Tell) -> Ensemble:
    """Return the runs of a case as of a date; existing ones are reused and the rest are made."""
    from foedus.weighing.weighed import make_runs

    return make_runs(
        case,
        params["as_of"],
        runs=params["runs"],
        seed=params["seed"],
        workers=None if params["runs"] >= 2000 else 1,
        batch=100,
        folder=Path(params["results"]),
        progress=Reported(tell),
    )


def forecast(params: dict[str, Any], tell: Tell) -> bytes:
    """Return a forecast, with the facts on its fan charts.

    Where it refuses to answer, ``before`` has the fans, votes and map of the runs without evidence;
    it is None where there are answers.
    """
    import foedus
    from foedus.answers.run_summaries import by_place, sample_runs, vote_matrix
    from foedus.report.answer_words import NEVER, outside_short
    from foedus.report.brief import fan_chart
    from foedus.report.number_format import day

    case = case_of(params)
    ensemble = runs_of(params, case, tell)
    tell.progress(params["runs"], params["runs"], "weighing the runs")
    made = foedus.forecast(case, as_of=params["as_of"], ensemble=ensemble)
    numbers = np.flatnonzero(ensemble.complete)
    marks = {f.key: to_plain(fan_chart(f, made.evidence).marks) for f in made.fans}
    later = f"after {day(made.end)}"
    words = {
        a.id: {"outside": outside_short(a.outside, a.kind).replace(NEVER, later)}
        for a in made.answers
    }
    refused = made.verdict.refused
    return to_bytes(
        {
            "forecast": made.to_dict(),
            "marks": marks,
            "words": words,
            "map": by_place(case, ensemble.dataset, made.weights),
            "votes": vote_matrix(case, ensemble.dataset, made.weights).to_dict(),
            "picks": to_plain(sample_runs(case, ensemble.dataset, made.weights, numbers)),
            "before": before(case, ensemble) if refused else None,
        }
    )


def before(case: Case, ensemble: Ensemble) -> dict[str, Any]:
    """Return fans, votes and map of runs weighted by their priors, without evidence.

    They include the known decisions that were imposed on the runs.
    """
    from foedus.answers.forecasts import fans_before
    from foedus.answers.run_summaries import by_place, vote_matrix
    from foedus.weighing.weighed import prior_weights

    dataset, weights = ensemble.dataset, prior_weights(ensemble)
    return {
        "fans": [f.to_dict() for f in fans_before(ensemble)],
        "votes": vote_matrix(case, dataset, weights).to_dict(),
        "map": by_place(case, dataset, weights),
    }


def street(params: dict[str, Any], tell: Tell) -> bytes:
    """Return the film of a run's streets: length of a header, the header as JSON, the cells.

    The length is four bytes, little-endian. The header has ``run``, ``cities`` (``id``, ``name``,
    ``side``), ``ticks``, ``ticks_per_day``, ``start``, and by city the people in the streets and
    held, day by day. Then come the frames: for each tick each city's cells by row, one byte each (0
    empty, 1 quiet, 2 active, 3 police, 4 jailed).
    """
    from foedus.ensemble.replay import film_run
    from foedus.weighing.weighed import replayed_decisions

    case = case_of(params)
    ensemble = runs_of(params, case, tell)
    known = known_by(case, params["as_of"])
    tell.progress(0, 1, f"filming run {params['run']}")
    seen = film_run(ensemble, params["run"], replayed_decisions(known, ensemble))
    ticks = case.horizon * case.ticks_per_day
    sides = [np.asarray(seen.outputs[f"deaths_{of}"][0]) for of in ("protesters", "security")]
    killed = sides[0] + sides[1]
    header = {
        "run": params["run"],
        "ticks": ticks if seen.frames else 0,
        "ticks_per_day": case.ticks_per_day,
        "start": case.start.isoformat(),
        "cities": [
            {
                "id": name,
                "name": place.name,
                "side": place.lattice,
                "crowd": [round(float(v)) for v in seen.outputs["crowd"][0, :, c]],
                "jailed": [round(float(v)) for v in seen.outputs["jailed"][0, :, c]],
                "deaths": [round(float(v)) for v in killed[:, c].cumsum()],
            }
            for c, (name, place) in enumerate(case.places.items())
        ],
        "troops": [round(float(v)) for v in seen.outputs["troops_present"][0].sum(axis=1)],
    }
    head = to_bytes(header)
    cells = b"".join(
        frames[tick].tobytes()
        for tick in range(ticks if seen.frames else 0)
        for frames in (seen.frames[name] for name in case.places)
    )
    return len(head).to_bytes(4, "little") + head + cells


def score(params: dict[str, Any], tell: Tell) -> bytes:
    """Return the scores of a forecast; the only job that reads outcomes."""
    import foedus

    case = case_of(params)
    ensemble = runs_of(params, case, tell)
    tell.progress(params["runs"], params["runs"], "scoring")
    made = foedus.forecast(case, as_of=params["as_of"], ensemble=ensemble)
    return to_bytes(foedus.score(case, forecast=made).to_dict())


def explain(params: dict[str, Any], tell: Tell) -> bytes:
    """Return the weighing of the hypotheses."""
    import foedus

    case = case_of(params)
    ensemble = runs_of(params, case, tell)
    tell.progress(params["runs"], params["runs"], "weighing the explanations")
    made = foedus.explain(
        case,
        as_of=params["as_of"],
        ensemble=ensemble,
        pairs=params["pairs"],
        progress=Reported(tell, "weighing"),
    )
    return to_bytes(made.to_dict())


def whatif(params: dict[str, Any], tell: Tell) -> bytes:
    """Return the effect of a change; preliminary results are published first."""
    from foedus.answers.whatif import what_if

    case = case_of(params)
    ensemble = runs_of(params, case, tell)
    answers = what_if(
        case,
        change_of(params["change"]),
        as_of=params["as_of"],
        ensemble=ensemble,
        steps=tuple(params["steps"]),
        pairs_done=lambda done, total: tell.progress(done, total, "pairs"),
    )
    last = b""
    for answer in answers:
        last = to_bytes(answer.to_dict())
        tell.partial(last)
    return last


def sensitivity(params: dict[str, Any], tell: Tell) -> bytes:
    """Return the uncertain inputs on which the answers depend."""
    import foedus

    case = case_of(params)
    ensemble = runs_of(params, case, tell)
    tell.progress(0, 1, "finding what the answers depend on")
    made = foedus.sensitivity(
        case,
        as_of=params["as_of"],
        question=params["question"],
        ensemble=ensemble,
        pairs=params["pairs"],
    )
    return to_bytes(made.to_dict())


def watch(params: dict[str, Any], tell: Tell) -> bytes:
    """Return what to look for next."""
    import foedus

    case = case_of(params)
    ensemble = runs_of(params, case, tell)
    tell.progress(0, 1, "weighing possible reports")
    made = foedus.watch(case, as_of=params["as_of"], question=params["question"], ensemble=ensemble)
    return to_bytes(made.to_dict())


def change_of(told: dict[str, Any]) -> Change:
    """Return a change from plain values, checked.

    Raises
    ------
    InputError
        If it does not have the form of :meth:`foedus.answers.whatif.Change.to_dict`.
    """
    from pydantic import TypeAdapter, ValidationError

    from foedus.answers.whatif import Change
    from foedus.case.priors import Prior

    mechanisms, priors = told.get("mechanisms", {}), told.get("priors", {})
    hypothesis, free = told.get("hypothesis"), told.get("free", False)
    if not isinstance(mechanisms, dict) or not all(
        isinstance(v, bool) for v in mechanisms.values()
    ):
        raise InputError("change.mechanisms: true or false by mechanism")
    if hypothesis is not None and not isinstance(hypothesis, str):
        raise InputError("change.hypothesis: the id of an explanation, or null")
    if not isinstance(free, bool):
        raise InputError("change.free: true or false")
    if not isinstance(priors, dict) or len(priors) > 40:
        raise InputError("change.priors: at most 40 priors by parameter")
    try:
        read: dict[str, Any] = TypeAdapter(dict[str, Prior]).validate_python(priors)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(p) for p in first["loc"])
        raise InputError(f"change.priors.{where}: {first['msg']}") from None
    return Change(mechanisms, hypothesis, read, free)
