"""A forecast as the model-output table of the hubverse, the format of forecasting hubs.

Each number is a row with the standard columns ``model_id``, ``output_type``, ``output_type_id`` and
``value``, and the task columns ``origin_date`` (the as-of date), ``target``, ``location`` (the
case), ``horizon`` (days from the origin; empty for a question) and ``target_date``. See
https://docs.hubverse.io.

- A binary question is a ``pmf`` of ``no`` and ``yes``.
- A number is ``mean`` and ``quantile``.
- A date is a ``pmf`` of whether it happens in the window, and under the target
  ``<question>/days`` those quantiles of the days from the origin that lie in the window.
- A fan is ``quantile`` for each day from the origin on.

An answer is the headline. A question that is not answered has no rows.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from foedus.case.question_kinds import kind_of
from foedus.errors import InputError
from foedus.weighted_statistics import KEYS, LEVELS

COLUMNS: tuple[str, ...] = (
    "model_id",
    "origin_date",
    "target",
    "location",
    "horizon",
    "target_date",
    "output_type",
    "output_type_id",
    "value",
)

#: Team and model, as hubs write them.
MODEL = "foedus-foedus"

Row = dict[str, Any]


def rows(forecast: Mapping[str, Any], *, model: str = MODEL) -> list[Row]:
    """Return the rows of a forecast.

    Parameters
    ----------
    forecast : mapping
        What :meth:`foedus.Forecast.to_dict` gives, or ``foedus forecast --json`` printed.
    model : str
        Value of ``model_id``.

    Returns
    -------
    list of dict
        By :data:`COLUMNS`; None where a column is empty.
    """
    origin = dt.date.fromisoformat(str(forecast["as_of"])[:10])
    common = {"model_id": model, "origin_date": origin.isoformat(), "location": forecast["case"]}
    found = [*_answers(forecast, origin), *_fans(forecast, origin)]
    return [{name: {**common, **row}.get(name) for name in COLUMNS} for row in found]


def write(forecast: Mapping[str, Any], path: str | Path, *, model: str = MODEL) -> Path:
    """Write the rows of a forecast as CSV, ``NA`` where a column is empty.

    Raises
    ------
    InputError
        If the file exists.
    """
    path = Path(path)
    if path.exists():
        raise InputError(f"{path}: is there already; give another name")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for row in rows(forecast, model=model):
            writer.writerow({k: "NA" if v is None else v for k, v in row.items()})
    return path


def _answers(forecast: Mapping[str, Any], origin: dt.date) -> Iterator[Row]:
    for answer in forecast["answers"]:
        if not answer["answered"]:
            continue
        said = {**answer, **(answer.get("headline") or {})}
        for row in kind_of(answer["kind"]).hub_rows(said, origin):
            yield _row(*row)


def _fans(forecast: Mapping[str, Any], origin: dt.date) -> Iterator[Row]:
    for fan in forecast["fans"]:
        for at, text in enumerate(fan["dates"]):
            horizon = (dt.date.fromisoformat(text) - origin).days
            if horizon < 0:
                continue
            for level, key in zip(LEVELS, KEYS, strict=True):
                if fan[key][at] is not None:
                    row = _row(fan["key"], "quantile", level, fan[key][at])
                    yield {**row, "horizon": horizon, "target_date": text}


def _row(target: str, output_type: str, output_type_id: Any, value: float) -> Row:
    return {
        "target": target,
        "output_type": output_type,
        "output_type_id": output_type_id,
        "value": value,
    }
