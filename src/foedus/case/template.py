"""A starter case, for ``foedus new``."""

from __future__ import annotations

import os
import re
from pathlib import Path

from foedus.case.load import load_text
from foedus.errors import InputError, Problem

_TEMPLATE = """\
# A case: what is known about a crisis, who says so, and since when. Edit it, then run
#     foedus check {file}
# Text after a '#' is a comment. The format is explained in the reference, "The case file".

foedus: 1
id: {id}
title: {title}
summary: Say in two or three sentences what has happened and what is asked.
timezone_offset: 0       # hours east of UTC; a day ends at midnight there
start: 2024-03-01        # first simulated day
horizon: 30              # days simulated
ticks_per_day: 4
as_of: 2024-03-05        # what was public by the end of this day is known

# Who reports. A web address is shown, never fetched.
sources:
  agency:
    name: A news agency
    address: https://example.org/report
    published: 2024-03-04
  elicited:
    name: Our own judgement

# Cities with their own streets.
places:
  capital:
    name: The capital
    lat: 10.0
    lon: 20.0
    population: 800000
    lattice: 30          # side of its square of sites; 20 is enough for most
  port:
    name: The port
    lat: 9.0
    lon: 21.5
    population: 250000

actors:
  home: {{name: The country, roles: [government, member]}}
  president: {{name: The president, roles: [leader], part_of: home}}
  police: {{name: The police, roles: [security_force], part_of: home}}
  protesters: {{name: Protesters, roles: [protesters]}}
  big_ally: {{name: The big ally, roles: [member, lead, patron]}}
  small_ally: {{name: The small ally, roles: [member]}}

alliance:
  name: The alliance
  rule: consensus_with_abstention
  lead: big_ally         # must be a member
  requester: home        # must be another member
  distance_km: 1200      # from the lead's bases
  members:
    - {{actor: big_ally, lat: 15.0, lon: 28.0, pool: 2000, contiguous: true}}
    - {{actor: small_ally, lat: 5.0, lon: 25.0, pool: 200}}
    - {{actor: home, lat: 10.0, lon: 20.0, pool: 0}}
  patrons:
    - {{actor: big_ally, through_alliance: true, dependence: 0.6, source: elicited}}

ties:
  border_km: 500
  dependence_on_lead: 0.5

# What started it: a sudden loss of legitimacy in a place.
triggers:
  - place: port
    date: 2024-03-01
    loss: {{dist: beta, mean: 0.3, n: 8, origin: elicited, source: elicited}}
    text: Say what happened.
    source: agency

# Dates that were public beforehand; they have no effect.
calendar:
  - date: 2024-03-20
    known_from: 2024-02-01
    text: A summit that was planned before the crisis.
    source: agency

# Members, alliance and ties hold what was known at the start. What became public later:
#     updates:
#       - {{known_from: 2024-03-06, pool: 500, source: agency}}

# A fact has the day it is about, and the day from which it was public. An as-of date filters
# on the second. Values: 13, "at least 13", "about 500", "10..20", dozens, true, false.
# Ratings: a letter for the source (A best), a digit for the information (1 best).
facts:
  - id: crowd-port
    about: 2024-03-02
    known_from: 2024-03-02
    quantity: crowd
    place: port
    value: about 3000
    source: agency
    rating: B2
    text: About three thousand people on the square of the port.
  - id: arrests-4
    about: 2024-03-04
    known_from: 2024-03-05
    quantity: arrests
    value: at least 40
    source: agency
    rating: B3
    text: At least forty people have been arrested.

# Competing explanations: say what each changes, once you know the parameters.
hypotheses:
  - id: treaty
    title: Simply the treaty
    says: The treaty obliges the members, and they come.
    put_forward_by: Name who holds it

# What a forecast answers.
questions:
  - id: landed
    text: Do allied troops land by 20 March?
    kind: binary
    ask: {{quantity: first_arrival, statistic: happens, by_date: 2024-03-20}}
  - id: arrests-end
    text: How many people have been arrested by 30 March?
    kind: number
    ask: {{quantity: arrests, statistic: at, by_date: 2024-03-30}}

# Fill in once it is known; only scoring reads this, and known_from must be later than as_of.
# outcomes:
#   - {{question: landed, value: false, known_from: 2024-03-21, source: agency}}
"""


def starter(file: str, title: str = "A new case") -> str:
    """Return the text of a starter case for a file of this name; it passes ``foedus check``."""
    stem = Path(file).stem
    return _TEMPLATE.format(file=Path(file).name, id=_identifier(stem), title=_quoted(title))


def new_case(path: str | Path, *, title: str = "A new case") -> Path:
    """Write a starter case that passes ``foedus check``.

    Parameters
    ----------
    path : str or pathlib.Path
        The file to write; its name gives the case's id. It must not exist.
    title : str
        Title of the case.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    InputError
        If the file exists or cannot be written; nothing is left behind.
    """
    path = Path(path)
    text = starter(path.name, title)
    load_text(text, str(path))

    def fail(found: str, expected: str) -> InputError:
        return InputError([Problem(str(path), None, None, "", found, expected)])

    if path.suffix not in (".yaml", ".yml"):
        raise fail(path.name, "a file name that ends in .yaml")
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        raise fail("an existing file", "a new file; foedus does not overwrite files") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise fail(reason, "a writable path") from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _identifier(stem: str) -> str:
    word = re.sub(r"[^a-z0-9_-]+", "-", stem.lower()).strip("-_")
    word = word[:60]
    return word if word[:1].isalpha() else f"case-{word}".rstrip("-")


def _quoted(title: str) -> str:
    """Return a title as a single-quoted YAML text."""
    title = " ".join(title.split()) or "A new case"
    return "'" + title.replace("'", "''") + "'"
