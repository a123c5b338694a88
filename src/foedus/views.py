"""How objects look to people: what the report adds to objects of earlier stages.

A forecast must not know of charts, but people expect ``forecast.plot()``. So an earlier stage says
only *that* there is such a view, by name, and the package itself, which may know all stages, says
*who* gives it (:data:`foedus._VIEWS`). Nothing of the report is imported before a view is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, overload

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_T = TypeVar("_T")
_GIVERS: dict[str, str] = {}


def give(views: dict[str, str]) -> None:
    """Say who gives the views: by name, ``module:function``, which is called with the object."""
    _GIVERS.update(views)


def view(name: str, of: object) -> Any:
    """Return a view of an object.

    Parameters
    ----------
    name : str
        Such as ``Forecast.plot``.
    of : object

    Raises
    ------
    AttributeError
        If nobody gives it.
    """
    if name not in _GIVERS:
        raise AttributeError(f"nobody gives {name}")
    module, function = _GIVERS[name].split(":")
    return getattr(import_module(module), function)(of)


class View(Generic[_T]):
    """An attribute that a later stage gives: ``plot = View[Plots]("Forecast.plot")``."""

    def __init__(self, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, of: None, owner: type) -> View[_T]: ...
    @overload
    def __get__(self, of: object, owner: type) -> _T: ...
    def __get__(self, of: object | None, owner: type) -> View[_T] | _T:
        if of is None:
            return self
        given: _T = view(self.name, of)
        return given


class Chart(Protocol):
    """A chart: a matplotlib figure with its text alternative; notebooks show it as it stands."""

    @property
    def figure(self) -> Figure:
        """The matplotlib figure."""

    @property
    def axes(self) -> Axes:
        """Its axes, the first if there are several."""

    @property
    def text(self) -> str:
        """The same in words."""

    def svg(self) -> str:
        """Return it as an ``<svg>`` element with title and description."""

    def save(self, path: Any) -> Any:
        """Write it as SVG, PNG or PDF, by the ending of the name."""

    def _repr_html_(self) -> str: ...


class ForecastPlots(Protocol):
    """The charts of a forecast; ``forecast.plot()`` draws the answers."""

    def __call__(self) -> Chart:
        """Draw the answers to all questions."""

    def fan(self, key: str, *, ax: Axes | None = None) -> Chart:
        """Draw quantiles by day of one quantity, with the facts on them."""

    def fans(self) -> Chart:
        """Draw all fans."""

    def explanations(self, *, ax: Axes | None = None) -> Chart:
        """Draw the weight of each explanation before and after the evidence."""


class EnsemblePlots(Protocol):
    """The charts of runs before any evidence; ``ensemble.plot()`` draws all fans."""

    def __call__(self) -> Chart:
        """Draw all fans."""

    def fan(self, key: str, *, ax: Axes | None = None) -> Chart:
        """Draw quantiles by day of one quantity."""
