"""A result as a document: the parts that the terminal, notebooks, the page and paper draw.

A view turns a result into parts once. The drawers know nothing of results:
:mod:`foedus.report.terminal` prints them, :mod:`foedus.report.html` makes HTML of them, and
:mod:`foedus.report.pdf` sets them on paper.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; ``strong`` where it must not be overlooked."""

    text: str
    strong: bool = False


@dataclass(frozen=True)
class Note:
    """How to read the part above."""

    text: str


@dataclass(frozen=True)
class Caution:
    """What to keep in mind when reading the numbers."""

    text: str


@dataclass(frozen=True)
class Items:
    """Short lines of one kind, such as advice."""

    texts: tuple[str, ...]


@dataclass(frozen=True)
class Pairs:
    """Labels and values; ``code`` if the values are to be copied."""

    rows: tuple[tuple[str, str], ...]
    code: bool = False


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A share from 0 to 1, its standard error, and another share for comparison."""

    share: float
    error: float | None = None
    compared: float | None = None


@dataclass(frozen=True)
class Cell:
    """The content of one cell of a table.

    Attributes
    ----------
    text : str
    beside : str
        After the text, less prominent: a standard error, a unit.
    below : tuple of str
        Remarks under the text; a terminal has no space for them.
    strong : bool
        Whether this is the main value of the row.
    bar : Bar or None
        The number as a picture, where there are pictures.
    rating : str
        An Admiralty rating before the text.
    address : str
        Source of the text; a link if it is a web address.
    """

    text: str
    beside: str = field(default="", kw_only=True)
    below: tuple[str, ...] = field(default=(), kw_only=True)
    strong: bool = field(default=False, kw_only=True)
    bar: Bar | None = field(default=None, kw_only=True)
    rating: str = field(default="", kw_only=True)
    address: str = field(default="", kw_only=True)

    def __str__(self) -> str:
        """Return the text and what stands beside it."""
        return f"{self.text} {self.beside}" if self.beside else self.text


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    title : str
    width : int or None
        On paper, in millimetres; None takes what the others leave.
    whole : bool
        Texts stay on one line where there is room.
    """

    title: str
    width: int | None = None
    whole: bool = False


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes
    ----------
    title : str
        Empty if the text before the table is enough.
    columns : tuple of Column or str
        Text stands for a column with that title.
    rows : tuple of tuple of Cell or str
        A row whose first cell is empty continues the row above it.
    note : str
        Beside the title.
    bars : str
        What the bars show, if there are any: what is filled, then their error and the comparison.
    named_by : int
        The column that names the rows.
    """

    title: str
    columns: tuple[Column | str, ...]
    rows: tuple[tuple[Cell | str, ...], ...]
    note: str = field(default="", kw_only=True)
    bars: tuple[str, ...] = field(default=(), kw_only=True)
    named_by: int = field(default=0, kw_only=True)

    def full(self) -> Table:
        """Return the table with every text replaced by a column or a cell."""
        return replace(
            self,
            columns=tuple(Column(c) if isinstance(c, str) else c for c in self.columns),
            rows=tuple(tuple(Cell(c) if isinstance(c, str) else c for c in r) for r in self.rows),
        )


@dataclass(frozen=True)
class Mark:
    """A reported number, as a fan chart shows it.

    ``low`` and ``high`` may be infinite: "at least 13" is ``(13, inf)``. ``part`` means that the
    report is about one place or member, and so about a part of what the chart shows.
    """

    date: dt.date
    low: float
    high: float
    point: float | None
    label: str
    part: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, kw_only=True)
class FanChart:
    """Quantiles by day of one quantity, and the facts known about it.

    Attributes
    ----------
    key, title, unit : str
    dates : tuple of date
        One per simulated day.
    q05, q25, q50, q75, q95 : tuple of float
        Weighted quantiles over the runs, one per day.
    marks : tuple of Mark
    """

    key: str
    title: str
    unit: str
    dates: tuple[dt.date, ...]
    q05: tuple[float, ...]
    q25: tuple[float, ...]
    q50: tuple[float, ...]
    q75: tuple[float, ...]
    q95: tuple[float, ...]
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Charts:
    """Fan charts side by side, with a line at the as-of date."""

    fans: tuple[FanChart, ...]
    as_of: dt.date


@dataclass(frozen=True)
class Section:
    """Parts that belong together, set apart from the rest.

    Attributes
    ----------
    parts : tuple
    title, beside : str
        The title, and less prominent text beside it.
    name : str
        For links to a section of a page; empty for a smaller one.
    new_page : bool
        Whether it begins a page on paper.
    """

    parts: tuple[Part, ...]
    title: str = ""
    beside: str = field(default="", kw_only=True)
    name: str = field(default="", kw_only=True)
    new_page: bool = field(default=False, kw_only=True)


P = TypeVar("P")
Part = Paragraph | Note | Caution | Items | Pairs | Table | Charts | Section


@dataclass(frozen=True)
class Document:
    """A title and its content."""

    title: str
    parts: tuple[Part, ...]

    def _repr_html_(self) -> str:
        from foedus.report.html import document_html

        return document_html(self)


@dataclass(frozen=True, kw_only=True)
class Brief:
    """The content of a page or a paper: its head, and a section for each subject.

    Attributes
    ----------
    title, summary : str
    known_by : str
        The as-of date in words, with its time of day if it has one.
    strip : tuple of (label, value)
        The basis of the forecast in a line.
    setback : tuple
        Why there is no answer, or a weak one; empty if all is well.
    sections : tuple of Section
    """

    title: str
    summary: str
    known_by: str
    strip: tuple[tuple[str, str], ...]
    setback: tuple[Part, ...] = ()
    sections: tuple[Section, ...]


def paragraphs(texts: Iterable[str]) -> tuple[Paragraph, ...]:
    """Return a paragraph for each text; empty texts are left out."""
    return tuple(Paragraph(text) for text in texts if text)


def section(texts: Iterable[str]) -> tuple[Section, ...]:
    """Return a section of paragraphs, or nothing if there are none."""
    kept = paragraphs(texts)
    return (Section(kept),) if kept else ()


def cautions(warnings: Iterable[object]) -> tuple[Caution, ...]:
    """Return a caution for each warning."""
    return tuple(Caution(str(warning)) for warning in warnings)


def parts_of(parts: Iterable[Part], kind: type[P]) -> Iterator[P]:
    """Yield all parts of one kind, including those inside sections."""
    for part in parts:
        if isinstance(part, kind):
            yield part
        elif isinstance(part, Section):
            yield from parts_of(part.parts, kind)
