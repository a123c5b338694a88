"""Print how far two coders agree on the ratings of the shipped cases' facts.

    python tools/rating_agreement.py               # the agreement, case by case and together
    python tools/rating_agreement.py --sheet armenia-2018 turkey-2012 > sheet.csv

The first coder's ratings are those of the case files; the second's are in
src/foedus/case/shipped/second_ratings.csv (case,fact,rating). The sheet is what a coder gets: each
fact's text, dates and the name of its source, and neither a rating nor an outcome.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources

from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import cohen_kappa_score

from foedus.case import load_case, shipped
from foedus.report.document import Document, Note, Part, Table
from foedus.report.terminal import print_document

SECOND = resources.files("foedus.case") / "shipped" / "second_ratings.csv"
#: The two scales, best first. "Cannot be judged" (F, 6) is no step of either.
LETTERS, DIGITS = "ABCDE", "12345"


@dataclass(frozen=True)
class Agreement:
    """How far two coders agree.

    Attributes
    ----------
    facts : int
        Rated by both.
    letters, digits : float
        Share of facts with the same letter (of the source), or digit (of the information).
    kappa_letters, kappa_digits : float
        Cohen's kappa with linear weights, over the facts that both could judge; nan where it is
        undefined, as when both gave one and the same rating to all.
    """

    facts: int
    letters: float
    digits: float
    kappa_letters: float
    kappa_digits: float


def second_ratings() -> dict[tuple[str, str], str]:
    """Return the second coder's ratings by case and fact."""
    with SECOND.open(encoding="utf-8", newline="") as file:
        return {(row["case"], row["fact"]): row["rating"] for row in csv.DictReader(file)}


def first_ratings(cases: Iterable[str]) -> dict[tuple[str, str], str]:
    """Return the ratings of the case files by case and fact."""
    return {(name, f.id): f.rating for name in cases for f in load_case(name).facts}


def agreement(pairs: Sequence[tuple[str, str]]) -> Agreement:
    """Return how far two coders agree, given both ratings of each fact; at least one fact."""
    letters = [(a[0], b[0]) for a, b in pairs]
    digits = [(a[1], b[1]) for a, b in pairs]
    return Agreement(
        len(pairs),
        _equal(letters),
        _equal(digits),
        _kappa(letters, LETTERS),
        _kappa(digits, DIGITS),
    )


def _equal(pairs: Sequence[tuple[str, str]]) -> float:
    return sum(a == b for a, b in pairs) / len(pairs)


def _kappa(pairs: Sequence[tuple[str, str]], scale: str) -> float:
    judged = [(a, b) for a, b in pairs if a in scale and b in scale]
    if len({grade for pair in judged for grade in pair}) < 2:
        return math.nan
    first, second = zip(*judged, strict=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        return float(cohen_kappa_score(first, second, labels=list(scale), weights="linear"))


def main() -> None:
    """Print the agreement, or a sheet for a coder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sheet", nargs="+", metavar="CASE", help="write a coder's sheet instead")
    options = parser.parse_args()
    if options.sheet:
        _write_sheet(options.sheet)
    else:
        print_document(report())


def report() -> Document:
    """Return the table of agreement, and which cases no second coder has rated."""
    second = second_ratings()
    rated = sorted({case for case, _ in second})
    first = first_ratings(rated)
    pairs = {
        case: [(first[key], rating) for key, rating in second.items() if key[0] == case]
        for case in rated
    }
    if len(rated) > 1:
        pairs["all"] = [pair for of_case in pairs.values() for pair in of_case]
    columns = ("Case", "Facts", "Same letter", "Same digit", "Kappa letter", "Kappa digit")
    rows = tuple(_row(name, of_case) for name, of_case in pairs.items())
    parts: list[Part] = [Table("", columns, rows)] if rows else []
    missing = [name for name in shipped() if name not in rated]
    if missing:
        parts.append(Note(f"Rated by one coder only: {', '.join(missing)}"))
    return Document("Agreement of two coders on the ratings of facts", tuple(parts))


def _row(name: str, pairs: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    found = agreement(pairs)
    shares = [f"{share:.0%}" for share in (found.letters, found.digits)]
    kappas = [
        "–" if math.isnan(kappa) else f"{kappa:.2f}"
        for kappa in (found.kappa_letters, found.kappa_digits)
    ]
    return (name, str(found.facts), *shares, *kappas)


def _write_sheet(cases: Sequence[str]) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(("case", "fact", "about", "known_from", "source", "text"))
    for name in cases:
        case = load_case(name)
        for fact in case.facts:
            source = case.sources[fact.source].name
            out.writerow((name, fact.id, fact.about, fact.known_from, source, fact.text))


if __name__ == "__main__":
    main()
