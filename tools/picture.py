"""Draw the README's picture from a real forecast of Kazakhstan 2022.

    python tools/picture.py            # 16,000 runs; reuses those on disk

It writes ``docs/images/kazakhstan-2022.svg``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import foedus
from foedus.ensemble.progress import for_stream
from foedus.report.brief import fan_chart
from foedus.report.plots import sheet_svg

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "kazakhstan-2022.svg"
SHOWN = ("crowd", "deaths_security", "arrests", "troops_present")
AS_OF = "2022-01-07"


def main() -> None:
    """Forecast, draw, write."""
    case = foedus.load_case("kazakhstan-2022")
    forecast = foedus.forecast(
        case, as_of=AS_OF, runs=16_000, seed=1, progress=for_stream(sys.stderr)
    )
    fans = [
        fan_chart(fan, forecast.evidence)
        for key in SHOWN
        for fan in forecast.fans
        if fan.key == key and np.isfinite(fan.quantiles).all()
    ]
    if not fans:
        sys.exit("the forecast refuses to answer, so there is nothing to draw")
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(sheet_svg(fans, forecast.as_of), encoding="utf-8")
    print(PICTURE)


if __name__ == "__main__":
    main()
