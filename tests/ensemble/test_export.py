import shutil

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from foedus.ensemble import export
from foedus.errors import InputError, StoreError

pytestmark = pytest.mark.usefixtures("fake")


@pytest.fixture
def made(stored):
    return stored("a.zarr", runs=50, batch=20)


def same_bits(a, b):
    assert a.dtype == b.dtype
    assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("engine", ["h5netcdf", "scipy"])
def test_netcdf_holds_every_bit(made, tmp_path, engine, monkeypatch):
    if engine == "scipy":
        monkeypatch.setattr(export, "_installed", lambda name: False)
    else:
        pytest.importorskip("h5netcdf")
    path = export.to_netcdf(made, tmp_path / "a.nc")
    with xr.open_dataset(path, engine=engine) as found:
        assert dict(found.sizes) == dict(made.dataset.sizes)
        for name, variable in made.dataset.data_vars.items():
            same_bits(found[name].values, variable.values)
            assert found[name].attrs["units"] == variable.attrs["units"]
        for name in ("day", "city", "member", "parameter", "parameter_unit"):
            assert (found[name].values == made.dataset[name].values).all()
        assert found.attrs["command"] == made.plan.command(made.path)
        assert found.attrs["version_code"] == "fixed"


def test_netcdf_3_is_for_small_stores(made, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "_installed", lambda name: False)
    monkeypatch.setattr(export, "MOST_NETCDF3", 1000)
    with pytest.raises(InputError, match=r"too much for NetCDF 3: pip install 'foedus\[export\]'"):
        export.to_netcdf(made, tmp_path / "a.nc")
    assert [p.name for p in tmp_path.iterdir()] == ["a.zarr"]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_tables(made, tmp_path, kind):
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    write, read = (
        (export.to_csv, pd.read_csv) if kind == "csv" else (export.to_parquet, pd.read_parquet)
    )
    folder = write(made, tmp_path / "tables")
    tables = {n: read(folder / f"{n}.{kind}") for n in export.TABLES.values()}
    data = made.dataset
    assert {n: len(t) for n, t in tables.items()} == {
        "runs": 50, "members": 100, "days": 300, "city_days": 600, "member_days": 600,
    }  # fmt: skip
    crowd = tables["city_days"].set_index(["run", "day", "city"])["crowd"]
    wanted = data.crowd.to_dataframe()["crowd"]
    np.testing.assert_array_equal(crowd.to_numpy("float32"), wanted.to_numpy())
    runs = tables["runs"]
    assert list(runs["hypothesis"]) == [made.plan.hypotheses[i] for i in data.hypothesis.values]
    np.testing.assert_array_equal(runs["a.rate"], data.parameters.values[:, 0])
    arrival = tables["members"]["arrival_day"].to_numpy("float32")
    np.testing.assert_array_equal(arrival, data.arrival_day.values.ravel())
    meaning = pd.read_csv(folder / "columns.csv")
    for name, table in tables.items():
        told = set(meaning["column"][meaning["table"] == name])
        assert set(table.columns) - {"run", "day", "city", "member"} == told


def test_arviz(made, tmp_path):
    arviz = pytest.importorskip("arviz")
    pytest.importorskip("h5netcdf")
    found = arviz.from_netcdf(export.to_arviz(made, tmp_path / "a.nc"))
    tree = export.to_datatree(made)
    inside = export.to_inference_data(made)
    assert list(tree.children) == ["prior", "prior_predictive", "sample_stats_prior"]
    for group, node in tree.children.items():
        for name, variable in node.data_vars.items():
            same_bits(found[group][name].values, variable.values)
            same_bits(inside[group][name].values, variable.values)
            assert variable.dims[:2] == ("chain", "draw")
    same_bits(tree["prior"]["b.size"].to_numpy()[0], made.dataset.parameters.values[:, 1].copy())


def test_what_is_there_is_not_overwritten_and_damage_leaves_nothing(made, tmp_path):
    (tmp_path / "a.nc").write_text("mine")
    with pytest.raises(InputError, match="already exists"):
        export.to_netcdf(made, tmp_path / "a.nc")
    shutil.copy(made.path / "crowd" / "c.0.0.0", made.path / "crowd" / "c.1.0.0")
    (made.path / "crowd" / "c.1.0.0").write_bytes(b"")
    for write, name in ((export.to_csv, "csv"), (export.to_netcdf, "b.nc")):
        with pytest.raises(StoreError, match=r"batch 1 \(runs 20 to 39\) is damaged"):
            write(made, tmp_path / name)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.nc", "a.zarr"]


def test_what_to_install_is_said(made, tmp_path, monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", missing)
    for write in (export.to_parquet, export.to_arviz):
        with pytest.raises(InputError, match=r"needs .*: pip install 'foedus\[export\]'"):
            write(made, tmp_path / "a")
