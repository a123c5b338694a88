"""The assumptions of a case that a visitor can change: mechanisms, explanations, parameters."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.routing import Route

from foedus.app.cases import key_in
from foedus.app.web import AppState, answers
from foedus.case import Case
from foedus.case.priors import Choice, Prior
from foedus.case.vocabulary import MECHANISMS
from foedus.world.engine import registry, switches
from foedus.world.mechanism import Parameter
from foedus.world.order import mechanism
from foedus.world.priors import resolve

_SHOWN = np.array([0.05, 0.5, 0.95])


def routes(state: AppState) -> list[Route]:
    """Return the address of this feature, ``GET /api/assumptions?case=KEY``."""

    def listed(request: Request, body: object) -> dict[str, Any]:
        return assumptions(state.library.load(key_in(request)))

    return [Route("/api/assumptions", answers(listed))]


def assumptions(case: Case) -> dict[str, Any]:
    """Return the assumptions that can be changed.

    Returns
    -------
    dict
        ``mechanisms``: name, ``says`` (the first line of its file) and whether it is ``on``.
        ``parameters``: name, meaning, unit, low, high, ``prior`` as the case has it, its 5, 50 and
        95% quantiles, and for a choice its ``options``.
    """
    declared = registry(case)
    on = switches(case)
    return {
        "mechanisms": [
            {"name": name, "says": _first_line(name), "on": name in on} for name in MECHANISMS
        ],
        "parameters": [
            _parameter(declared[name], prior) for name, prior in resolve(case, declared).items()
        ],
    }


def _first_line(name: str) -> str:
    text = mechanism(name).text.strip().split("\n\n")[0].replace("\n", " ")
    said = re.sub(r"^Mechanism \d+,[^:]{0,20}:|^Mechanism \d+,", "", text).strip()
    return f"{said[:1].upper()}{said[1:]}"


def _parameter(declared: Parameter, prior: Prior) -> dict[str, Any]:
    low, middle, high = (
        float(v) for v in np.clip(prior.quantile(_SHOWN), declared.low, declared.high)
    )
    return {
        "name": declared.name,
        "meaning": declared.meaning,
        "unit": declared.unit,
        "low": declared.low if np.isfinite(declared.low) else None,
        "high": declared.high if np.isfinite(declared.high) else None,
        "prior": prior.model_dump(mode="json"),
        "q05": low,
        "q50": middle,
        "q95": high,
        "options": list(prior.options) if isinstance(prior, Choice) else None,
    }
