"""Draw what the answers of Kazakhstan 2022 depend on, from its real runs; time both commands.

    python tools/effects.py            # 16,000 runs; reuses those on disk

It writes ``docs/images/sensitivity/*.svg`` and prints the figures that the pages quote.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import foedus
from foedus.ensemble.progress import for_stream
from foedus.errors import InputError
from foedus.report.discovery_view import discovery_svg, sentence
from foedus.report.sensitivity_view import named, tornado_svg
from foedus.weighing.weighed import make_runs

PICTURES = Path(__file__).parents[1] / "docs" / "images" / "sensitivity"
QUESTION = "hundred-deaths"
AS_OF = "2022-01-07"


def main() -> None:
    """Measure, draw, write, print."""
    case = foedus.load_case("kazakhstan-2022")
    ensemble = make_runs(case, AS_OF, runs=16_000, seed=1, progress=for_stream(sys.stderr))
    PICTURES.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    found = foedus.sensitivity(case, as_of=AS_OF, ensemble=ensemble)
    print(f"sensitivity: {time.perf_counter() - began:.0f} s for {found.runs:,} runs")
    for q in found.questions:
        chance = "" if q.before.chance is None else f"; chance {q.before.chance.share:.0%}"
        print(f"  {q.id}: before {named(q.before)}; after {named(q.after)}{chance}")
    for after, name in ((False, "before"), (True, "after")):
        path = PICTURES / f"tornado-{name}.svg"
        path.write_text(tornado_svg(found, QUESTION, after=after), encoding="utf-8")
        print(path)
    for before in (True, False):
        began = time.perf_counter()
        try:
            box = foedus.discover(
                case, as_of=AS_OF, ensemble=ensemble, question=QUESTION, before=before
            )
        except InputError as error:
            print(f"discover: {error}")
            continue
        print(f"discover: {time.perf_counter() - began:.0f} s. {sentence(box)}")
        path = PICTURES / f"discovery-{'before' if before else 'after'}.svg"
        path.write_text(discovery_svg(box), encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
