"""Make the pictures of the docs small and stable, so that a new one is a small change.

    python tools/pictures.py           # all pictures under docs/
    python tools/pictures.py --check   # exit status 1 if one is not small

An SVG loses its metadata; its coordinates are rounded to a tenth of a point, and points of a line
that lie within that distance of their neighbours' chord are removed (Douglas and Peucker 1973, doi
10.3138/FM57-6770-U75U-7727). A raster plot gets a palette. So does a screenshot, which becomes a
lossless WebP: its text stays sharp, and it takes half of the bytes of a lossy one. The Makefile's
targets that draw pictures call this afterwards.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

DOCS = Path(__file__).parents[1] / "docs"
PHOTOGRAPHS = DOCS / "images" / "app"
#: In points: a third of a device pixel on a laptop screen.
TOLERANCE = 0.1
#: Colours of a plot's palette; a plot has a dozen, and shades of them where lines are smoothed.
COLOURS = 96
#: Colours of a screenshot's palette: as many as a palette can have.
PAGE_COLOURS = 256

_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
_PATH = re.compile(r'(?<=\sd=")[^"]+(?=")')
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)


def small_svg(text: str) -> str:
    """Return an SVG with fewer and shorter numbers that looks the same.

    Idempotent: rounding can bring a point nearer to a chord, so this repeats until nothing changes.
    """
    while (small := _smaller(text)) != text:
        text = small
    return text


def _smaller(text: str) -> str:
    text = _METADATA.sub("", text)
    text = _PATH.sub(lambda found: _path(found.group()), text)
    parts = re.split(r'((?<=\s)(?:x|y|width|height|points|viewBox|transform)="[^"]*")', text)
    parts[1::2] = [p if "scale" in p else _NUMBER.sub(_rounded, p) for p in parts[1::2]]
    return "".join(parts)


def _path(data: str) -> str:
    """Thin the straight runs of a path and round it; curves are only rounded."""
    tokens = re.findall(r"[A-Za-z]|-?[\d.]+(?:e-?\d+)?", data)
    if any(t.isalpha() and t not in "MLz" for t in tokens):
        return re.sub(r"\s+", " ", _NUMBER.sub(_rounded, data)).strip()
    out: list[str] = []
    for part in re.split(r"(?=[Mz])", " ".join(tokens)):
        numbers = re.findall(r"-?[\d.]+(?:e-?\d+)?", part)
        if numbers:
            points = thinned(np.array(numbers, dtype=np.float64).reshape(-1, 2))
            words = [f"{_short(x)} {_short(y)}" for x, y in points.tolist()]
            out.append(f"M{words[0]}" + "".join(f"L{w}" for w in words[1:]))
        elif part.strip():
            out.append("z")
    return "".join(out)


def thinned(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the points of a line without those within :data:`TOLERANCE` of the chord."""
    keep = np.zeros(len(points), dtype=bool)
    keep[[0, -1]] = True
    spans = [(0, len(points) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        inner = points[first + 1 : last] - points[first]
        chord = points[last] - points[first]
        length = float(np.hypot(*chord))
        if length > 0.0:
            along = np.clip(inner @ chord / length**2, 0.0, 1.0)
            away = np.hypot(*(inner - along[:, None] * chord).T)
        else:
            away = np.hypot(*inner.T)
        far = int(away.argmax())
        if away[far] > TOLERANCE:
            middle = first + 1 + far
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
    return points[keep]


def _rounded(found: re.Match[str]) -> str:
    return _short(float(found.group()))


def _short(value: float) -> str:
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def shrink(check: bool) -> list[Path]:
    """Shrink all pictures; return those that were not small."""
    found = []
    for path in sorted(DOCS.rglob("*.svg")):
        if "_build" in path.parts:
            continue
        text = path.read_text(encoding="utf-8")
        small = small_svg(text)
        if small != text:
            found.append(path)
            if not check:
                path.write_text(small, encoding="utf-8")
    found += [path for path in sorted(DOCS.glob("images/**/*.png")) if _shrink_png(path, check)]
    return found


def _shrink_png(path: Path, check: bool) -> bool:
    """Give a plot a palette, or make a screenshot WebP; return whether this was still needed."""
    from PIL import Image
    from PIL.Image import Dither

    with Image.open(path) as picture:
        plot = PHOTOGRAPHS not in path.parents
        if plot and picture.mode == "P":
            return False
        if check:
            return True
        if plot:
            small = picture.convert("RGB").quantize(COLOURS)
            small.save(path, optimize=True)
        else:
            small = picture.convert("RGB").quantize(PAGE_COLOURS, kmeans=2, dither=Dither.NONE)
            small.convert("RGB").save(
                path.with_suffix(".webp"), lossless=True, quality=100, method=6
            )
            path.unlink()
    return True


def main() -> None:
    """Shrink or check, and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing")
    check = parser.parse_args().check
    found = shrink(check)
    for path in found:
        print(path.relative_to(DOCS))
    sys.exit(int(check and bool(found)))


if __name__ == "__main__":
    main()
