// The questions: chance, interval, the same before the evidence, base rate; and, only when the
// visitor asks, what came and the score.

import { clear, day, h, number, percent, redraw } from "./dom.js";

export function mount(element, context) {
  let revealed = null; // scores of this date
  let revealing = null; // a job
  let shownFor = "";

  context.onChange((changed) => {
    if (changed.has("asof")) {
      hide();
    }
  });

  function hide() {
    if (revealing) revealing.stop();
    revealing = null;
    revealed = null;
  }

  async function reveal() {
    const bundle = context.forecast;
    if (!bundle || revealing) return;
    const runs = bundle.forecast.sample.runs;
    const job = context.compute("score", { runs, reveal: true });
    revealing = job;
    draw();
    try {
      const found = await job.result;
      if (revealing === job && found) {
        revealed = Object.fromEntries(found.questions.map((q) => [q.id, q]));
        shownFor = `${context.asOf} ${runs}`;
      }
    } catch (error) {
      if (revealing === job) context.fail(error);
    }
    if (revealing === job) {
      revealing = null;
      draw();
    }
  }

  function draw() {
    const bundle = context.forecast;
    if (!bundle) {
      clear(
        element,
        h("p", { class: "soft" }, "The forecast is being made. These are the questions:"),
        h("ul", {}, context.case.questions.map((q) => h("li", {}, q.text))),
      );
      return;
    }
    const f = bundle.forecast;
    const stale = revealed && shownFor !== `${context.asOf} ${f.sample.runs}`;
    redraw(
      element,
      verdict(f),
      h("table", { class: "cards questions" },
        h("thead", {}, h("tr", {},
          ["Question", "Answer", "", "Before the evidence", "Base rate", ...(revealed ? ["What came", "Score"] : [])]
            .map((t) => h("th", { scope: "col" }, t)))),
        h("tbody", {}, f.answers.map((a) => row(a, bundle.words[a.id], f)))),
      h("div", { class: "keys" },
        h("span", { class: "swatch-blue" }, "chance"), h("span", { class: "swatch-dark" }, "90% for another set of runs"),
        h("span", { class: "swatch-red" }, "base rate")),
      context.case.outcomes
        ? h("p", {}, revealed
          ? h("button", { type: "button", onclick: () => { hide(); draw(); } }, "Hide what came")
          : h("button", { type: "button", class: "reveal", disabled: revealing ? true : null, onclick: reveal },
            revealing ? "Scoring…" : "Reveal what came, and score"), " ",
          h("span", { class: "soft small" }, stale
            ? "Scored with fewer runs than are shown now."
            : "A forecast is worth more if you have made up your own mind first."))
        : h("p", { class: "soft small" }, "This case has no outcomes yet."),
      h("details", { "data-keep": "made" }, h("summary", {}, "How this was made"),
        h("p", { class: "small" }, `${f.sample.runs.toLocaleString("en-GB")} runs, worth ${number(f.sample.effective)} that agree with what was known.`),
        h("ul", { class: "small" }, f.warnings.map((w) => h("li", {}, w))),
        h("p", { class: "small" }, "To make the runs again: ", h("code", {}, String(f.provenance.command || "")))),
    );
  }

  function row(a, words, f) {
    const cells = [
      h("th", { scope: "row" }, a.text),
      h("td", { "data-label": "Answer" }, answer(a, words)),
      h("td", {}, a.probability === null ? null : gauge(a)),
      h("td", { "data-label": "Before the evidence", class: "soft" }, words.before),
      h("td", { "data-label": "Base rate", class: "soft" }, words.outside || "none"),
    ];
    if (revealed) {
      const q = revealed[a.id];
      cells.push(
        h("td", { "data-label": "What came" }, q ? came(q, a) : "not known"),
        h("td", { "data-label": "Score" }, q ? score(q) : ""),
      );
    }
    return h("tr", {}, cells);
  }

  function answer(a, words) {
    if (!a.answered) return h("span", { class: "soft" }, "no answer yet");
    const [low, middle, high] = words.span;
    const parts = [];
    if (a.kind === "number") parts.push(h("span", { class: "answer" }, middle), h("div", { class: "soft" }, `${low} to ${high} ${a.unit}`));
    else {
      parts.push(h("span", { class: "answer" }, percent(a.probability)), " ", h("span", { class: "soft" }, `± ${points(a.probability_error)}`));
      if (a.kind === "date" && middle && a.probability >= 0.01) parts.push(h("div", { class: "small" }, `half of the runs by: ${middle}`), h("div", { class: "soft small" }, `nine in ten: ${low} to ${high}`));
    }
    if (a.settled_by) parts.push(h("div", { class: "soft small" }, "settled by a known fact"));
    return parts;
  }

  draw();
  context.wantForecast();
  return {
    update(changed) {
      if (changed.has("asof") || changed.has("forecast")) draw();
    },
    unmount() {
      if (revealing) revealing.stop();
    },
  };
}

function points(error) {
  return error === null || error < 0.005 ? "<1" : `${Math.round(100 * error)}`;
}

export function verdict(f) {
  const words = {
    refused: "Too few runs agree with what was known: no answers yet.",
    thin: "Few runs agree with what was known; take the answers with care.",
  }[f.sample.verdict];
  if (!words) return null;
  return h("div", { class: "warning" }, h("strong", {}, words),
    f.sample.advice.length ? h("ul", { class: "small" }, f.sample.advice.slice(0, 4).map((a) => h("li", {}, a))) : null);
}

function gauge(a) {
  const p = a.probability;
  const error = 1.645 * (a.probability_error || 0);
  const bar = h("i");
  bar.style.width = `${100 * p}%`;
  const spread = h("b");
  spread.style.left = `${100 * Math.max(0, p - error)}%`;
  spread.style.right = `${100 * (1 - Math.min(1, p + error))}%`;
  const out = h("div", { class: "gauge", role: "img", "aria-label": `${percent(p)}, base rate ${percent(a.outside?.probability)}` }, bar, spread);
  const base = a.outside?.probability;
  if (base !== null && base !== undefined) {
    const mark = h("u");
    mark.style.left = `${100 * base}%`;
    out.append(mark);
  }
  return out;
}

function came(q, a) {
  if (q.outcome === null) return "did not happen";
  if (q.outcome === true) return "yes";
  if (q.outcome === false) return "no";
  if (typeof q.outcome === "number") return `${number(q.outcome)} ${a.unit}`;
  return day(q.outcome);
}

function score(q) {
  if (!q.score) return h("span", { class: "soft" }, q.reason || "no score");
  const words = q.score.brier !== null ? `Brier ${number(q.score.brier)}` : `CRPS ${number(q.score.crps)}${q.kind === "date" ? " days" : ""}`;
  const base = q.baselines.casebook;
  const against = base ? (q.score.brier !== null ? base.brier : base.crps) : null;
  return [
    words,
    against !== null && against !== undefined ? h("div", { class: "soft small" }, `casebook alone ${number(against)}`) : null,
    q.known_already ? h("div", { class: "soft small" }, "known already") : q.open ? null : h("div", { class: "soft small" }, "settled by then"),
  ];
}
