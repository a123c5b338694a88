"""Make the outlines of the map that ``foedus serve`` shows, which needs no network.

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    python tools/outlines.py package/countries-50m.json

The source is Natural Earth 4.1, 1:50m, Admin 0 countries (public domain,
https://www.naturalearthdata.com/about/terms-of-use/) as packed by world-atlas 2.0.2 (ISC licence).
It writes ``src/foedus/app/static/outlines.json``: shared borders are kept once,
lines are simplified (Douglas and Peucker 1973, doi:10.3138/FM57-6770-U75U-7727), and specks of
islands and Antarctica are left out.
"""

from __future__ import annotations

import json
import sys
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

OUT = Path(__file__).parents[1] / "src" / "foedus" / "app" / "static" / "outlines.json"
#: Units per degree in the file.
SCALE = 100
#: How far a simplified line may deviate from the original, in degrees.
TOLERANCE = 0.015
#: Smallest ring that is kept, in square degrees, except the largest ring of a country.
SPECK = 0.02
LEFT_OUT = ("Antarctica",)

Line = NDArray[np.float64]


def decoded(topology: dict[str, Any]) -> list[Line]:
    """Return the arcs of a TopoJSON as arrays of longitude and latitude, each (point, 2)."""
    scale, move = (np.array(topology["transform"][k]) for k in ("scale", "translate"))
    return [np.cumsum(np.array(arc), axis=0) * scale + move for arc in topology["arcs"]]


def simplified(line: Line, tolerance: float) -> Line:
    """Return the points of a line that keep it within ``tolerance``; both ends stay."""
    keep = np.zeros(len(line), dtype=bool)
    keep[[0, -1]] = True
    open_parts = [(0, len(line) - 1)]
    while open_parts:
        first, last = open_parts.pop()
        if last - first < 2:
            continue
        distance = _distance(line[first + 1 : last], line[first], line[last])
        far = int(distance.argmax())
        if distance[far] > tolerance:
            middle = first + 1 + far
            keep[middle] = True
            open_parts += [(first, middle), (middle, last)]
    return line[keep]


def _distance(points: Line, a: Line, b: Line) -> Line:
    """Return the distance of points from the segment a to b; longitudes shrink with latitude."""
    shrink = np.array([np.cos(np.radians(a[1])), 1.0])
    p, d = (points - a) * shrink, (b - a) * shrink
    length = float(d @ d)
    along = np.clip(p @ d / length, 0.0, 1.0) if length else np.zeros(len(p))
    return np.asarray(np.hypot(*(p - along[:, None] * d).T))


def area(ring: list[int], arcs: list[Line]) -> float:
    """Return the area of a ring in square degrees."""
    parts = [arcs[i] if i >= 0 else arcs[~i][::-1] for i in ring]
    x, y = np.concatenate(parts).T
    return float(abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2)


def main(source: str) -> None:
    """Read the TopoJSON, simplify, write."""
    topology = json.loads(Path(source).read_text(encoding="utf-8"))
    arcs = decoded(topology)
    countries: list[dict[str, Any]] = []
    for shape in topology["objects"]["countries"]["geometries"]:
        if shape["properties"]["name"] in LEFT_OUT:
            continue
        polygons = shape["arcs"] if shape["type"] == "MultiPolygon" else [shape["arcs"]]
        rings = [ring for polygon in polygons for ring in polygon]
        sizes = [area(ring, arcs) for ring in rings]
        kept = [r for r, s in zip(rings, sizes, strict=True) if s >= SPECK or s == max(sizes)]
        countries.append({"name": shape["properties"]["name"], "rings": kept})
    countries.sort(key=lambda c: str(c["name"]))
    used = sorted({i if i >= 0 else ~i for c in countries for r in c["rings"] for i in r})
    number = {old: new for new, old in enumerate(used)}
    for country in countries:
        country["rings"] = [
            [number[i] if i >= 0 else ~number[~i] for i in ring] for ring in country["rings"]
        ]
    result = {
        "source": "Natural Earth 4.1, 1:50m countries (public domain), by way of world-atlas 2.0.2",
        "made_by": "tools/outlines.py",
        "scale": SCALE,
        "arcs": [_deltas(simplified(arcs[old], TOLERANCE)) for old in used],
        "countries": countries,
    }
    text = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
    OUT.write_text(text + "\n", encoding="utf-8")
    points = sum(len(arc) // 2 for arc in result["arcs"])  # type: ignore[arg-type, misc]
    print(f"{OUT.name}: {len(countries)} countries, {points:,} points, {len(text):,} characters")


def _deltas(line: Line) -> list[int]:
    """Return whole units as a flat list: the first point, then steps from point to point."""
    units = np.rint(line * SCALE).astype(int)
    steps = np.diff(units, axis=0, prepend=np.zeros((1, 2), dtype=int))
    moved = np.any(steps != 0, axis=1)
    moved[0] = True
    flat = [int(v) for v in steps[moved].ravel()]
    assert list(accumulate(flat[::2]))[-1] == units[-1, 0]
    return flat


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
