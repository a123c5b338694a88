// Explanations: how the evidence and the casebook move the hypotheses; the assumptions on which an
// answer depends (the tornado); and what to look for next (the watch list).

import { clear, day, h, number, percent, redraw } from "./dom.js";
import { verdict } from "./questions.js";

export function mount(element, context) {
  const { state } = context;
  const jobs = {}; // by kind
  const results = {}; // by kind: {name, value}
  const parts = { explain: h("section", {}), sensitivity: h("section", {}), watch: h("section", {}) };
  clear(element, parts.explain, parts.sensitivity, parts.watch);

  const question = () => {
    const found = state.get("ex.q");
    return context.case.questions.some((q) => q.id === found) ? found : mostOpen();
  };
  // The yes-or-no question whose answer is nearest to even, as in foedus report. It stays the same
  // for a date, so that a better forecast does not change what the reader is looking at.
  let open = {};
  function mostOpen() {
    const answers = context.forecast?.forecast.answers || [];
    if (open.date !== context.asOf) {
      const chance = (a) => a.probability ?? a.before_evidence?.probability;
      const even = (a) => Math.abs(chance(a) - 0.5);
      const unsettled = answers.filter((a) => context.case.shapes[a.kind] === "chance" && !a.settled_by && chance(a) > 0 && chance(a) < 1);
      if (unsettled.length) open = { date: context.asOf, id: unsettled.sort((a, b) => even(a) - even(b))[0].id };
    }
    return open.date === context.asOf ? open.id : context.case.questions[0]?.id;
  }
  const about = () => {
    const found = state.get("ex.watch");
    return context.case.questions.some((q) => q.id === found) ? found : context.case.hypotheses.length > 1 ? null : context.case.questions[0]?.id;
  };
  const asks = {
    explain: () => ({ pairs: state.get("ex.pairs") === "1" ? 400 : 0 }),
    sensitivity: () => ({ question: question() }),
    watch: () => ({ question: about() }),
  };
  const draws = { explain: drawExplain, sensitivity: drawSensitivity, watch: drawWatch };
  const runs = () => context.forecast?.forecast.sample.runs ?? 0;
  const refused = () => context.forecast?.forecast.sample.verdict === "refused";
  const name = (kind) => JSON.stringify([context.asOf, asks[kind]()]);
  const get = (kind) => (results[kind]?.name === name(kind) ? results[kind].value : null);

  async function compute(kind) {
    const bundle = context.forecast;
    if (!bundle) return;
    const mine = { name: name(kind), runs: runs() };
    if (jobs[kind]?.name === mine.name) return;
    if (jobs[kind]) jobs[kind].stop();
    const made = context.compute(kind, { runs: mine.runs, ...asks[kind]() }, {
      onProgress: (j) => {
        if (jobs[kind] !== mine) return;
        const what = parts[kind].querySelector(".what");
        if (what) what.textContent = j.state === "queued" ? "Waiting for earlier requests" : j.note || "Computing";
      },
    });
    mine.stop = made.stop;
    jobs[kind] = mine;
    draws[kind]();
    try {
      const value = await made.result;
      if (jobs[kind] !== mine) return;
      if (value) results[kind] = { ...mine, value };
    } catch (error) {
      if (jobs[kind] !== mine) return;
      results[kind] = { ...mine, value: { failed: error.message } };
    }
    delete jobs[kind];
    draws[kind]();
  }

  // The number of runs behind a result, and a button to repeat it with the runs there are now.
  function again(kind) {
    const made = results[kind].runs;
    if (jobs[kind]) return waiting(kind, "");
    return h("p", { class: "small soft" }, `Made with ${made.toLocaleString("en-GB")} runs. `,
      made < runs() ? h("button", { type: "button", onclick: () => compute(kind) }, `Repeat with ${runs().toLocaleString("en-GB")}`) : null);
  }

  function waiting(kind, words) {
    if (jobs[kind]) {
      return h("div", { class: "working" }, h("span", { class: "what" }, "Computing"), h("progress", { "aria-label": "computing" }),
        h("button", { type: "button", onclick: () => { jobs[kind].stop(); delete jobs[kind]; draws[kind](); } }, "Stop"));
    }
    return h("p", {}, h("span", { class: "soft" }, "Not computed yet. "),
      h("button", { type: "button", class: `compute-${kind}`, disabled: context.forecast ? null : true, onclick: () => compute(kind) }, words));
  }

  // -- the hypotheses ---------------------------------------------------------------------------

  function drawExplain() {
    const found = get("explain");
    const head = [h("h2", {}, "The competing explanations")];
    const says = (x) => [h("strong", {}, x.title), ` ${x.says} `, h("span", { class: "soft" }, `Put forward by: ${x.put_forward_by}.`)];
    if (context.case.hypotheses.length < 2) {
      clear(parts.explain, head, context.case.hypotheses.map((x) => h("p", {}, says(x))),
        h("p", { class: "soft" }, "This case has fewer than two explanations, so there is nothing to weigh."));
      return;
    }
    if (!found || found.failed) {
      const early = !jobs.explain && context.coming && refused();
      redraw(parts.explain, head, found ? h("p", { class: "error" }, found.failed) : null,
        early ? verdict({ sample: context.forecast.forecast.sample }, context.coming) : null,
        early ? h("p", { class: "soft" }, "They will be weighed once enough runs agree.") : waiting("explain", "Weigh them"),
        h("ul", {}, context.case.hypotheses.map((x) => h("li", {}, says(x)))));
      return;
    }
    redraw(parts.explain, head,
      verdict({ sample: { ...found, runs: results.explain.runs } }, context.coming),
      h("p", { class: "small soft" }, "Probability of each explanation, which sum to 1. The line is the 95% interval of sampling error; it does not include errors of the model. The words beside each bar give the strength of the evidence."),
      found.hypotheses.map((x) => h("div", { class: "standing" },
        h("h3", {}, x.title), h("p", { class: "small" }, x.says, h("span", { class: "soft" }, ` Put forward by: ${x.put_forward_by}.`)),
        h("div", { class: "bars" },
          bar("prior", x.prior, null, "prior", ""),
          bar("with the evidence", x.evidence.posterior, x.evidence.error, "evidence", x.evidence.words),
          bar("with the casebook", x.casebook.posterior, x.casebook.error, "book", x.casebook.words),
          bar("with both", x.both.posterior, x.both.error, "both", x.both.words)),
        moved(x))),
      h("p", { class: "small" }, found.casebook),
      again("explain"),
      counterfactuals(found));
  }

  function bar(label, value, error, kind, words) {
    const there = value !== null && value !== undefined;
    const fill = h("i", { class: kind });
    fill.style.width = there ? `${100 * value}%` : "0";
    const spread = h("b");
    if (there && error) {
      spread.style.left = `${100 * Math.max(0, value - 1.96 * error)}%`;
      spread.style.right = `${100 - 100 * Math.min(1, value + 1.96 * error)}%`;
    }
    return [h("span", {}, label),
      h("div", { class: "bar", role: "img", "aria-label": `${label}: ${there ? percent(value) : "no information"}${there && error ? ` plus or minus ${Math.round(196 * error)} points` : ""}` }, fill, there && error ? spread : null),
      h("span", {}, there ? h("strong", {}, percent(value)) : "", h("span", { class: "soft small" }, words ? ` ${words}` : ""))];
  }

  function moved(x) {
    const told = x.moved_by.filter((m) => m.told);
    if (!told.length) return h("p", { class: "small soft" }, "No single fact moves it by more than sampling error.");
    return h("p", { class: "small" }, "Moved most by: ", told.map((m, i) => [i ? "; " : "", m.text, h("span", { class: "soft" }, ` (${m.shift > 0 ? "for" : "against"} it, ${times(m.shift)})`)]), ".");
  }
  const times = (shift) => `× ${number(Math.exp(Math.abs(shift)))}`;

  function counterfactuals(found) {
    if (!found.counterfactuals.length) {
      if (state.get("ex.pairs") === "1") return h("p", { class: "small soft" }, "No counterfactual changes anything here.");
      return h("p", {}, h("button", { type: "button", onclick: () => state.set({ "ex.pairs": "1" }) }, "What if one decision had been different?"));
    }
    return [h("h3", {}, "If one decision had been different"),
      found.counterfactuals.map((c) => h("div", {}, h("p", {}, h("strong", {}, c.text), h("span", { class: "soft small" }, ` (${c.pairs} pairs)`)),
        h("table", { class: "cards small" }, h("tbody", {}, c.differences.map((d) => h("tr", {}, h("th", { scope: "row" }, d.title),
          h("td", { class: "n" }, `${d.mean > 0 ? "+" : ""}${number(d.mean)} ± ${number(d.error)} ${d.unit}`),
          h("td", { class: "soft" }, `nine in ten pairs ${number(d.quantiles.q05)} to ${number(d.quantiles.q95)}`)))))))];
  }

  // -- the tornado ------------------------------------------------------------------------------

  function picker(label, value, options, nameInAddress) {
    const select = h("select", { id: `pick-${nameInAddress}`, onchange: (e) => state.set({ [nameInAddress]: e.target.value }) },
      options.map(([id, text]) => h("option", { value: id, selected: id === value }, text)));
    return h("p", {}, h("label", {}, `${label} `, select));
  }

  function drawSensitivity() {
    const head = [h("h2", {}, "What the answer depends on"),
      picker("Question", question(), context.case.questions.map((q) => [q.id, q.text]), "ex.q")];
    const found = get("sensitivity");
    if (!found || found.failed) {
      clear(parts.sensitivity, head, found ? h("p", { class: "error" }, found.failed) : null, waiting("sensitivity", "Find out"));
      return;
    }
    const q = found.questions.find((x) => x.id === question());
    const view = q && q.after.effects.length ? q.after : q?.before;
    if (!view || !view.effects.length) {
      clear(parts.sensitivity, head, h("p", { class: "soft" }, view?.reason || q?.after.reason || "The runs do not say."));
      return;
    }
    const rows = view.effects.slice(0, 12);
    const most = Math.max(...rows.map((e) => e.high ?? e.share), 0.05);
    clear(parts.sensitivity, head,
      h("p", { class: "small soft" }, view === q.after ? "After the evidence. " : "Before the evidence (after it, too little can be estimated). ",
        "Share of the answer's variance that each uncertain input explains on its own, with its 95% interval; pale where it is not distinguishable from noise."),
      h("div", { class: "tornado" }, rows.map((e) => {
        const fill = h("i", { class: e.told ? "both" : "prior" });
        fill.style.width = `${(100 * Math.max(0, e.share)) / most}%`;
        const spread = h("b");
        spread.style.left = `${(100 * Math.max(0, e.low)) / most}%`;
        spread.style.right = `${100 - (100 * Math.min(most, e.high)) / most}%`;
        return [h("span", { title: e.meaning }, e.input, h("span", { class: "soft small" }, ends(e, q))),
          h("div", { class: "bar", role: "img", "aria-label": `${e.input}: ${percent(e.share)}, ${percent(e.low)} to ${percent(e.high)}${e.told ? "" : ", not distinguishable from noise"}` }, fill, spread),
          h("span", {}, percent(e.share))];
      })),
      view.chance ? h("p", { class: "small" }, `Chance, which no input explains: ${percent(view.chance.share)} (${percent(view.chance.low)} to ${percent(view.chance.high)}).`) : null,
      again("sensitivity"));
  }

  function ends(e, q) {
    if (!e.told || e.ends.length !== 2) return "";
    const amounts = context.case.shapes[q.kind] === "amount";
    const say = (end) => (amounts ? number(end.median) : end.probability !== null ? percent(end.probability) : day(end.median));
    const at = (end) => (end.at === null ? "" : typeof end.at === "string" ? end.at : number(end.at));
    return ` ${at(e.ends[0])}: ${say(e.ends[0])}; ${at(e.ends[1])}: ${say(e.ends[1])}`;
  }

  // -- the watch list ---------------------------------------------------------------------------

  function drawWatch() {
    const options = context.case.questions.map((q) => [q.id, q.text]);
    if (context.case.hypotheses.length > 1) options.unshift(["", "which explanation holds"]);
    const head = [h("h2", {}, "What to watch for"), picker("To find out", about() ?? "", options, "ex.watch")];
    const found = get("watch");
    if (!found || found.failed) {
      clear(parts.watch, head, found ? h("p", { class: "error" }, found.failed) : null, waiting("watch", "Make the list"));
      return;
    }
    const told = found.reports.filter((w) => w.told).slice(0, 12);
    redraw(parts.watch, head,
      found.verdict !== "ok" && found.verdict !== get("explain")?.verdict ? verdict({ sample: { ...found, runs: results.watch.runs } }) : null,
      told.length
        ? h("table", { class: "cards watch" },
          h("thead", {}, h("tr", {}, ["A report of", "on", "is worth", "What it would say"].map((t) => h("th", { scope: "col" }, t)))),
          h("tbody", {}, told.map((w) => h("tr", {},
            h("th", { scope: "row" }, w.quantity.replaceAll("_", " "), w.where ? ` (${w.where})` : ""),
            h("td", { "data-label": "on" }, day(w.day, { year: false })),
            h("td", { "data-label": "is worth" }, `${number(w.bits)} ± ${number(w.error)} bits`),
            h("td", {}, w.readings.map((r) => h("div", { class: "small" }, reading(r, w), ": ", after(r, found))))))))
        : h("p", { class: "soft" }, "No report in the next days would be informative beyond sampling error."),
      h("p", { class: "small soft" }, `Out of ${number(found.entropy)} bits of uncertainty.`),
      again("watch"));
  }

  function reading(r, w) {
    const chance = ` (${percent(r.chance)} likely)`;
    if (r.happened !== null) return `${r.happened ? "it happened" : "it did not happen"}${chance}`;
    if (r.low === null) return `${r.high === 0 ? "none" : `${number(r.high)} ${w.unit} or fewer`}${chance}`;
    if (r.high === null) return `${number(r.low)} ${w.unit} or more${chance}`;
    return `${number(r.low)} to ${number(r.high)} ${w.unit}${chance}`;
  }

  function after(r, found) {
    const title = (c) => context.case.hypotheses.find((x) => x.id === c)?.title || c;
    return found.classes.map((c, i) => `${title(c)} ${percent(r.after[i])}`).join(", ");
  }

  function drawAll() {
    drawExplain();
    drawSensitivity();
    drawWatch();
    if (context.case.hypotheses.length > 1 && context.forecast && !(refused() && context.coming) && !(get("explain") && results.explain.runs >= runs())) compute("explain");
  }
  drawAll();
  context.wantForecast();
  return {
    update(changed) {
      if (changed.has("asof") || changed.has("forecast") || [...changed].some((n) => n.startsWith("ex."))) drawAll();
    },
    unmount() {
      for (const j of Object.values(jobs)) j.stop();
    },
  };
}
