"""The store as an xarray backend: reading is lazy, and a damaged chunk is a clear error."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from xarray.backends import BackendArray, BackendEntrypoint
from xarray.core import indexing

from foedus.ensemble import store
from foedus.ensemble.plan import day_dates
from foedus.errors import StoreError

if TYPE_CHECKING:
    from foedus.ensemble.ensemble import Ensemble


class FoedusBackend(BackendEntrypoint):
    """Opens an :class:`~foedus.ensemble.ensemble.Ensemble` as a Dataset."""

    description = "foedus ensembles"

    def open_dataset(  # type: ignore[override]
        self,
        filename_or_obj: Any,
        *,
        drop_variables: str | Iterable[str] | None = None,
        ensemble: Ensemble,
        rows: NDArray[np.int64],
    ) -> xr.Dataset:
        """Return rows of the ensemble as a Dataset whose data are not read yet."""
        plan = ensemble.plan
        stored = store.Stored(ensemble.path)
        dropped = {drop_variables} if isinstance(drop_variables, str) else set(drop_variables or ())
        variables = {}
        for column in store.columns():
            if column.name in dropped or column.name == "run":
                continue
            array = indexing.LazilyIndexedArray(_Column(ensemble, stored, column, rows))
            attributes: dict[str, Any] = {"units": column.unit, "long_name": column.meaning}
            if column.name == "hypothesis":
                attributes["flag_values"] = list(range(len(plan.hypotheses)))
                attributes["flag_meanings"] = " ".join(plan.hypotheses)
            variables[column.name] = xr.Variable(("run", *column.dims), array, attributes)
        run = {"units": "1", "long_name": "global run number"}
        coordinates = {
            "run": xr.Variable(("run",), rows, run),
            "day": xr.Variable(("day",), day_dates(plan), {"long_name": "day"}),
            "city": xr.Variable(("city",), _text(plan.cities), {"long_name": "city"}),
            "member": xr.Variable(("member",), _text(plan.members), {"long_name": "member"}),
            "parameter": xr.Variable(
                ("parameter",), _text(plan.parameters), {"long_name": "parameter"}
            ),
            "parameter_unit": xr.Variable(
                ("parameter",), _text(plan.parameter_units), {"long_name": "unit of the parameter"}
            ),
            "complete": xr.Variable(
                ("run",), ensemble.complete[rows], {"units": "1", "long_name": "the run is done"}
            ),
        }
        attributes = {
            "title": str(ensemble.attributes.get("title", "")),
            "case": plan.case_id,
            "case_hash": plan.case_hash,
            "as_of": plan.as_of or "",
            "seed": plan.seed,
            "runs": plan.runs,
            "hypotheses": list(plan.hypotheses),
            "replayed_facts": list(plan.guidance["facts"]),
            "created": str(ensemble.attributes.get("created", "")),
            "command": plan.command(ensemble.path),
            **{f"version_{k}": v for k, v in plan.versions.items()},
        }
        return xr.Dataset(variables, coordinates, attributes)


class _Column(BackendArray):
    """One column of the store, restricted to the selected rows."""

    def __init__(
        self,
        ensemble: Ensemble,
        stored: store.Stored,
        column: store.Column,
        rows: NDArray[np.int64],
    ) -> None:
        self._ensemble = ensemble
        self._stored = stored
        self._column = column
        self._rows = rows
        self.shape = (rows.size, *store.shape_of(column, ensemble.plan))
        self.dtype = np.dtype(column.dtype)

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        return indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.OUTER, self._read
        )

    def _read(self, key: tuple[Any, ...]) -> NDArray[Any]:
        """Read batch by batch, so that an error can name the damaged batch."""
        wanted = self._rows[key[0]]
        rows = np.atleast_1d(wanted)
        size, done = self._ensemble.plan.batch, store.done_runs(self._ensemble._marks)
        batches = rows // size
        pieces = []
        for batch in np.unique(batches):
            where = np.flatnonzero(batches == batch)
            inside = rows[where] - batch * size
            if done[batch] == 0:
                block = np.zeros((int(inside.max()) + 1, *self.shape[1:]), dtype=self.dtype)
            else:
                block = self._block(int(batch), int(rows[where].max()) + 1)
            pieces.append((where, _inner(block[inside], key[1:])))
        tail = _inner(np.empty((0, *self.shape[1:]), dtype=self.dtype), key[1:]).shape[1:]
        out = np.empty((rows.size, *tail), dtype=self.dtype)
        for where, piece in pieces:
            out[where] = piece
        return out if np.ndim(wanted) else out[0]

    def _block(self, batch: int, end: int) -> NDArray[Any]:
        ensemble, column = self._ensemble, self._column
        try:
            if not store.chunk_file(ensemble.path, column, batch).exists():
                raise ValueError("it is missing")
            first = batch * ensemble.plan.batch
            block = np.asarray(self._stored[column.name][first:end])
            wanted = (end - first, *self.shape[1:])
            if block.shape != wanted or block.dtype != self.dtype:
                raise ValueError(
                    f"{block.dtype} of shape {block.shape}, expected {self.dtype} of {wanted}"
                )
            return block
        except Exception as error:  # codecs raise various errors on damaged bytes
            reason = f"the chunk of {column.name} cannot be read: {error}"
            raise StoreError(ensemble._repair_message({batch: reason})) from None


def _inner(block: NDArray[Any], key: tuple[Any, ...]) -> NDArray[Any]:
    """Index each of the dimensions after the run separately; an integer drops its dimension."""
    for axis in range(
        len(key), 0, -1
    ):  # from the last, so that dropped dimensions do not shift the others
        block = block[(*(slice(None) for _ in range(axis)), key[axis - 1])]
    return block


def _text(words: tuple[str, ...]) -> NDArray[np.str_]:
    return np.array(words, dtype=np.str_)
