"""A slider that requests pictures by messages: what the page sends and what it receives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from foedus.errors import InputError


@dataclass(frozen=True)
class Shown:
    """The picture at one position of the slider.

    Attributes
    ----------
    text : str
        Text below the picture.
    svg : str
        A chart; empty if there is none.
    size : (width, height)
        Of a lattice, in sites.
    cells : bytes
        Its sites by row: 0 empty, 1 quiet, 2 active, 3 police, 4 jailed.
    """

    text: str
    svg: str = ""
    size: tuple[int, int] = (0, 0)
    cells: bytes = b""


class Slider(anywidget.AnyWidget):
    """A widget with a slider; at each position it shows what ``show`` returns.

    Parameters
    ----------
    title : str
    labels : sequence of str
        One per position of the slider.
    show : callable
        Returns the picture at a position. An exception is shown in its place.
    """

    _esm = Path(__file__).parent / "slider.js"
    _css = Path(__file__).parent / "slider.css"
    title = traitlets.Unicode().tag(sync=True)
    labels = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(self, title: str, labels: Sequence[str], show: Callable[[int], Shown]) -> None:
        super().__init__(title=title, labels=list(labels))
        self._show = show
        self.on_msg(self._asked)

    def _asked(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """Answer a page that requests a position; an invalid request is ignored."""
        at = content.get("at") if isinstance(content, dict) else None
        if type(at) is not int or not 0 <= at < len(self.labels):
            return
        try:
            shown = self._show(at)
        except (Exception, KeyboardInterrupt) as error:  # otherwise the page would wait for ever
            self.send({"at": at, "error": _said(error)})
            return
        said = {"at": at, "text": shown.text, "svg": shown.svg, "size": list(shown.size)}
        self.send(said, buffers=[shown.cells] if shown.cells else None)


def _said(error: BaseException) -> str:
    """Return an error as text; the text of an input error is enough on its own."""
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted."
    return str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
