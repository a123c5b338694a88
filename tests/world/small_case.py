"""A made-up two-city case, small enough to simulate in a test."""

from __future__ import annotations

from typing import Any

import numpy as np

from foedus.case.models import Case
from foedus.world import engine
from foedus.world.priors import resolve

SMALL: dict[str, Any] = {
    "foedus": 1,
    "id": "small",
    "title": "Two cities",
    "summary": "A made-up case for tests.",
    "start": "2001-03-01",
    "horizon": 12,
    "ticks_per_day": 3,
    "as_of": "2001-03-05",
    "sources": {"desk": {"name": "Made up"}},
    "places": {
        "north": {"name": "North", "lat": 50, "lon": 10, "population": 900_000, "lattice": 20},
        "south": {"name": "South", "lat": 48, "lon": 11, "population": 300_000, "lattice": 16},
    },
    "actors": {
        "home": {"name": "Home", "roles": ["government", "member"]},
        "big": {"name": "Big", "roles": ["lead", "member", "patron"]},
        "other": {"name": "Other", "roles": ["member"]},
    },
    "alliance": {
        "name": "League",
        "rule": "consensus_with_abstention",
        "lead": "big",
        "requester": "home",
        "announced_pool": 2000,
        "distance_km": 800,
        "lead_in_other_war": True,
        "members": [
            {"actor": "home", "lat": 50, "lon": 10, "pool": 0},
            {"actor": "big", "lat": 55, "lon": 20, "pool": 4000},
            {"actor": "other", "lat": 45, "lon": 20, "pool": 400, "contiguous": True}
            | {"public_pledge_not_to_send": True, "changed_ruling_coalition": True}
            | {"power_shift": True},
        ],
        "patrons": [
            {"actor": "big", "through_alliance": True, "dependence": 0.7},
            {"actor": "other", "dependence": 0.2},
        ],
    },
    "ties": {"border_km": 3000, "foreign_firms": 0.9, "sanctions": 0.9, "dependence_on_lead": 0.7},
    "triggers": [
        {
            "place": "north",
            "date": "2001-03-02",
            "loss": {"dist": "uniform", "low": 0.1, "high": 0.4},
            "text": "A price rises.",
        }
    ],
}


def small_case(**changes: Any) -> Case:
    """Return the small case with some top-level fields replaced."""
    return Case.model_validate({**SMALL, **changes})


def values_of(case: Case, runs: int, seed: int = 5) -> dict[str, np.ndarray]:
    """Return plain Monte-Carlo draws of all parameters, one row a run."""
    registry = engine.registry(case)
    priors = resolve(case, registry)
    rng = np.random.default_rng(seed)
    return {
        name: np.clip(priors[name].quantile(rng.uniform(size=runs)), p.low, p.high)
        for name, p in registry.items()
    }
