// Charts by day with uPlot: fan charts with facts, and pairs of lines.

import uPlot from "./vendor/uPlot.esm.js";
import { addDays, amount, day, h, number } from "./dom.js";

const INK = "#1b1f24";
const FAINT = "#5c6670";

// A chart that follows the width of its container. `data`: [x, …series]. Returns {element, destroy}.
function plot(options, data, height = 210) {
  const place = h("div", { class: "plot" });
  let made = null;
  const observer = new ResizeObserver(() => {
    const width = Math.floor(place.clientWidth);
    if (width < 40) return;
    if (made) made.setSize({ width, height });
    else made = new uPlot({ ...options, width, height }, data, place);
  });
  observer.observe(place);
  return {
    element: place,
    destroy() {
      observer.disconnect();
      if (made) made.destroy();
    },
  };
}

function dayAxis(dates) {
  return {
    stroke: INK, grid: { show: false }, ticks: { stroke: FAINT, width: 1, size: 4 }, size: 32,
    values: (u, splits) => splits.map((s) => (Number.isInteger(s) && dates[s] ? day(dates[s], { year: false }) : "")),
    incrs: [1, 2, 5, 7, 14, 28, 56], space: 55, font: "12px system-ui, sans-serif",
  };
}
function numberAxis(splits) {
  return {
    stroke: INK, grid: { stroke: "#e6e9ec", width: 1 }, ticks: { show: false }, size: 58,
    filter: (u, ticks) => ticks, // otherwise the ticks of a root scale are thinned as on a log scale
    values: (u, ticks) => ticks.map((t) => (t === null ? "" : t >= 1e6 ? `${t / 1e6} M` : number(t))),
    font: "12px system-ui, sans-serif", ...(splits ? { splits } : {}),
  };
}

// Ticks of a square-root axis up to `end`: 0 and 1, 3, 10, 30, ..., if far enough apart.
function rootSteps(end) {
  const apart = (a, b) => Math.sqrt(b / end) - Math.sqrt(a / end) > 0.12;
  const kept = [];
  for (let k = Math.ceil(Math.log10(end)); k >= 0; k -= 1) {
    for (const v of [3 * 10 ** k, 10 ** k]) if (v < end && apart(0, v) && (!kept.length || apart(v, kept[0]))) kept.unshift(v);
  }
  return [0, ...kept];
}

// Quantiles by day with the reported facts; known days are left of the line.
export function fanChart(fan, marks, asOf) {
  const dates = fan.dates;
  const x = dates.map((_, i) => i);
  const ends = marks.flatMap((m) => [m.high ?? m.point ?? m.low ?? 0, m.point ?? m.low ?? 0]);
  const top = Math.max(1, ...fan.q95, ...ends);
  const told = marks.map((m) => m.point ?? m.low).filter((v) => v > 0);
  const least = Math.min(Math.max(1, ...fan.q75) / 2, ...told);
  const root = top > 25 * least; // the tail would flatten the rest
  const steps = rootSteps(1.15 * top);
  const readout = h("div", { class: "readout small", "aria-hidden": "true" }, "\u00a0");
  const size = (q, i) => amount(fan[q][i], fan.unit);
  function read(i) {
    readout.textContent = i === null || i === undefined
      ? "\u00a0"
      : `${day(dates[i], { year: false })}: ${size("q50", i)}; half of the runs ${size("q25", i)} to ${size("q75", i)}, nine in ten ${size("q05", i)} to ${size("q95", i)}`;
  }
  const band = (label) => ({ label, stroke: "#8fbadd", width: 0.5, points: { show: false } });
  const chart = plot(
    {
      scales: {
        x: { time: false, range: [-0.5, dates.length - 0.5] },
        y: root
          ? { distr: 100, fwd: (v) => Math.sqrt(Math.max(v, 0)), bwd: (v) => v * v, range: [0, top * 1.15] }
          : { range: [0, top * 1.1] },
      },
      series: [
        { label: "day", value: (u, v) => (v === null ? "" : day(dates[Math.round(v)])) },
        ...[["5%"], ["95%"], ["25%"], ["75%"]].map(([l]) => ({ ...band(l), value: (u, v) => (v === null ? "" : number(v)) })),
        { label: "median", stroke: "#08519c", width: 2, points: { show: false }, value: (u, v) => (v === null ? "" : number(v)) },
      ],
      bands: [
        { series: [2, 1], fill: "#cfe1f2" },
        { series: [4, 3], fill: "#8fbadd" },
      ],
      axes: [dayAxis(dates), numberAxis(root ? () => steps : null)],
      legend: { show: false },
      cursor: { y: false, points: { size: 5 } },
      hooks: {
        draw: [(u) => { known(u, dates, asOf); facts(u, dates, marks); }],
        setCursor: [(u) => read(u.cursor.idx)],
      },
    },
    [x, fan.q05, fan.q95, fan.q25, fan.q75, fan.q50],
  );
  const at = Math.max(0, dates.indexOf(asOf));
  const last = dates.length - 1;
  const say = (i) => `${size("q50", i)} (nine in ten runs ${size("q05", i)} to ${size("q95", i)}) on ${day(dates[i])}`;
  const words = `Median ${fan.unit}: ${say(at)}; ${say(last)}. ${marks.length} reported facts are drawn.`;
  chart.element.setAttribute("role", "img");
  chart.element.setAttribute("aria-label", words);
  return { ...chart, readout, root, words };
}

function known(u, dates, asOf) {
  const at = dates.indexOf(asOf);
  if (at < 0 || at >= dates.length - 1) return;
  const { ctx } = u;
  const x = u.valToPos(at + 0.5, "x", true);
  ctx.save();
  ctx.strokeStyle = INK;
  ctx.setLineDash([5, 4]);
  ctx.beginPath();
  ctx.moveTo(x, u.bbox.top);
  ctx.lineTo(x, u.bbox.top + u.bbox.height);
  ctx.stroke();
  ctx.restore();
}

function facts(u, dates, marks) {
  const { ctx } = u;
  const ratio = devicePixelRatio || 1;
  ctx.save();
  for (const mark of marks) {
    const day0 = dates.indexOf(mark.date);
    if (day0 < 0) continue;
    const same = marks.filter((m) => m.date === mark.date);
    const step = Math.min(0.013 * dates.length, 0.8 / same.length);
    const x = u.valToPos(day0 + step * (same.indexOf(mark) - (same.length - 1) / 2), "x", true);
    const y = (v) => u.valToPos(v, "y", true);
    ctx.strokeStyle = mark.part ? FAINT : INK;
    ctx.lineWidth = (mark.part ? 1 : 1.5) * ratio;
    const line = (...points) => {
      ctx.beginPath();
      points.forEach(([a, b], i) => (i ? ctx.lineTo(a, b) : ctx.moveTo(a, b)));
      ctx.stroke();
    };
    const tick = (v, half = 3.5) => line([x - half * ratio, y(v)], [x + half * ratio, y(v)]);
    if (mark.low !== null && mark.high !== null && mark.high > mark.low) {
      line([x, y(mark.low)], [x, y(mark.high)]);
      tick(mark.low);
      tick(mark.high);
    } else if ((mark.low === null) !== (mark.high === null)) {
      const end = mark.low ?? mark.high;
      const tip = y(end) + (mark.low !== null ? -15 : 15) * ratio;
      const back = (mark.low !== null ? 5 : -5) * ratio;
      tick(end, 4.5);
      line([x, y(end)], [x, tip]);
      line([x - 3 * ratio, tip + back], [x, tip], [x + 3 * ratio, tip + back]);
    }
    if (mark.point !== null) {
      ctx.beginPath();
      ctx.arc(x, y(mark.point), (mark.part ? 2.8 : 3.4) * ratio, 0, 7);
      ctx.fillStyle = mark.part ? "#fff" : INK;
      ctx.fill();
      ctx.strokeStyle = mark.part ? FAINT : "#fff";
      ctx.lineWidth = ratio;
      ctx.stroke();
    }
  }
  ctx.restore();
}

// Two lines by day: unchanged and changed.
export function pairChart(start, asItIs, changed, title) {
  const dates = asItIs.map((_, i) => addDays(start, i));
  const top = Math.max(...asItIs, ...changed, 1e-9);
  const readout = h("div", { class: "readout small", "aria-hidden": "true" }, "\u00a0");
  function read(i) {
    readout.textContent = i === null || i === undefined ? "\u00a0" : `${day(dates[i], { year: false })}: ${number(asItIs[i])} unchanged, ${number(changed[i])} changed`;
  }
  const chart = plot(
    {
      scales: { x: { time: false, range: [-0.5, dates.length - 0.5] }, y: { range: [0, top * 1.1] } },
      series: [
        { label: "day", value: (u, v) => (v === null ? "" : day(dates[Math.round(v)])) },
        { label: "as it is", stroke: "#5c6670", width: 2, points: { show: false }, value: (u, v) => (v === null ? "" : number(v)) },
        { label: "otherwise", stroke: "#d55e00", width: 2, dash: [7, 4], points: { show: false }, value: (u, v) => (v === null ? "" : number(v)) },
      ],
      axes: [dayAxis(dates), numberAxis(null)],
      cursor: { y: false, points: { size: 5 } },
      legend: { show: false },
      hooks: { setCursor: [(u) => read(u.cursor.idx)] },
    },
    [dates.map((_, i) => i), asItIs, changed],
    170,
  );
  const last = dates.length - 1;
  chart.element.setAttribute("role", "img");
  chart.element.setAttribute("aria-label", `${title}: at the end ${number(asItIs[last])} unchanged, ${number(changed[last])} changed; highest ${number(Math.max(...asItIs))} and ${number(Math.max(...changed))}.`);
  return { ...chart, readout };
}
