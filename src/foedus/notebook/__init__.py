"""Widgets for notebooks: a chart or a street view with a slider.

They need ``pip install 'foedus[notebook]'``. The slider sends a message and receives a picture;
nothing is fetched from elsewhere, and pictures cannot run anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from foedus.errors import InputError
from foedus.report.number_format import day
from foedus.report.verdict_words import headline

try:
    from foedus.notebook.slider import Shown, Slider
except ModuleNotFoundError as error:  # pragma: no cover - the tests have it
    raise InputError(
        f"foedus.notebook: {error.name} is missing; pip install 'foedus[notebook]'"
    ) from None

if TYPE_CHECKING:
    from foedus.answers.forecasts import Forecast
    from foedus.case import Case
    from foedus.ensemble import Ensemble

__all__ = ["fans", "streets"]

#: The meanings of the bytes of a lattice.
_SITES = ("empty", "quiet", "active", "police", "jailed")


def fans(forecasts: Iterable[Forecast], key: str = "deaths_total") -> Slider:
    """Return a fan chart with an as-of slider.

    Parameters
    ----------
    forecasts : iterable of Forecast
        For the same case as of several dates; those that refuse to answer are shown as such.
    key : str
        A quantity of the vocabulary, such as ``deaths_total``.

    Raises
    ------
    InputError
        If there is no forecast, they are of several cases, or none has such a fan.
    """
    found = sorted(forecasts, key=lambda f: f.as_of)
    if not found:
        raise InputError("fans: at least one forecast (found none)")
    if len({f.case_id for f in found}) > 1:
        cases = ", ".join(sorted({f.case_id for f in found}))
        raise InputError(f"fans: forecasts of one case (found {cases})")
    keys = [f.key for f in found[0].fans]
    if key not in keys:
        raise InputError(f"fan: one of {', '.join(keys) or 'none'} (found {key!r})")

    def show(at: int) -> Shown:
        forecast = found[at]
        if forecast.verdict.refused:
            return Shown(text=headline(forecast.verdict))
        chart = forecast.plot.fan(key)
        return Shown(text=chart.text, svg=chart.svg())

    title = next(f.title for f in found[0].fans if f.key == key)
    labels = [f"as of {day(f.as_of)}" for f in found]
    return Slider(f"{found[0].title}: {title}", labels, show)


def streets(
    case: Case,
    ensemble: Ensemble,
    *,
    run: int = 0,
    place: str | None = None,
    as_of: Any = None,
) -> Slider:
    """Return the streets of one run from above, with a slider over its ticks.

    Parameters
    ----------
    case : Case
    ensemble : Ensemble
        Runs of the case.
    run : int
        Number of the run, which is simulated again.
    place : str, optional
        A place of the case; by default the first.
    as_of : datetime.date, datetime.datetime or str, optional
        By default the ensemble's own date.

    Raises
    ------
    InputError
        If there is no such run or place, the streets are off, or the ensemble replayed other
        decisions.
    """
    from foedus.case.asof import as_of as known_by
    from foedus.ensemble.replay import film_run
    from foedus.weighing.weighed import replayed_decisions

    if not 0 <= run < ensemble.plan.runs:
        raise InputError(f"run: 0 to {ensemble.plan.runs - 1} (found {run})")
    place = next(iter(case.places)) if place is None else place
    if place not in case.places:
        raise InputError(f"place: one of {', '.join(case.places)} (found {place!r})")
    known = known_by(case, as_of or ensemble.plan.as_of or case.as_of)
    frames = film_run(ensemble, run, replayed_decisions(known, ensemble)).frames.get(place)
    if frames is None:
        raise InputError(f"case {case.id}: its streets are off in this run")
    ticks = case.ticks_per_day

    def show(at: int) -> Shown:
        frame = frames[at]
        counts = [f"{int((frame == n).sum())} {name}" for n, name in enumerate(_SITES) if n]
        height, width = frame.shape
        return Shown(text=", ".join(counts), size=(width, height), cells=frame.tobytes())

    labels = [
        f"{day(case.date(t // ticks))}, tick {t % ticks + 1} of {ticks}" for t in range(len(frames))
    ]
    return Slider(f"{case.places[place].name}, run {run}", labels, show)
