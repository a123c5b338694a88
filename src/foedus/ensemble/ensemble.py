"""An ensemble open for reading: its plan, and a Dataset that is loaded lazily."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from foedus.ensemble import store
from foedus.ensemble.plan import Plan
from foedus.errors import StoreError

if TYPE_CHECKING:
    import xarray as xr

    from foedus.case.models import Case
    from foedus.report.charts import EnsemblePlots


@dataclass(frozen=True)
class Ensemble:
    """Runs of a case on disk. It holds no data; reading is lazy and in bounded memory.

    Attributes
    ----------
    path : pathlib.Path
        The store, a Zarr v3 group.
    plan : Plan
        What was run. ``plan.runs`` is the number of runs visible here, which can be fewer than the
        store holds.
    attributes : dict
        ``title``, ``created``, ``case`` (JSON), ``failures``.
    """

    path: Path
    plan: Plan
    attributes: dict[str, Any]

    @property
    def plot(self) -> EnsemblePlots:
        """Charts without weighing any evidence, such as ``ensemble.plot.fan("deaths_total")``."""
        from foedus.report.charts import EnsemblePlots

        return EnsemblePlots(self)

    def _repr_html_(self) -> str:
        from foedus.report.forecast_view import ensemble_document

        return ensemble_document(self)._repr_html_()

    @functools.cached_property
    def _marks(self) -> NDArray[np.uint64]:
        return store.read_marks(self.path, self.plan)

    @functools.cached_property
    def complete(self) -> NDArray[np.bool_]:
        """Whether each run is finished, shape (run,)."""
        out = np.zeros(self.plan.runs, dtype=bool)
        done = store.done_runs(self._marks)
        for batch in np.flatnonzero(done).tolist():
            first = batch * self.plan.batch
            out[first : first + min(int(done[batch]), self.plan.batch)] = True
        return out

    @property
    def complete_runs(self) -> int:
        """Number of finished runs."""
        return int(self.complete.sum())

    @property
    def failures(self) -> dict[int, dict[str, Any]]:
        """Batches whose simulation raised an exception: run, error, origin and trace of each."""
        return {int(k): dict(v) for k, v in (self.attributes.get("failures") or {}).items()}

    @property
    def case(self) -> Case:
        """The case as the simulation saw it, see :func:`foedus.case.asof.seen_by_world`."""
        from foedus.case.models import Case

        return Case.model_validate_json(self.attributes["case"])

    @functools.cached_property
    def dataset(self) -> xr.Dataset:
        """The complete runs; each variable is read on first use and then kept."""
        return self.open_dataset()

    def open_dataset(self, *, incomplete: bool = False) -> xr.Dataset:
        """Open the Dataset.

        Parameters
        ----------
        incomplete : bool
            Include unfinished runs, whose values are meaningless; the coordinate ``complete`` marks
            the finished ones.

        Returns
        -------
        xarray.Dataset
            Dimensions run, day, city, member, parameter; see :data:`foedus.world.order.VARIABLES`
            for the variables.

        Raises
        ------
        StoreError
            If the store is missing or damaged. For the data themselves this is raised when they are
            read.
        """
        import xarray as xr

        from foedus.ensemble.dataset import FoedusBackend

        rows = np.arange(self.plan.runs) if incomplete else np.flatnonzero(self.complete)
        return xr.open_dataset(
            self.path, engine=FoedusBackend, chunks=None, cache=True, ensemble=self, rows=rows
        )

    def blocks(
        self, names: Sequence[str] | None = None, *, runs: int | None = None
    ) -> Iterator[xr.Dataset]:
        """Yield the complete runs in loaded pieces, so that memory stays bounded.

        Parameters
        ----------
        names : sequence of str, optional
            Variables; all by default.
        runs : int, optional
            Runs per piece; by default those of a batch.
        """
        whole = self.open_dataset()
        size = runs or self.plan.batch
        for first in range(0, whole.sizes["run"], size):
            part = whole.isel(run=slice(first, first + size))
            yield (part if names is None else part[list(names)]).load()

    def damaged(self) -> dict[int, str]:
        """Read everything again; return the error of each damaged batch."""
        found = {b: why for b, why in store.damage(self.path, self._stored) if why is not None}
        return {b: why for b, why in found.items() if b < self.plan.batches}

    def verify(self) -> int:
        """Check the data against their checksums.

        Returns
        -------
        int
            Number of complete runs, all of them sound.

        Raises
        ------
        StoreError
            If a batch is damaged; names it and how to make it again.
        """
        if damaged := self.damaged():
            raise StoreError(self._repair_message(damaged))
        return self.complete_runs

    @property
    def _stored(self) -> Plan:
        """The plan with all runs of the store, whether visible here or not."""
        return store.read_plan(self.path)[0]

    def _repair_message(self, damaged: dict[int, str]) -> str:
        lines = []
        for batch, why in damaged.items():
            first, end = self.plan.bounds(batch)
            lines.append(f"batch {batch} (runs {first} to {end - 1}) is damaged: {why}")
        command = self.plan.command(self.path, resume=True)
        return f"{self.path}: " + "; ".join(lines) + f". To make it again: {command}"


def open_ensemble(path: str | Path, *, runs: int | None = None) -> Ensemble:
    """Open the runs in a store.

    Parameters
    ----------
    path : str or pathlib.Path
    runs : int, optional
        Show only the first ``runs`` runs of the store.

    Returns
    -------
    Ensemble
        Its ``dataset`` is read lazily.

    Raises
    ------
    StoreError
        If there is no ensemble, or its metadata are damaged.
    """
    path = Path(path)
    plan, attributes = store.read_plan(path)
    if runs is not None and runs > plan.runs:
        raise StoreError(f"{path}: {plan.runs} runs are planned, {runs} asked for")
    return Ensemble(path, plan if runs is None else plan.grown(runs), attributes)
