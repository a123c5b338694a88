// The outlines of countries, and the projection that shows a region of them.

import { fetchJSON } from "./api.js";

let found = null;

// Read once: {countries: [{name, rings}], arcs, paths(project, own)}; arcs are [lon, lat] lists.
export function outlines() {
  found ??= fetchJSON("/static/outlines.json").then((raw) => {
    const arcs = raw.arcs.map((flat) => {
      const line = [];
      let [x, y] = [0, 0];
      for (let i = 0; i < flat.length; i += 2) {
        x += flat[i];
        y += flat[i + 1];
        line.push([x / raw.scale, y / raw.scale]);
      }
      return line;
    });
    const land = { arcs, countries: raw.countries };
    land.paths = (project, own) => paths(land, project, own);
    return land;
  }).catch((error) => {
    found = null;
    throw error;
  });
  return found;
}

function ringOf(land, ring) {
  return ring.flatMap((i) => (i >= 0 ? land.arcs[i] : [...land.arcs[~i]].reverse()));
}

// The name of the country that holds most of some places ({lon, lat}), or null.
export function whereIs(land, places) {
  let best = null;
  let most = 0;
  for (const country of land.countries) {
    const rings = country.rings.map((r) => ringOf(land, r));
    const inside = places.filter((p) => rings.filter((r) => holds(r, p.lon, p.lat)).length % 2).length;
    if (inside > most) [best, most] = [country.name, inside];
  }
  return best;
}

function holds(ring, x, y) {
  let inside = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
    const [[a, b], [c, d]] = [ring[i], ring[j]];
    if (b > y !== d > y && x < ((c - a) * (y - b)) / (d - b) + a) inside = !inside;
  }
  return inside;
}

// SVG paths of all other countries, of `own`, and of the borders (each once).
function paths(land, project, own) {
  const lines = land.arcs.map((arc) => arc.map(([x, y]) => project(x, y)));
  const { width, height } = project;
  const out = { others: "", own: "" };
  const used = new Set();
  for (const country of land.countries) {
    for (const ring of country.rings) {
      const points = ring.flatMap((i) => (i >= 0 ? lines[i] : [...lines[~i]].reverse()));
      if (points.some((p) => p === null)) continue; // reaches the far side of the globe
      const xs = points.map((p) => p[0]);
      const ys = points.map((p) => p[1]);
      if (high(xs) < 0 || low(xs) > width || high(ys) < 0 || low(ys) > height) continue;
      ring.forEach((i) => used.add(i >= 0 ? i : ~i));
      out[country.name === own ? "own" : "others"] += `M${points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L")}Z`;
    }
  }
  let borders = "";
  for (const i of used) {
    let pen = false;
    land.arcs[i].forEach(([lon], k) => {
      const [x, y] = lines[i][k];
      // the file's cut of the world at 180 degrees is not a border
      const cut = k && Math.abs(lon) > 179.99 && Math.abs(land.arcs[i][k - 1][0]) > 179.99;
      borders += `${pen && !cut ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
      pen = true;
    });
  }
  return { ...out, borders };
}

function low(list) {
  return list.reduce((a, b) => Math.min(a, b), Infinity);
}
function high(list) {
  return list.reduce((a, b) => Math.max(a, b), -Infinity);
}

// Lambert's azimuthal equal-area projection, centred on some points and scaled to show them all.
// project(lon, lat) → [x, y], or null near the far side of the globe.
export function projection(points, width, height) {
  const rad = Math.PI / 180;
  const sum = [0, 0, 0];
  for (const p of points) {
    sum[0] += Math.cos(p.lat * rad) * Math.cos(p.lon * rad);
    sum[1] += Math.cos(p.lat * rad) * Math.sin(p.lon * rad);
    sum[2] += Math.sin(p.lat * rad);
  }
  const lon0 = Math.atan2(sum[1], sum[0]);
  const lat0 = Math.atan2(sum[2], Math.hypot(sum[0], sum[1]));
  const flat = (lon, lat) => {
    const [l, f] = [lon * rad - lon0, lat * rad];
    const c = Math.sin(lat0) * Math.sin(f) + Math.cos(lat0) * Math.cos(f) * Math.cos(l);
    if (c < -0.95) return null;
    const k = Math.sqrt(2 / (1 + c));
    return [k * Math.cos(f) * Math.sin(l), -k * (Math.cos(lat0) * Math.sin(f) - Math.sin(lat0) * Math.cos(f) * Math.cos(l))];
  };
  const flats = points.map((p) => flat(p.lon, p.lat)).filter(Boolean);
  const xs = flats.map((p) => p[0]);
  const ys = flats.map((p) => p[1]);
  const [x0, x1, y0, y1] = [low(xs), high(xs), low(ys), high(ys)];
  const span = Math.max((x1 - x0) / (width * 0.74), (y1 - y0) / (height * 0.72), 0.06 / width);
  const [cx, cy] = [(x0 + x1) / 2, (y0 + y1) / 2];
  const project = (lon, lat) => {
    const p = flat(lon, lat);
    return p && [width / 2 + (p[0] - cx) / span, height / 2 + (p[1] - cy) / span];
  };
  return Object.assign(project, { width, height, degrees: Math.max(x1 - x0, y1 - y0) / rad });
}
