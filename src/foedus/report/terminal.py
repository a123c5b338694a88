"""Documents on a terminal, and results as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from foedus.report.document import (
    Caution,
    Charts,
    Document,
    Items,
    Note,
    Pairs,
    Paragraph,
    Part,
    Section,
    Table,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as RichTable

#: Width if the output is not a terminal.
PLAIN_WIDTH = 110
#: Narrowest table on a terminal; in a narrower one, numbers would break in two.
LEAST_WIDTH = 72


def console() -> Console:
    """Return a console that writes to standard output and does not interpret markup."""
    from rich.console import Console

    plain = Console(highlight=False, markup=False)
    width = max(plain.width, LEAST_WIDTH) if plain.is_terminal else PLAIN_WIDTH
    return Console(highlight=False, markup=False, width=width)


def print_document(document: Document) -> None:
    """Print a document; tables and sections are separated by a blank line."""
    to = console()
    to.print(document.title, style="bold")
    _print_parts(to, document.parts, below_title=True)


def _print_parts(to: Console, parts: Sequence[Part], *, below_title: bool) -> None:
    from rich.padding import Padding
    from rich.text import Text

    after_block = False
    for n, part in enumerate(parts):
        block = isinstance(part, Table | Section)
        if after_block or (block and (n > 0 or below_title)):
            to.print()
        match part:
            case Paragraph(text, strong):
                to.print(text, style="bold" if strong else None)
            case Items(texts):
                for text in texts:
                    to.print(Padding(Text(text), (0, 0, 0, 2)))
            case Note(text):
                to.print(text)
            case Caution(text):
                to.print(f"Mind: {text}")
            case Pairs(rows):
                for label, value in rows:
                    to.print(f"{label}: {value}", soft_wrap=part.code)
            case Charts(fans):
                for fan in fans:
                    to.print(f"{fan.title}, {fan.unit}")
            case Table():
                to.print(_table(part))
            case Section(inside, title):
                if title:
                    to.print(title, style="bold")
                _print_parts(to, inside, below_title=bool(title))
        after_block = block


def _table(table: Table) -> RichTable:
    """Return a table whose first column takes the free space, and whose texts are plain."""
    from rich.table import Table as RichTable
    from rich.text import Text

    title = f"{table.title} ({table.note})" if table.note else table.title
    out = RichTable(
        title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0)
    )
    for n, column in enumerate(table.columns):
        out.add_column(
            column if isinstance(column, str) else column.title,
            ratio=1 if n == 0 else None,
            no_wrap=False,
            header_style="dim",
            overflow="fold",
        )
    for row in table.rows:
        out.add_row(*(Text(str(cell)) for cell in row))
    return out


def print_json(data: Any) -> None:
    """Print data as JSON that any program can read: no NaN, no infinity."""
    print(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False))


def print_json_line(data: Any) -> None:
    """Print data as JSON on one line, for programs that read the last line."""
    print(json.dumps(data, ensure_ascii=False, allow_nan=False))


def aligned(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as plain text of any width."""
    widths = [max(len(row[i]) for row in (columns, *rows)) for i in range(len(columns))]
    return "\n".join(
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in (columns, *rows)
    )
