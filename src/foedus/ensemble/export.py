"""Write the runs of a store in the formats of other programs, piece by piece.

Memory stays bounded whatever the size of the store, with two exceptions: NetCDF 3, which is only
for small stores, and ``log_importance`` of an adaptive ensemble, whose points are held at once. The
output appears whole under its name, or not at all.
"""

from __future__ import annotations

import contextlib
import importlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foedus.ensemble.ensemble import Ensemble
from foedus.errors import InputError, StoreError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

#: Names of the tables, by the dimensions of their variables after the run.
TABLES: dict[tuple[str, ...], str] = {
    (): "runs",
    ("member",): "members",
    ("day",): "days",
    ("day", "city"): "city_days",
    ("day", "member"): "member_days",
}

#: Largest size in bytes to write as NetCDF 3, which cannot be written piece by piece.
MOST_NETCDF3 = 2**30

#: A function that returns the runs from one number to before another.
Part = Callable[[int, int], "xr.Dataset"]

_EXTRA = "pip install 'foedus[export]'"


def to_netcdf(ensemble: Ensemble, path: str | Path) -> Path:
    """Write the complete runs as NetCDF.

    NetCDF 4 where h5netcdf is installed; otherwise NetCDF 3 through scipy, for small stores.

    Parameters
    ----------
    ensemble : Ensemble
    path : str or pathlib.Path
        Must not exist.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    InputError
        If the path exists, or the store is too large for NetCDF 3.
    StoreError
        If the store is damaged, or the disk cannot be written.
    """
    whole = _plain(ensemble.open_dataset())
    with _appearing(Path(path)) as draft:
        if _installed("h5netcdf"):
            _stream(
                draft, _cut(whole), None, "run", runs=whole.sizes["run"], size=ensemble.plan.batch
            )
        else:
            if whole.nbytes > MOST_NETCDF3:
                raise InputError(
                    f"{whole.nbytes / 1e9:.1f} GB are too much for NetCDF 3: {_EXTRA}, and "
                    "NetCDF 4 is written instead"
                )
            whole.load().to_netcdf(draft, engine="scipy", format="NETCDF3_64BIT")
    return Path(path)


def to_csv(ensemble: Ensemble, folder: str | Path) -> Path:
    """Write the complete runs as CSV tables (:data:`TABLES`) in a new folder."""

    def write(file: Path, frames: Iterator[pd.DataFrame]) -> None:
        for number, frame in enumerate(frames):
            frame.to_csv(file, mode="a", header=number == 0, index=False)

    return _tables(ensemble, Path(folder), ".csv", write)


def to_parquet(ensemble: Ensemble, folder: str | Path) -> Path:
    """Write the complete runs as Parquet tables (:data:`TABLES`) in a new folder.

    Raises
    ------
    InputError
        If pyarrow is not installed.
    """
    arrow, parquet = (_need(name, "Parquet") for name in ("pyarrow", "pyarrow.parquet"))

    def write(file: Path, frames: Iterator[pd.DataFrame]) -> None:
        writer = None
        for frame in frames:
            table = arrow.Table.from_pandas(frame, preserve_index=False)
            writer = writer or parquet.ParquetWriter(file, table.schema)
            writer.write_table(table)
        if writer is not None:
            writer.close()

    return _tables(ensemble, Path(folder), ".parquet", write)


def to_datatree(ensemble: Ensemble) -> xr.DataTree:
    """Return the complete runs in ArviZ's layout, as a tree in memory.

    Groups: ``prior`` (a variable for each parameter), ``prior_predictive`` (the outputs) and
    ``sample_stats_prior`` (hypothesis, ``log_guidance``, and ``log_importance``, the log prior over
    proposal density of a run in an adaptive ensemble). Dimensions: chain (1) and draw, the run.
    """
    import xarray as xr

    return xr.DataTree.from_dict(_groups(ensemble))


def to_inference_data(ensemble: Ensemble) -> Any:
    """Return the complete runs as an ``arviz.InferenceData``; with ArviZ 1, a DataTree.

    Raises
    ------
    InputError
        If ArviZ is not installed.
    """
    arviz = _need("arviz", "InferenceData")
    if not hasattr(arviz, "InferenceData"):
        return to_datatree(ensemble)
    return arviz.InferenceData(**_groups(ensemble))


def to_arviz(ensemble: Ensemble, path: str | Path) -> Path:
    """Write the groups of :func:`to_datatree` as NetCDF 4, the file format of ArviZ."""
    _need("h5netcdf", "ArviZ files")
    with _appearing(Path(path)) as draft:
        runs, size = ensemble.complete_runs, ensemble.plan.batch
        for name, part in _parts(ensemble).items():
            _stream(draft, part, name, "draw", runs=runs, size=size)
    return Path(path)


# -------------------------------------------------------------------------------------- tables


def _tables(
    ensemble: Ensemble,
    folder: Path,
    suffix: str,
    write: Callable[[Path, Iterator[pd.DataFrame]], None],
) -> Path:
    whole = ensemble.open_dataset()
    with _appearing(folder) as draft:
        draft.mkdir(parents=True)
        for dims, name in TABLES.items():
            variables = [str(n) for n, v in whole.data_vars.items() if v.dims == ("run", *dims)]
            pieces = (
                _frame(piece, ensemble, dims, variables)
                for piece in ensemble.blocks([*variables, *([] if dims else ["parameters"])])
            )
            write(draft / f"{name}{suffix}", pieces)
        _columns(whole).to_csv(draft / "columns.csv", index=False)
    return folder


def _frame(
    piece: xr.Dataset, ensemble: Ensemble, dims: tuple[str, ...], names: list[str]
) -> pd.DataFrame:
    """Return one row for each run and each position on the other dimensions."""
    outputs = piece[names].reset_coords(drop=True)
    frame = outputs.to_dataframe(dim_order=["run", *dims]).reset_index()
    if dims:
        return frame
    import pandas as pd

    kinds = np.array(["", *ensemble.plan.hypotheses])
    names = [str(name) for name in piece["parameter"].values]
    values = pd.DataFrame(piece["parameters"].values, columns=names)
    return frame.assign(hypothesis=kinds[frame["hypothesis"] + 1]).join(values)


def _columns(whole: xr.Dataset) -> pd.DataFrame:
    """Return the meanings of the columns."""
    import pandas as pd

    rows = [
        (TABLES[tuple(map(str, v.dims[1:]))], n, v.attrs["units"], v.attrs["long_name"])
        for n, v in whole.data_vars.items()
        if v.dims[1:] in TABLES
    ]
    units = zip(whole["parameter"].values, whole["parameter_unit"].values, strict=True)
    rows += [("runs", name, unit, "parameter") for name, unit in units]
    return pd.DataFrame(rows, columns=["table", "column", "unit", "meaning"])


# -------------------------------------------------------------------------------------- NetCDF


def _plain(whole: xr.Dataset) -> xr.Dataset:
    """Return the dataset with attributes that any NetCDF file can hold."""
    attributes = {
        k: " ".join(map(str, v)) if isinstance(v, list) else str(v) for k, v in whole.attrs.items()
    }
    out = whole.drop_vars("complete").assign_attrs(attributes)
    for variable in out.variables.values():
        if isinstance(variable.attrs.get("flag_values"), list):
            kind = variable.dtype
            variable.attrs["flag_values"] = np.array(variable.attrs["flag_values"], dtype=kind)
    return out


def _cut(whole: xr.Dataset) -> Part:
    return lambda first, end: whole.isel(run=slice(first, end))


def _stream(path: Path, part: Part, group: str | None, dim: str, *, runs: int, size: int) -> None:
    """Write the frame of a dataset, then its runs piece by piece."""
    import h5netcdf

    frame = part(0, 0)
    varying = [str(n) for n, v in frame.variables.items() if dim in v.dims]
    encoding: dict[str, Any] = {}
    for name in varying:
        chunks = tuple(
            max(min(size, runs), 1) if d == dim else n for d, n in frame[name].sizes.items()
        )
        encoding[name] = {"chunksizes": chunks, "zlib": True, "complevel": 1}
        if not np.issubdtype(frame[name].dtype, np.floating):
            encoding[name]["_FillValue"] = None
    frame.to_netcdf(
        path,
        engine="h5netcdf",
        mode="a" if path.exists() else "w",
        group=group,
        unlimited_dims=[dim],
        encoding=encoding,
    )
    with h5netcdf.File(path, "a") as file:
        target = file if group is None else file[group]
        target.resize_dimension(dim, runs)
        for first in range(0, runs, size):
            piece = part(first, first + size)
            for name in varying:
                where = tuple(
                    slice(first, min(first + size, runs)) if d == dim else slice(None)
                    for d in frame[name].dims
                )
                target[name][where] = piece[name].values.astype(target[name].dtype)


def _groups(ensemble: Ensemble) -> dict[str, xr.Dataset]:
    return {name: part(0, ensemble.complete_runs) for name, part in _parts(ensemble).items()}


def _parts(ensemble: Ensemble) -> dict[str, Part]:
    """Return, by group, a function that returns some of its runs."""
    import xarray as xr

    from foedus.ensemble.prior_matching import log_prior_weight, of_ensemble

    plan = ensemble.plan
    whole = _plain(ensemble.open_dataset()).rename(run="draw")
    price = None
    if plan.stages or of_ensemble(ensemble) is not None:
        price = log_prior_weight(ensemble)

    def chained(part: xr.Dataset) -> xr.Dataset:
        varying = [n for n, v in part.data_vars.items() if "draw" in v.dims]
        return part.load().assign({n: part[n].expand_dims(chain=[0]) for n in varying})

    def prior(first: int, end: int) -> xr.Dataset:
        values = whole["parameters"].isel(draw=slice(first, end)).load()
        found = {}
        for at, name in enumerate(plan.parameters):
            one = values.isel(parameter=at, drop=True)
            found[name] = one.assign_attrs(units=plan.parameter_units[at], long_name=name)
        return chained(xr.Dataset(found, attrs=whole.attrs))

    def stats(first: int, end: int) -> xr.Dataset:
        found = whole[["hypothesis", "log_guidance"]].isel(draw=slice(first, end))
        if price is not None:
            found = found.assign(log_importance=("draw", price[first:end]))
        return chained(found)

    def predictive(first: int, end: int) -> xr.Dataset:
        rest = whole.drop_vars(["hypothesis", "log_guidance"]).drop_dims("parameter")
        return chained(rest.isel(draw=slice(first, end)))

    return {"prior": prior, "prior_predictive": predictive, "sample_stats_prior": stats}


# --------------------------------------------------------------------------------------- files


@contextlib.contextmanager
def _appearing(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write to, which is renamed to the path on success."""
    if path.exists():
        raise InputError(f"{path}: already exists; give another name")
    draft = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove(draft)
        yield draft
        draft.rename(path)
    except OSError as error:
        raise StoreError(f"{path}: cannot write: {error.strerror or error}") from error
    finally:
        _remove(draft)


def _remove(draft: Path) -> None:
    if draft.is_dir():
        shutil.rmtree(draft, ignore_errors=True)
    else:
        draft.unlink(missing_ok=True)


def _installed(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def _need(name: str, what: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise InputError(f"{what} needs {name.split('.')[0]}: {_EXTRA}") from None


#: The formats of ``foedus runs export --to``: the writer, and the suffix of its output.
FORMATS: Mapping[str, tuple[Callable[[Ensemble, Path], Path], str]] = {
    "netcdf": (to_netcdf, ".nc"),
    "parquet": (to_parquet, "-parquet"),
    "csv": (to_csv, "-csv"),
    "arviz": (to_arviz, "-arviz.nc"),
}
