"""What the processes of the page compute; each function returns the bytes of a result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foedus.case import Case, load_text

if TYPE_CHECKING:
    from foedus.app.jobs import Tell
    from foedus.ensemble.ensemble import Ensemble


def warm() -> None:
    """Import what most jobs need, and compile or load the kernels."""
    from foedus import judgement, streets  # noqa: F401
    from foedus.casebook import load_casebook

    for _ in streets.warm():
        pass
    load_casebook()


def to_bytes(result: Any) -> bytes:
    """Return plain values as strict JSON."""
    return json.dumps(result, allow_nan=False, ensure_ascii=False).encode("utf-8")


class Reported:
    """Tells the page how far an ensemble is."""

    def __init__(self, tell: Tell, what: str = "runs") -> None:
        self._tell, self._what = tell, what
        self._done = self._total = 0

    def start(self, total: int, done: int) -> None:
        """Begin."""
        self._total, self._done = total, done
        self._tell.progress(done, total, self._what)

    def advance(self, runs: int) -> None:
        """So many more runs are there."""
        self._done += runs
        self._tell.progress(self._done, self._total, self._what)

    def note(self, text: str) -> None:
        """Say something."""
        self._tell.progress(self._done, self._total, text)

    def stop(self) -> None:
        """Do nothing: more may come."""


def case_of(params: dict[str, Any]) -> Case:
    """Return the case of a job; its name is what a command would call it."""
    return load_text(params["text"], params["name"])


def runs_of(params: dict[str, Any], case: Case, tell: Tell) -> Ensemble:
    """Return the runs of a case as of a date; those there are used, the rest is made."""
    from foedus.judgement.forecast import make_runs

    return make_runs(
        case,
        params["as_of"],
        runs=params["runs"],
        seed=params["seed"],
        workers=None if params["runs"] >= 2000 else 1,
        folder=Path(params["results"]),
        progress=Reported(tell),
    )


def forecast(params: dict[str, Any], tell: Tell) -> bytes:
    """Return a forecast, with the facts on its fans."""
    from foedus import judgement
    from foedus.report.forecast import fan_of, outside_short, short, span

    case = case_of(params)
    ensemble = runs_of(params, case, tell)
    tell.progress(params["runs"], params["runs"], "weighing the runs")
    made = judgement.forecast(case, as_of=params["as_of"], ensemble=ensemble)
    marks = {f.key: [vars(m) for m in fan_of(f, made.evidence).marks] for f in made.fans}
    words = {
        a.id: {
            "span": span(a.estimate, a.kind),
            "short": short(a.estimate, a.kind),
            "before": short(a.before, a.kind),
            "outside": outside_short(a.outside, a.kind),
        }
        for a in made.answers
    }
    return to_bytes({"forecast": made.to_dict(), "marks": _plain(marks), "words": words})


def _plain(marks: Any) -> Any:
    """Return dates as text and infinities as nothing."""
    import datetime as dt
    import math

    if isinstance(marks, dict):
        return {k: _plain(v) for k, v in marks.items()}
    if isinstance(marks, list | tuple):
        return [_plain(v) for v in marks]
    if isinstance(marks, dt.date):
        return marks.isoformat()
    if isinstance(marks, float) and not math.isfinite(marks):
        return None
    return marks
