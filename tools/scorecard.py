"""Write the page of the flagship's scores, good or bad.

python tools/scorecard.py     # 16,000 runs a date; those on disk are not made again
"""

from __future__ import annotations

import sys
from pathlib import Path

from foedus import forecast, load_case, score
from foedus.ensemble.progress import for_stream

CASE = "kazakhstan-2022"
DATES = ("2022-01-05", "2022-01-07")
PAGE = Path(__file__).parent.parent / "docs" / "benchmarks" / "kazakhstan.md"

HEAD = """# The worked case, scored

Written by `python tools/scorecard.py`. Kazakhstan, January 2022, as it was known on two days,
against what came of it. Lower is better in every score; a dash means that a baseline says nothing
of the question. *Settled* questions were already answered by a fact known on the day. The authors
knew how the case ended (the members' stated positions, too, are elicited by them): dates are kept
apart, minds are not, so these scores are no track record.
"""


def main() -> None:
    """Score each date and write the page."""
    case = load_case(CASE)
    parts = [HEAD]
    for date in DATES:
        result = forecast(case, as_of=date, progress=for_stream(sys.stderr))
        scores = score(case, forecast=result)
        command = f"foedus score {CASE} --as-of {date}"
        parts.append(f"## As of {date}\n\n`{command}`\n\n```text\n{scores.table()}\n```\n")
    PAGE.write_text("\n".join(parts), encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
