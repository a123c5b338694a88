// The map: unrest in the cities and troops of the members, day by day. No tiles, no network:
// the outlines come from our own file (tools/outlines.py), drawn as SVG.

import { addDays, clear, day, daysBetween, h, number, percent } from "./dom.js";
import { outlines, projection, whereIs } from "./outlines.js";

const LEVELS = { q50: "middle", q05: "low (1 run in 20 is below)", q95: "high (1 run in 20 is above)" };
// One hue from light to dark, readable in grey and for colour-blind people.
const SHADES = ["#fff3d6", "#fdd49e", "#fc8d59", "#d7301f", "#7f0000"];
const STEPS = [0.05, 0.25, 0.5, 0.75];
const STEP_MS = 700;
const BEND = 0.16; // of an arrow

export async function mount(element, context) {
  if (!document.querySelector('link[href="/static/map.css"]'))
    document.head.append(h("link", { rel: "stylesheet", href: "/static/map.css" }));
  const land = await outlines();
  const theCase = context.case;
  const last = daysBetween(theCase.start, theCase.end);
  const cities = Object.entries(theCase.places).map(([id, p]) => ({ id, ...p }));
  const members = theCase.alliance.members.map((m) => ({ ...m, id: m.actor, name: theCase.actors[m.actor].name }));
  const home = members.find((m) => m.id === theCase.alliance.requester);
  const senders = members.filter((m) => m.id !== theCase.alliance.requester);
  // A made-up case has places too, but no country.
  const homeland = theCase.requester_iso3 ? whereIs(land, cities) : null;
  let playing = null;

  const slider = h("input", { type: "range", min: 0, max: last, step: 1, id: "map-day", oninput: () => go(Number(slider.value)) });
  const shownDay = h("output", { for: "map-day" });
  const play = h("button", { type: "button", id: "map-play", onclick: () => (playing ? stop() : start()) }, "Play");
  const level = h("select", { id: "map-level", onchange: () => context.state.set({ "map.level": level.value === "q50" ? null : level.value }) },
    Object.entries(LEVELS).map(([value, text]) => h("option", { value }, text)));
  const zoom = h("select", { id: "map-zoom", onchange: () => context.state.set({ "map.zoom": zoom.value }) },
    h("option", { value: "alliance" }, "the alliance"), h("option", { value: "country" }, "the country"));
  const note = h("p", { class: "map-note", role: "status" });
  const frame = h("div", { class: "map-frame" });
  const legend = h("div", { class: "map-legend" });
  const cityRows = h("tbody", {});
  const memberRows = h("tbody", {});
  const caption = h("caption", {});
  const caption2 = h("caption", {});
  clear(
    element,
    h("div", { class: "map-controls" },
      h("div", { class: "map-when" }, play, h("label", { for: "map-day" }, "Day"), slider, shownDay),
      h("label", { for: "map-level" }, "Numbers ", level),
      h("label", { for: "map-zoom" }, "Show ", zoom)),
    note, frame, legend,
    h("div", { class: "map-tables", id: "map-text" },
      table(caption, ["City", "Chance of unrest", "People in the streets", "5% to 95%"], cityRows),
      table(caption2, ["Member", "Chance of troops there", "Troops in the country", "5% to 95%"], memberRows)),
    h("p", { class: "map-source" }, "Unrest: more than 50 people in the streets. Quantiles are over the runs on that day, separately for each number. Outlines: Natural Earth 4.1, public domain; they show de facto borders and take no side."),
  );

  function chosen() {
    const date = context.state.get("map.day", context.asOf);
    const at = /^\d{4}-\d{2}-\d{2}$/.test(date) ? daysBetween(theCase.start, date) : 0;
    return Math.min(last, Math.max(0, at || 0));
  }
  function go(at) {
    const date = addDays(theCase.start, at);
    context.state.set({ "map.day": date === context.asOf ? null : date });
  }
  function start() {
    if (chosen() >= last) go(0);
    playing = setInterval(() => (chosen() >= last ? stop() : go(chosen() + 1)), STEP_MS);
    play.textContent = "Pause";
  }
  function stop() {
    clearInterval(playing);
    playing = null;
    play.textContent = "Play";
  }

  function far() {
    const wide = projection([...cities, ...members], 100, 100);
    return context.state.get("map.zoom", wide.degrees > 70 ? "country" : "alliance");
  }

  let base = null; // the part that does not change with the day: {key, project, paths}
  function drawn(width, height) {
    const key = `${far()} ${width} ${height}`;
    if (base?.key === key) return base;
    const project = projection(far() === "country" ? cities : [...cities, ...members], width, height);
    base = { key, project, ...land.paths(project, homeland) };
    return base;
  }

  function draw() {
    const at = chosen();
    const date = addDays(theCase.start, at);
    const pick = context.state.get("map.level", "q50") in LEVELS ? context.state.get("map.level", "q50") : "q50";
    const bundle = context.forecast;
    const data = bundle?.before?.map || bundle?.map;
    slider.value = at;
    level.value = pick;
    zoom.value = far();
    const told = `${day(date)}, ${date > context.asOf ? "forecast" : "looking back"}`;
    slider.setAttribute("aria-valuetext", told);
    shownDay.textContent = told;
    note.textContent = !data
      ? "The forecast is being made; the map will then be filled in."
      : data.refused
        ? "There are no answers, because too few runs agree with the evidence; the map shows places only."
        : bundle.before
          ? `Before the evidence: too few runs agree with what was known ${context.coming ? "so far; more are being made" : "to answer"}.`
          : "";
    const city = (c) => data?.places[c.id] && { chance: data.places[c.id].unrest[at], ...atDay(data.places[c.id].crowd, at) };
    const sent = (m) => data?.members[m.id] && { chance: data.members[m.id].present[at], ...atDay(data.members[m.id].troops, at) };
    const largest = Math.max(1, ...cities.flatMap((c) => data?.places[c.id]?.crowd.q95 || []));
    const most = Math.max(1, ...senders.flatMap((m) => data?.members[m.id]?.troops.q95 || []));
    paint(city, sent, pick, largest, most, date);
    const row = (name, x) => h("tr", {}, h("th", { scope: "row" }, name),
      h("td", {}, x ? percent(x.chance) : "–"), h("td", {}, x ? people(x[pick]) : "–"),
      h("td", {}, x ? `${people(x.q05)} to ${people(x.q95)}` : "–"));
    caption.textContent = `Unrest on ${day(date)}`;
    caption2.textContent = `Allied troops on ${day(date)}`;
    clear(cityRows, cities.map((c) => row(c.name, city(c))));
    clear(memberRows, senders.map((m) => row(m.name, sent(m))));
  }

  function paint(city, sent, pick, largest, most, date) {
    const width = Math.max(280, Math.round(frame.clientWidth || 800));
    const height = Math.round(Math.min(560, Math.max(300, width * 0.56)));
    const { project, others, own, borders } = drawn(width, height);
    const text = new Labels(width, height);
    const shapes = [];
    const names = [];
    const scale = Math.max(12, width / 34);
    const sizeOf = (c) => 4 + scale * Math.sqrt((city(c)?.[pick] || 0) / largest);
    const goal = project(home.lon, home.lat);
    // An arrow ends at the rim of the city it points at, not under it.
    const under = cities.filter((c) => distance(project(c.lon, c.lat), goal) < sizeOf(c)).map(sizeOf);
    const rim = Math.max(4, ...under) + 1;
    for (const m of senders) {
      const x = sent(m);
      const from = project(m.lon, m.lat);
      const troops = x ? x[pick] : 0;
      if (troops) text.line(from, goal);
      if (x) shapes.push(arrow(from, goal, troops ? 1.5 + 12 * Math.sqrt(troops / most) : 0, x.chance, `${m.name}: ${people(troops)} troops, chance ${percent(x.chance)}`, { rim }));
    }
    for (const m of members) {
      const [x, y] = project(m.lon, m.lat);
      const s = sent(m);
      const words = m === home ? m.name : s && s[pick] ? `${m.name} ${people(s[pick])}` : m.name;
      shapes.push(h("rect", { x: x - 4, y: y - 4, width: 8, height: 8, class: m === home ? "home" : "member" }));
      text.block(x - 5, y - 5, 10, 10);
      if (m !== home) names.push([1, x, y, 6, words, "member", x < goal[0]]);
    }
    for (const c of [...cities].sort((a, b) => b.population - a.population)) {
      const x = city(c);
      const [px, py] = project(c.lon, c.lat);
      const count = x ? x[pick] : 0;
      const r = sizeOf(c);
      const dot = h("circle", { cx: px, cy: py, r, class: "city", "data-city": c.id, fill: x ? shade(x.chance) : "#ffffff" },
        h("title", {}, x ? `${c.name}: chance of unrest ${percent(x.chance)}, ${number(Math.round(count))} people` : c.name));
      shapes.push(dot);
      text.block(px - 0.8 * r, py - 0.8 * r, 1.6 * r, 1.6 * r);
      // First the cities where unrest is likely, the largest circle first.
      names.push([x?.chance >= STEPS[0] ? -r - x.chance : 2, px, py, r + 2, x ? `${c.name} ${percent(x.chance)}` : c.name, "place"]);
    }
    const labels = names.sort((a, b) => a[0] - b[0]).map(([, x, y, gap, words, ...kind]) =>
      text.place(x, y, gap, words, ...kind) || text.place(x, y, gap, words.replace(/ [\d.,<>]+%?$/, ""), ...kind)); // without its number
    clear(
      frame,
      h("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-describedby": "map-text",
        "aria-label": `Map of ${theCase.title} on ${day(date)}; the tables below say the same in words` },
      h("rect", { x: 0, y: 0, width, height, class: "sea" }),
      h("path", { d: others, class: "land" }), h("path", { d: own, class: "homeland" }),
      h("path", { d: borders, class: "borders" }), shapes, labels),
    );
    showLegend(cities.some(city) ? [largest, most, scale] : null);
  }

  let lastLegend = "";
  function showLegend(sizes) {
    if (String(sizes) === lastLegend) return;
    lastLegend = String(sizes);
    if (!sizes) {
      clear(legend);
      return;
    }
    const [largest, most, scale] = sizes;
    const bounds = ["under 5%", "5–25%", "25–50%", "50–75%", "over 75%"];
    const crowds = [tidy(largest / 20), tidy(largest)];
    const troops = [tidy(most / 10), tidy(most)];
    clear(
      legend,
      h("span", { class: "key" }, "Chance of unrest: ", SHADES.map((fill, i) =>
        h("span", { class: "swatch" }, h("svg", { width: 16, height: 16, "aria-hidden": true }, h("circle", { cx: 8, cy: 8, r: 7, fill, class: "city" })), bounds[i]))),
      h("span", { class: "key" }, "People in the streets: ", crowds.map((n) => {
        const r = 4 + scale * Math.sqrt(n / largest);
        return h("span", { class: "swatch" }, h("svg", { width: 2 * r + 4, height: 2 * r + 4, "aria-hidden": true }, h("circle", { cx: r + 2, cy: r + 2, r, fill: "#ffffff", class: "city" })), number(n));
      })),
      h("span", { class: "key" }, "Troops: ", troops.map((n) =>
        h("span", { class: "swatch" }, h("svg", { width: 44, height: 18, "aria-hidden": true }, arrow([2, 9], [42, 9], 1.5 + 12 * Math.sqrt(n / most), 1, null, { bend: 0, rim: 0 })), number(n)))),
    );
  }

  const watcher = new ResizeObserver(() => {
    if (Math.round(frame.clientWidth) !== Number(frame.firstChild?.getAttribute("width"))) draw();
  });
  watcher.observe(frame);
  context.wantForecast();
  draw();
  return {
    update(changed) {
      if (changed.has("asof") || changed.has("forecast") || [...changed].some((n) => n.startsWith("map."))) draw();
    },
    unmount() {
      stop();
      watcher.disconnect();
    },
  };
}

function table(caption, heads, body) {
  return h("div", { class: "map-table" }, h("table", {}, caption,
    h("thead", {}, h("tr", {}, heads.map((t) => h("th", { scope: "col" }, t)))), body));
}

function atDay(bands, at) {
  return Object.fromEntries(Object.entries(bands).map(([k, v]) => [k, v[at]]));
}

function people(x) {
  return number(Math.round(x));
}

function shade(chance) {
  return SHADES[STEPS.filter((s) => chance >= s).length];
}

function tidy(x) {
  return Math.max(1, Number(x.toPrecision(1)));
}

// A bent arrow, `wide` pixels wide; broken if most runs have no troops there.
function arrow([x0, y0], [gx, gy], wide, chance, words, { bend = BEND, rim = 0 } = {}) {
  let [x1, y1] = [gx, gy];
  const [dx, dy] = [x1 - x0, y1 - y0];
  const length = Math.hypot(dx, dy) || 1;
  const [mx, my] = bent([x0, y0], [x1, y1], bend);
  if (!wide) {
    return h("path", { d: `M${x0} ${y0}Q${mx} ${my} ${x1} ${y1}`, class: "route none" }, words && h("title", {}, words));
  }
  const head = Math.min(6 + 1.4 * wide, 0.6 * length);
  const [ux, uy] = norm(x1 - mx, y1 - my);
  if (length > 2 * rim) [x1, y1] = [x1 - ux * rim, y1 - uy * rim];
  const [bx, by] = [x1 - ux * head, y1 - uy * head];
  const half = 3 + wide * 0.8;
  return h("g", { class: chance < 0.5 ? "route unlikely" : "route likely" }, words && h("title", {}, words),
    h("path", { d: `M${x0} ${y0}Q${mx} ${my} ${bx} ${by}`, "stroke-width": wide.toFixed(2), class: "shaft" }),
    h("polygon", { points: `${x1},${y1} ${bx - uy * half},${by + ux * half} ${bx + uy * half},${by - ux * half}` }));
}

// A bent arrow as two straight lines.
function bent([x0, y0], [x1, y1], bend = BEND) {
  return [(x0 + x1) / 2 + (y1 - y0) * bend, (y0 + y1) / 2 - (x1 - x0) * bend];
}

function distance([a, b], [c, d]) {
  return Math.hypot(a - c, b - d);
}

function norm(x, y) {
  const n = Math.hypot(x, y) || 1;
  return [x / n, y / n];
}

const RULER = document.createElement("canvas").getContext("2d");

// Names where there is space for them; the tables hold them all.
class Labels {
  constructor(width, height) {
    this.taken = [];
    this.lines = [];
    this.width = width;
    this.height = height;
  }

  block(x, y, w, hgt) {
    this.taken.push([x, y, w, hgt]);
  }

  // An arrow, which names of members and their numbers avoid where they can.
  line(from, to) {
    const [mx, my] = bent(from, to);
    for (let t = 0; t <= 1; t += 0.04) {
      const at = (a, m, b) => (1 - t) ** 2 * a + 2 * t * (1 - t) * m + t * t * b;
      this.lines.push([at(from[0], mx, to[0]) - 3, at(from[1], my, to[1]) - 3, 6, 6]);
    }
  }

  place(x, y, gap, words, kind, leftFirst = false) {
    RULER.font = `${kind === "member" ? "600 " : ""}12px system-ui, sans-serif`; // as in map.css
    const w = RULER.measureText(words).width + 3;
    const tall = 14;
    const sides = [[x + gap, y - tall / 2], [x - gap - w, y - tall / 2]];
    const middle = Math.max(1, Math.min(x - w / 2, this.width - w - 1));
    const tries = [...(leftFirst ? sides.reverse() : sides), ...[0, 6, 12].flatMap((d) => [[middle, y - gap - tall - d], [middle, y + gap + d]])];
    const on = ([a, b]) => ([p, q, r, s]) => a < p + r && p < a + w && b < q + s && q < b + tall;
    const inside = tries.filter(([a, b]) => a >= 1 && b >= 1 && a + w < this.width && b + tall < this.height && !this.taken.some(on([a, b])));
    const free = (kind === "member" && inside.find((at) => !this.lines.some(on(at)))) || inside[0];
    if (!free) return null;
    this.taken.push([...free, w, tall]);
    const left = free[0] + w <= x - gap + 0.01; // ends at its dot, whatever the width of the letters
    const at = left ? { x: x - gap - 1, "text-anchor": "end" } : { x: free[0] + 1 };
    return h("text", { ...at, y: free[1] + 11, class: `name ${kind}` }, words);
  }
}
