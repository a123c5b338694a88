import shutil
from pathlib import Path

import pytest

from foedus.case.models import Case
from foedus.ensemble import open_ensemble, plan, runner

ENGINES = Path(__file__).parent / "engines"

SMALL = {
    "foedus": 1,
    "id": "small",
    "title": "A small case",
    "summary": "Two cities and an alliance of two.",
    "start": "2022-01-02",
    "horizon": 6,
    "as_of": "2022-01-04",
    "sources": {"agency": {"name": "An agency"}},
    "places": {
        "north": {"name": "North", "lat": 50, "lon": 60, "population": 100_000, "lattice": 12},
        "south": {"name": "South", "lat": 45, "lon": 65, "population": 50_000, "lattice": 12},
    },
    "actors": {
        "home": {"name": "Home", "roles": ["government", "member"]},
        "big": {"name": "Big", "roles": ["member", "lead", "patron"]},
    },
    "alliance": {
        "name": "The alliance",
        "rule": "lead_only",
        "lead": "big",
        "requester": "home",
        "members": [
            {"actor": "home", "lat": 50, "lon": 60, "pool": 0},
            {"actor": "big", "lat": 55, "lon": 40, "pool": 2000},
        ],
        "patrons": [{"actor": "big", "through_alliance": True, "dependence": 0.6}],
    },
    "triggers": [
        {
            "place": "north",
            "date": "2022-01-02",
            "loss": {"dist": "uniform", "low": 0.1, "high": 0.4},
            "text": "A price rises.",
        }
    ],
    "hypotheses": [
        {"id": "one", "title": "One", "says": "It is one.", "put_forward_by": "agency"},
        {
            "id": "two",
            "title": "Two",
            "says": "It is two.",
            "put_forward_by": "agency",
            "weight": 3,
        },
    ],
    "facts": [
        {
            "id": "asked",
            "about": "2022-01-03",
            "known_from": "2022-01-03",
            "quantity": "request",
            "value": True,
            "source": "agency",
            "rating": "A1",
            "text": "They ask.",
        },
        {
            "id": "later",
            "about": "2022-01-04",
            "known_from": "2022-01-06",
            "quantity": "decision",
            "value": True,
            "source": "agency",
            "rating": "A1",
            "text": "They come.",
        },
    ],
}


@pytest.fixture(autouse=True)
def _same_code(monkeypatch):
    """Fix the code hash so that the world may be edited meanwhile."""
    monkeypatch.setattr(plan, "code_hash", lambda: "fixed")


@pytest.fixture
def case():
    return Case.model_validate(SMALL)


@pytest.fixture
def fake(monkeypatch):
    """Run the fake engine, in this process and in workers."""
    monkeypatch.syspath_prepend(str(ENGINES))
    monkeypatch.setattr(runner, "ENGINE", "fake_engine")
    return monkeypatch


@pytest.fixture(scope="session")
def shelves(tmp_path_factory):
    return tmp_path_factory.mktemp("stores")


@pytest.fixture
def stored(case, shelves, tmp_path, request):
    """Make a store of the small case: simulated once a session, and copied for each test."""

    engine = "fake" if "fake" in request.fixturenames else "real"

    def copy(name, **how):
        how = {"seed": 3, "workers": 1, **how}
        kept = shelves / "-".join([engine, *(f"{k}={v}" for k, v in sorted(how.items()))])
        if not kept.exists():
            runner.run(case, **how, out=kept)
        return open_ensemble(shutil.copytree(kept, tmp_path / name))

    return copy
