// What if: switch a mechanism or an explanation, or move an assumption, and see the effect on the
// same runs. The choices are in the address:
//   wi.off=alliance,lethal  wi.on=ties  wi.h=lead-interest  wi.p=streets.k:2,alliance.yes:0.9  wi.free=1

import { pairChart } from "./chart.js";
import { clear, h, number, percent } from "./dom.js";

const MOST = 8; // assumptions listed at a time
const COURSES = {
  crowd: "People in the streets", deaths_total: "All killed so far",
  loyal_share: "Share of commanders who hold", troops_present: "Allied troops in the country",
};

export async function mount(element, context) {
  const { state } = context;
  const known = await context.fetchJSON("/api/assumptions", { case: context.caseKey });
  const parameters = new Map(known.parameters.map((p) => [p.name, p]));
  let job = null;
  let result = null;
  let timer = 0;
  let asked = "";
  let charts = [];

  const form = h("form", { onsubmit: (event) => event.preventDefault() });
  const progress = h("div", { role: "status" });
  const answer = h("div", {});
  clear(element, h("div", { class: "split" }, form, h("div", {}, progress, answer)));

  const list = (name) => state.get(name).split(",").filter(Boolean);
  function moved() {
    return list("wi.p").map((part) => {
      const at = part.lastIndexOf(":");
      return [part.slice(0, at), Number(part.slice(at + 1))];
    }).filter(([name, value]) => parameters.has(name) && Number.isFinite(value));
  }
  function change() {
    const off = list("wi.off");
    const on = list("wi.on");
    const mechanisms = {};
    for (const m of known.mechanisms) {
      if (off.includes(m.name)) mechanisms[m.name] = false;
      if (on.includes(m.name)) mechanisms[m.name] = true;
    }
    const chosen = state.get("wi.h");
    const priors = {};
    for (const [name, value] of moved()) priors[name] = { dist: "fixed", value };
    return {
      mechanisms,
      hypothesis: context.case.hypotheses.some((x) => x.id === chosen) ? chosen : null,
      priors,
      free: state.get("wi.free") === "1",
    };
  }
  const empty = (c) => !Object.keys(c.mechanisms).length && !c.hypothesis && !Object.keys(c.priors).length;

  function switchMechanism(m, on) {
    const without = (name) => list(name).filter((x) => x !== m.name);
    const off = without("wi.off");
    const ons = without("wi.on");
    if (on !== m.on) (on ? ons : off).push(m.name);
    state.set({ "wi.off": off.join(","), "wi.on": ons.join(",") });
  }
  function move(name, value) {
    const rest = moved().filter(([n]) => n !== name);
    if (value !== null) rest.push([name, value]);
    state.set({ "wi.p": rest.map(([n, v]) => `${n}:${v}`).join(",") });
  }

  function drawForm() {
    const c = change();
    const held = document.activeElement?.id;
    const matches = h("div", { id: "wi-found", role: "status" });
    const search = h("input", {
      type: "search", id: "wi-search", placeholder: "part of its name or meaning", autocomplete: "off", spellcheck: "false", "aria-controls": "wi-found",
      oninput: () => offer(matches, find(search.value)),
      onkeydown: (e) => {
        const [first, ...more] = find(search.value) || [];
        if (e.key === "Enter" && first && (!more.length || first.name === search.value.trim())) add(first);
      },
    });
    clear(form,
      h("fieldset", {}, h("legend", {}, "Explanation"),
        h("label", {}, "Assume ", h("select", { id: "wi-h", onchange: (e) => state.set({ "wi.h": e.target.value }) },
          h("option", { value: "" }, "none in particular"),
          context.case.hypotheses.map((x) => h("option", { value: x.id, selected: x.id === c.hypothesis }, x.title))))),
      h("fieldset", {}, h("legend", {}, "Mechanisms"),
        known.mechanisms.map((m) => {
          const on = m.name in c.mechanisms ? c.mechanisms[m.name] : m.on;
          return h("label", { title: m.says }, h("input", { type: "checkbox", id: `wi-m-${m.name}`, checked: on, onchange: (e) => switchMechanism(m, e.target.checked) }),
            ` ${m.name}`, h("span", { class: "soft small" }, ` ${m.says}`));
        })),
      h("fieldset", {}, h("legend", {}, "Assumptions"),
        h("label", { for: "wi-search" }, "Add one"), search, matches,
        moved().map(([name, value]) => slider(parameters.get(name), value))),
      h("fieldset", {}, h("legend", {}, "Known decisions"),
        [["", "stay as they were"], ["1", "are free in both runs of a pair"]].map(([v, words]) =>
          h("label", {}, h("input", { type: "radio", name: "wi-free", id: `wi-free-${v || 0}`, value: v, checked: state.get("wi.free") === v, onchange: () => state.set({ "wi.free": v }) }), ` ${words}`))),
      h("button", { type: "button", onclick: () => state.set({ "wi.off": "", "wi.on": "", "wi.h": "", "wi.p": "", "wi.free": "" }) }, "Reset"),
    );
    if (held) document.getElementById(held)?.focus();
  }

  // Assumptions with a text in their names or meanings, best match first; null for no text.
  function find(text) {
    const wanted = text.trim().toLowerCase();
    if (!wanted) return null;
    const rank = (p) => [p.name === wanted, p.name.toLowerCase().includes(wanted), p.meaning.toLowerCase().includes(wanted)].indexOf(true);
    return known.parameters.filter((p) => rank(p) >= 0).sort((a, b) => rank(a) - rank(b));
  }
  const add = (p) => move(p.name, round(p.options ? 0 : p.q50));
  function offer(place, found) {
    const more = found ? found.length - MOST : 0;
    clear(place, found && !found.length ? h("p", { class: "small" }, "No assumption has this in its name or meaning.") : null,
      found?.length ? h("ul", { class: "small found" }, found.slice(0, MOST).map((p) =>
        h("li", {}, h("button", { type: "button", class: "linkish", onclick: () => add(p) }, p.name), h("span", { class: "soft" }, ` ${p.meaning}`))),
      more > 0 ? h("li", { class: "soft" }, `and ${more} more`) : null) : null);
  }

  function slider(p, value) {
    const id = `wi-p-${p.name}`;
    if (p.options) {
      return h("div", { class: "moved" }, h("div", { class: "head" }, h("label", { for: id }, p.name), remove(p)),
        h("div", { class: "small soft" }, p.meaning),
        h("select", { id, onchange: (e) => move(p.name, Number(e.target.value)) }, p.options.map((o, k) => h("option", { value: k, selected: k === value }, o))));
    }
    let low = Math.min(p.q05, value);
    let high = Math.max(p.q95, value);
    if (!(high > low)) {
      low = value - Math.abs(value || 1);
      high = value + Math.abs(value || 1);
      if (p.low !== null) low = Math.max(low, p.low);
      if (p.high !== null) high = Math.min(high, p.high);
    }
    return h("div", { class: "moved" },
      h("div", { class: "head" }, h("label", { for: id }, p.name), remove(p)),
      h("div", { class: "small soft" }, `${p.meaning} Prior: ${number(p.q50)} (${number(p.q05)} to ${number(p.q95)}) ${p.unit === "1" ? "" : p.unit}; ${p.prior.origin}.`),
      h("input", { type: "range", id: `${id}-range`, "aria-label": `${p.name}, slider`, min: low, max: high, step: (high - low) / 100, value, oninput: (e) => { document.getElementById(id).value = round(Number(e.target.value)); }, onchange: (e) => move(p.name, round(Number(e.target.value))) }),
      h("input", { type: "number", id, step: "any", min: p.low, max: p.high, value, onchange: (e) => { if (e.target.value !== "" && e.target.validity.valid) move(p.name, Number(e.target.value)); } }));
  }
  const remove = (p) => h("button", { type: "button", "aria-label": `do not move ${p.name}`, onclick: () => move(p.name, null) }, "×");

  function later() {
    clearTimeout(timer);
    timer = setTimeout(start, 250);
  }

  async function start() {
    const c = change();
    const bundle = context.forecast;
    const runs = bundle?.forecast.sample.runs;
    const name = JSON.stringify([c, context.asOf, runs]);
    if (name === asked) return;
    if (job) job.stop();
    job = null;
    if (empty(c)) {
      asked = name;
      result = null;
      clear(progress);
      drawAnswer();
      return;
    }
    if (!bundle) {
      clear(progress, h("p", { class: "soft" }, "The forecast is being made; then its runs are repeated with the change."));
      return;
    }
    asked = name;
    const began = performance.now();
    const mine = context.compute("whatif", { runs, change: c }, {
      onProgress: (j) => {
        if (job !== mine) return;
        working(j);
      },
      onPartial: (value) => {
        if (job === mine) show(value, began);
      },
    });
    job = mine;
    working({ done: 0, total: 0, state: "queued" });
    try {
      const value = await mine.result;
      if (job !== mine) return;
      if (value) show(value, began);
    } catch (error) {
      if (job !== mine) return;
      context.fail(error);
    }
    job = null;
    clear(progress);
  }

  function show(value, began) {
    result = value;
    if (!element.dataset.first || element.dataset.asked !== asked) {
      element.dataset.asked = asked;
      element.dataset.first = Math.round(performance.now() - began);
    }
    drawAnswer();
  }

  function working(j) {
    const words = j.state === "queued" ? "Waiting for earlier requests" : `${j.done} of ${j.total || "…"} runs repeated`;
    let bar = progress.querySelector("progress");
    if (!bar) {
      clear(progress, h("div", { class: "working" }, h("span", { class: "what" }), h("progress", { max: 1, value: 0, "aria-label": "runs repeated" }),
        h("button", { type: "button", class: "stop", onclick: stop }, "Stop")));
      bar = progress.querySelector("progress");
    }
    progress.querySelector(".what").textContent = words;
    bar.value = j.total ? j.done / j.total : 0;
  }

  function stop() {
    if (job) job.stop();
    job = null;
    clear(progress, h("div", { class: "working" }, "Stopped. The results so far are shown. ",
      h("button", { type: "button", onclick: () => { asked = ""; start(); } }, "Continue")));
  }

  function drawAnswer() {
    for (const c of charts) c.destroy();
    charts = [];
    if (!result) {
      clear(answer, h("p", {}, "Change something on the left. Runs that agree with what was known are then repeated with that change and the same random draws. Within the model, the difference within each pair is due to the change alone."));
      return;
    }
    const r = result;
    const rows = [...r.questions, ...r.outcomes];
    clear(answer,
      r.drawn_from === "prior" ? h("div", { class: "warning" }, `Too few runs agree with what was known (effective sample ${number(r.effective)}) to draw pairs from them. These pairs are drawn from all runs, before the evidence.`) : null,
      h("p", { class: "pairs" }, `${r.pairs} pairs, ${r.distinct} different runs; the outcome differs in ${r.moved} of them.`),
      h("table", { class: "cards differences" },
        h("thead", {}, h("tr", {}, ["", "Unchanged", "Changed", "Difference", ""].map((t) => h("th", { scope: "col" }, t)))),
        h("tbody", {}, rows.map((d) => difference(d)))),
      h("p", { class: "small soft" }, "± is the sampling error of the mean difference over pairs. Parameters and random draws were inferred with the world unchanged."),
      h("div", { class: "keys" }, h("span", { class: "swatch-dark" }, "unchanged"), h("span", { class: "swatch-red" }, "changed (dashed)")),
      h("div", { class: "grid" }, r.courses.map((c) => {
        const chart = pairChart(context.case.start, c.as_it_is, c.changed, COURSES[c.key]);
        charts.push(chart);
        return h("section", { class: "chart" }, h("h3", {}, COURSES[c.key], h("span", { class: "soft small" }, " (means)")), chart.element, chart.readout);
      })));
  }

  function difference(d) {
    const chance = d.unit === "chance" || d.unit === "share of runs";
    const say = (v) => (chance ? percent(v) : number(v));
    const signed = (v) => `${v > 0 ? "+" : v < 0 ? "−" : ""}${chance ? pointsOf(Math.abs(v)) : number(Math.abs(v))}`;
    const error = chance ? `${Math.max(d.error ? 1 : 0, Math.round(100 * d.error))}` : number(d.error);
    return h("tr", { "data-key": d.key },
      h("th", { scope: "row" }, d.title, unit(d)),
      h("td", { "data-label": "Unchanged" }, say(d.factual)),
      h("td", { "data-label": "Changed" }, say(d.counterfactual)),
      h("td", { "data-label": "Difference" }, d.mean === 0 && d.error === 0 ? "none" : [h("strong", {}, signed(d.mean)), h("span", { class: "soft" }, ` ± ${error}`)]),
      h("td", {}, effect(d, chance ? 1 : Math.max(Math.abs(d.factual), Math.abs(d.counterfactual), Math.abs(d.mean) + 2 * d.error, 1e-12))));
  }

  function unit(d) {
    const question = context.case.questions.find((q) => q.id === d.key);
    if (context.case.shapes[question?.kind] === "day") return h("span", { class: "soft small" }, " (chance that it happens)");
    if (d.unit === "chance" || d.unit === "share of runs") return null;
    return h("span", { class: "soft small" }, ` (${d.unit}, mean)`);
  }

  function effect(d, scale) {
    const at = (v) => 50 + 50 * Math.max(-1, Math.min(1, v / scale));
    const bar = h("i", { class: d.mean < 0 ? "less" : null });
    bar.style.left = `${Math.min(50, at(d.mean))}%`;
    bar.style.right = `${100 - Math.max(50, at(d.mean))}%`;
    const spread = h("b");
    spread.style.left = `${at(d.mean - 1.96 * d.error)}%`;
    spread.style.right = `${100 - at(d.mean + 1.96 * d.error)}%`;
    return h("div", { class: "effect", "aria-hidden": "true" }, bar, spread);
  }

  drawForm();
  drawAnswer();
  later();
  context.wantForecast();
  return {
    update(changed) {
      if ([...changed].some((n) => n.startsWith("wi."))) drawForm();
      later();
    },
    unmount() {
      clearTimeout(timer);
      if (job) job.stop();
      for (const c of charts) c.destroy();
    },
  };
}

function pointsOf(v) {
  return v > 0 && v < 0.005 ? "<1 point" : `${Math.round(100 * v)} points`;
}

function round(v) {
  return Number(v.toPrecision(4));
}
