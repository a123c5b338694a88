"""Whatever the metadata of a store, it is read or refused by one of our errors."""

import contextlib
import copy
import json
import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foedus.ensemble.catalogue import prune, show
from foedus.ensemble.ensemble import open_ensemble
from foedus.ensemble.plan import Plan
from foedus.errors import StoreError

pytestmark = pytest.mark.usefixtures("fake")

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=8),
    st.just("2022-13-40"),
    st.lists(st.one_of(st.integers(-3, 3), st.text(max_size=3), st.none()), max_size=3),
    st.dictionaries(st.text(max_size=4), st.integers(-3, 3), max_size=2),
)


def places(data, path=()):
    """Yield the path of every value in JSON data."""
    yield path
    if isinstance(data, (dict, list)):
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from places(value, (*path, key))


def changed(data, path, value, drop):
    if not path:
        return value
    data = copy.deepcopy(data)
    inside = data
    for key in path[:-1]:
        inside = inside[key]
    if drop:
        del inside[path[-1]]
    else:
        inside[path[-1]] = value
    return data


@pytest.fixture
def made(stored):
    return stored("a.zarr", runs=20, batch=10)


def look(path):
    """Do everything that reads metadata."""
    show(path)
    ensemble = open_ensemble(path)
    str(ensemble.complete_runs)
    ensemble.damaged()
    ensemble.open_dataset()["crowd"].load()


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_changed_metadata(made, data):
    name = data.draw(st.sampled_from(["zarr.json", "crowd/zarr.json", "checksum/zarr.json"]))
    file = made.path / name
    good = file.read_bytes()
    content = json.loads(good)
    where = data.draw(st.sampled_from(list(places(content))))
    bad = changed(content, where, data.draw(JUNK), data.draw(st.booleans()))
    try:
        file.write_text(json.dumps(bad))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with contextlib.suppress(StoreError):
                look(made.path)
            prune(made.path.parent, unfinished=True, damaged=True, older_than=5)
    finally:
        file.write_bytes(good)


@settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_changed_plan(made, data):
    content = made.plan.to_json()
    where = data.draw(st.sampled_from(list(places(content))))
    bad = changed(content, where, data.draw(JUNK), data.draw(st.booleans()))
    try:
        plan = Plan.from_json(bad)
    except StoreError:
        return
    assert plan.batches > 0
    assert plan.differences(made.plan) is not None
    assert plan.command("x")
    assert plan.digest
    assert plan.stages == ()
