"""Turn the coded tables into one YAML file a case.

Run once, to start the casebook; since then the YAML files are the source of truth, and a
rerun would overwrite later corrections (it asks for ``--overwrite``). It needs the folder with
``casebook.csv``, ``casebook_long.csv`` and ``casebook_sources.md``::

    python tools/casebook_from_csv.py FOLDER src/foedus/casebook --overwrite

Every figure that the package computes (days, months, classes) is compared with the tables; a
difference is printed.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import pandas as pd

FIELDS = [
    "date_trigger",
    "date_request",
    "date_decision",
    "date_first_arrival",
    "date_withdrawal_end",
    "legal_basis",
    "trigger_type",
    "trigger_detail",
    "formal_request",
    "official_framing",
    "outcome_class",
    "troops_peak_30d",
    "intervener_deaths_90d",
    "requester_in_power_90d",
    "cow_contiguity_code",
    "cinc_ratio_lead_to_requester",
    "lead_base_or_forces_there",
    "lead_other_war_or_crisis",
    "decision_rule",
    "n_members_refused_or_abstained",
    "rival_great_power_opposed",
]
JUDGED = "coder judgement from case sources"

# Rows that are no call of a weaker state on a helper; listed in the research note.
SET_ASIDE = {
    "RUS2024K": "The requester is the lead power itself.",
    "RUS2024P": "The requester is stronger than the helper.",
    "USA2001N": "The requester is stronger than the helpers.",
    "USA2001A": "The requester is stronger than the helper; invoked by the helper.",
    "BDI2015": "Initiated by the organisation, refused by the host.",
    "UKR2014": "No valid host consent: the sender of the letter had lost office.",
    "CSK1968": "No valid host consent: the government was the target.",
}

# Doubts named in the research note. The beliefs in the other coding are the coder's own.
CONTESTED: dict[str, list[tuple[str, dict[str, float], str]]] = {
    "GRD1983": [
        (
            "formal_request",
            {"n": 0.4},
            "The acting government was the target; consent came from the governor-general, in a"
            " letter whose date is doubtful.",
        )
    ],
    "HUN1956": [
        (
            "outcome_class",
            {"imposed": 0.3},
            "The government that asked in October was not the one overthrown in November.",
        )
    ],
    "POL1981": [
        (
            "formal_request",
            {"y": 0.4},
            "The Politburo read the Polish messages as a request; Jaruzelski disputed it.",
        )
    ],
    "CIV2002F": [
        (
            "outcome_class",
            {"refused": 0.3},
            "Interposition and evacuation; the defence accord itself was not activated.",
        )
    ],
    "TLS2006": [
        (
            "requester_in_power_90d",
            {"y": 0.5},
            "The prime minister fell, the president stayed.",
        )
    ],
    "PRT1961": [
        ("formal_request", {"y": 0.3}, "London held that Lisbon asked for diplomacy only.")
    ],
    "SLE2000": [("date_request", {}, "The request is not dated in the sources.")],
    "TJK1992": [
        ("date_request", {}, "Request and start of the mission are dated differently by source.")
    ],
    "KWT1990": [
        ("outcome_class", {}, "Over in a day; the state was restored by another coalition.")
    ],
}


def quoted(text: str) -> str:
    """Return a double-quoted YAML scalar."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def scalar(text: str) -> str:
    """Return plain numbers and plain words as they are, everything else quoted."""
    return text if re.fullmatch(r"[a-z_]+|-?\d+(\.\d+)?", text) else quoted(text)


def read_sources(path: Path) -> dict[str, tuple[str, str, str]]:
    """Return id → (what, date, address) from the table of sources."""
    rows = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        cells = [c.strip() for c in line.strip().strip("|").split(" | ")]
        if len(cells) == 4 and re.fullmatch(r"[A-Z]\d{2}", cells[0]):
            rows[cells[0]] = (cells[1], cells[2], cells[3])
    return rows


def case_yaml(row: pd.Series, coded: dict[str, tuple[str, str, str]], used: set[str]) -> str:
    """Return the YAML text of one case and add its source ids to ``used``."""
    own = row["sources"].split()
    used.update(own)
    out = [
        f"id: {row['id']}",
        f"title: {quoted(row['title'])}",
        f"year: {row['year']}",
        f"requester: {{name: {quoted(row['requester'])}, iso3: {row['requester_iso3']},"
        f" cow: {row['requester_cow']}}}",
        f"helper: {quoted(row['org_or_patron'])}",
    ]
    if row["lead_iso3"]:
        out.append(
            f"lead: {{name: {quoted(row['lead_power'])}, iso3: {row['lead_iso3']},"
            f" cow: {row['lead_cow']}}}"
        )
    out.append(f"confidence: {row['case_confidence']}")
    if row["id"] in SET_ASIDE:
        out.append(f"set_aside: {quoted(SET_ASIDE[row['id']])}")
    out.append("fields:")
    for field in FIELDS:
        if field == "cow_contiguity_code":
            # The long table carries the yes/no form; the code has the same standing.
            value = row[field]
            _, confidence, source = coded.get("contiguous_lead", ("", "", ""))
        elif field == "trigger_detail":
            value, confidence, source = row[field], row["case_confidence"], JUDGED
        else:
            value, confidence, source = coded.get(field, ("", "", ""))
        if not value:
            continue
        ids = ["judgement"] if source == JUDGED else [s for s in source.split() if s != "U"]
        used.update(set(ids) - {"judgement"})
        shown = quoted(value) if field.startswith("date_") else scalar(value)
        out.append(
            f"  {field}: {{value: {shown}, confidence: {confidence}, sources: [{', '.join(ids)}]}}"
        )
    if row["id"] in CONTESTED:
        out.append("contested:")
        for field, alternatives, why in CONTESTED[row["id"]]:
            shown = ", ".join(f"{k}: {v}" for k, v in alternatives.items())
            out += [
                f"  - field: {field}",
                f"    alternatives: {{{shown}}}",
                f"    why: {quoted(why)}",
            ]
    out.append(f"sources: [{', '.join(own)}]")
    if row["notes"]:
        out.append(f"notes: {quoted(row['notes'])}")
    return "\n".join(out) + "\n"


def compare(folder: Path, wide: pd.DataFrame) -> int:
    """Print every difference between computed columns and the tables; return their number."""
    from foedus.casebook import load_casebook

    frame = load_casebook().frame().set_index("id")
    differences = 0
    for _, row in wide.iterrows():
        mine = frame.loc[row["id"]]
        for column in (
            "days_request_to_decision",
            "days_request_to_arrival",
            "months_to_withdrawal",
            "contiguous_lead",
            "capability_class",
            "troops_deployed",
        ):
            value = mine[column]
            theirs = row[column]
            if pd.isna(value):
                shown = ""
            elif isinstance(value, str):
                shown = value
            elif theirs in ("y", "n"):
                shown = "ny"[int(value)]
            else:
                shown = f"{float(value):g}"
                theirs = f"{float(theirs):g}" if theirs else theirs
            if shown != theirs:
                differences += 1
                print(f"{row['id']}.{column}: table {theirs!r}, computed {shown!r}")
    return differences


def main() -> int:
    """Write the files, then compare what is computed from them with the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("package", type=Path)
    parser.add_argument("--overwrite", action="store_true")
    arguments = parser.parse_args()
    wide = pd.read_csv(arguments.folder / "casebook.csv", dtype=str, keep_default_na=False)
    long = pd.read_csv(arguments.folder / "casebook_long.csv", dtype=str, keep_default_na=False)
    target = arguments.package / "cases"
    if any(target.glob("*.yaml")) and not arguments.overwrite:
        print(f"{target} has cases; --overwrite replaces them", file=sys.stderr)
        return 2
    target.mkdir(parents=True, exist_ok=True)
    used: set[str] = {"D01"}
    for _, row in wide.iterrows():
        mine = long[long["id"] == row["id"]]
        coded = {
            field: (value, confidence, source)
            for field, value, confidence, source in zip(
                mine["field"], mine["value"], mine["confidence"], mine["source"], strict=True
            )
        }
        text = case_yaml(row, coded, used)
        (target / f"{row['id']}.yaml").write_text(text, encoding="utf-8")
    sources = read_sources(arguments.folder / "casebook_sources.md")
    lines = ["# Source id: what it says, its date, where it is. Only ids that a case names."]
    for key in sorted(used):
        what, date, address = sources[key]
        lines.append(f"{key}:")
        lines.append(f"  what: {quoted(what)}")
        lines.append(f"  date: {quoted(date)}")
        lines.append(f"  address: {quoted(address)}")
    (arguments.package / "sources.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(wide)} cases, {len(used)} sources, {compare(arguments.folder, wide)} differences")
    return 0


if __name__ == "__main__":
    sys.exit(main())
