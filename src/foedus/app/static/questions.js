// The questions: chance, interval, the same before the evidence, base rate; and, only on request,
// the outcome and the score.

import { amount, clear, day, h, number, percent, redraw } from "./dom.js";

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
    const refused = f.sample.verdict === "refused";
    const answers = !refused || f.answers.some((a) => a.answered);
    const heads = ["Question", ...(answers ? ["Answer", ""] : []), "Before the evidence", ...(answers ? [] : [""]), "Base rate", ...(revealed ? ["Outcome", "Score"] : [])];
    const stale = revealed && shownFor !== `${context.asOf} ${f.sample.runs}`;
    redraw(
      element,
      verdict(f, context.coming),
      h("table", { class: "cards questions" },
        h("thead", {}, h("tr", {}, heads.map((t) => h("th", { scope: "col" }, t)))),
        h("tbody", {}, f.answers.map((a) => row(a, bundle.words[a.id], answers)))),
      h("div", { class: "keys" },
        h("span", { class: answers ? "swatch-blue" : "swatch-grey" }, answers ? "chance" : "chance before the evidence"),
        h("span", { class: "swatch-dark" }, "90% interval of sampling error"),
        h("span", { class: "swatch-red" }, "base rate")),
      revealed ? h("p", { class: "small soft" }, "Lower scores are better. Brier: the squared difference between the chance and the outcome, 0 to 1; always saying 50% scores 0.25. CRPS: the distance between the forecast distribution of a number or a day and the outcome, in its own unit; a single value that is wrong by 3 scores 3.") : null,
      context.case.outcomes
        ? h("p", {}, revealed
          ? h("button", { type: "button", onclick: () => { hide(); draw(); } }, "Hide outcomes")
          : h("button", { type: "button", class: "reveal", disabled: revealing ? true : null, onclick: reveal },
            revealing ? "Scoring…" : "Reveal outcomes and score"), " ",
          h("span", { class: "soft small" }, stale
            ? "Scored with fewer runs than are shown now."
            : "You learn more if you make your own forecast first."))
        : h("p", { class: "soft small" }, "This case has no outcomes yet."),
      h("details", { "data-keep": "made" }, h("summary", {}, "How this was made"),
        h("p", { class: "small" }, `${f.sample.runs.toLocaleString("en-GB")} runs; the effective sample given what was known is ${number(f.sample.effective)}.`),
        h("ul", { class: "small" }, f.warnings.map((w) => h("li", {}, w))),
        h("p", { class: "small" }, "To make the runs again: ", h("code", {}, String(f.provenance.command || "")))),
    );
  }

  function row(a, words, answers) {
    const before = a.before_evidence;
    const bar = (view) => h("td", {}, typeof view?.probability === "number" ? gauge(a, view, !answers) : null);
    const cells = [
      h("th", { scope: "row" }, a.text),
      ...(answers ? [h("td", { "data-label": "Answer" }, answer(a)), bar(a.headline)] : []),
      h("td", { "data-label": "Before the evidence", class: answers ? "soft" : null }, !answers && a.settled_by ? "settled by a known fact" : said(a, before)),
      ...(answers ? [] : [bar(a.settled_by ? null : before)]),
      h("td", { "data-label": "Base rate", class: "soft" }, words.outside || "none"),
    ];
    if (revealed) {
      const q = revealed[a.id];
      cells.push(
        h("td", { "data-label": "Outcome" }, q ? came(q, a) : "not known"),
        h("td", { "data-label": "Score" }, q ? score(q, shapeOf(a)) : ""),
      );
    }
    return h("tr", {}, cells);
  }

  function answer(a) {
    if (!a.answered) return h("span", { class: "soft" }, `no answer: ${a.reason || "the runs cannot answer it"}`);
    return [said(a, a.headline, true), voices(a), a.settled_by ? h("div", { class: "soft small" }, "settled by a known fact") : null];
  }

  // What simulation and history say where history speaks; the answer above is that of both.
  function voices(a) {
    if (!a.history) return null;
    const brief = (view) => (shapeOf(a) === "amount" ? amount(view.quantiles.q50, a.unit) : percent(view.probability));
    const past = `history ${brief(a.history)}`;
    return h("div", { class: "soft small" }, a.headline.source === "history"
      ? `too few runs agree with what is known; ${past}, alone`
      : `simulation ${brief(a)}; ${past}`);
  }

  function shapeOf(a) {
    return context.case.shapes[a.kind];
  }

  // The answer of the weighted runs to a question; the main answer stands out and shows its error.
  function said(a, view, main = false) {
    if (!view) return "none";
    const head = (words) => (main ? h("span", { class: "answer" }, words) : words);
    const q = view.quantiles;
    const shape = shapeOf(a);
    if (shape === "amount") {
      return [head(amount(q.q50, a.unit)), h("div", { class: main ? "soft" : "small" }, `${amount(q.q05, a.unit)} to ${amount(q.q95, a.unit)} ${a.unit}`)];
    }
    return [head(percent(view.probability)), main ? h("span", { class: "soft" }, ` ± ${points(view.probability_error)}`) : null,
      shape === "day" && view.probability >= 0.01 ? days(a, q).map((words) => h("div", { class: "soft small" }, words)) : null];
  }

  // A missing day is later than the last day of the question.
  function days(a, q) {
    const ask = context.case.questions.find((x) => x.id === a.id)?.ask;
    const end = day(ask?.by_date || context.case.end);
    if (!q.q50) return [`more than half of the runs: not by ${end}`, ...(q.q05 ? [`one run in twenty: by ${day(q.q05)}`] : [])];
    if (q.q05 === q.q95) return [`nine in ten runs: on ${day(q.q50)}`];
    return [`half of the runs: by ${day(q.q50)}`, `nine in ten: ${day(q.q05)} to ${q.q95 ? day(q.q95) : `after ${end}`}`];
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

// Whether enough runs agree with what was known. `coming`: the size of the next forecast, or null.
export function verdict(f, coming = null) {
  const { verdict: found, runs, effective, advice } = f.sample;
  if (found === "ok") return null;
  const refused = found === "refused";
  const history = refused && (f.answers || []).some((a) => a.answered);
  const whole = (n) => n.toLocaleString("en-GB");
  const head = !refused
    ? "Few runs agree with what was known; treat the answers with caution."
    : `Too few runs${coming ? " so far" : ""} agree with what was known: ${history ? "history alone answers" : coming ? "no answers yet" : "no answers"}.`;
  const more = [
    `${whole(runs)} runs have an effective sample of ${effective < 10 ? effective.toFixed(1) : whole(Math.round(effective))}${refused ? "; an answer needs 50" : ""}.`,
    coming ? `More are being made: ${whole(coming)} next.` : "",
    refused && f.answers && !history ? "Below are the runs before the evidence; known decisions are already imposed on them." : "",
  ].filter(Boolean).join(" ");
  return h("div", { class: `warning ${found}` }, h("strong", {}, head), " ", more,
    advice.length ? h("details", { "data-keep": "advice", class: "small" }, h("summary", {}, "Why, and what would help"), h("ul", {}, advice.map((a) => h("li", {}, a)))) : null);
}

function gauge(a, view, grey) {
  const p = view.probability;
  const error = 1.645 * (view.probability_error || 0);
  const bar = h("i", { class: grey ? "grey" : null });
  bar.style.width = `${100 * p}%`;
  const spread = h("b");
  spread.style.left = `${100 * Math.max(0, p - error)}%`;
  spread.style.right = `${100 * (1 - Math.min(1, p + error))}%`;
  const out = h("div", { class: "gauge", role: "img", "aria-label": `${percent(p)}${grey ? " before the evidence" : ""}, base rate ${percent(a.outside?.probability)}` }, bar, spread);
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
  if (typeof q.outcome === "number") return `${amount(q.outcome, a.unit)} ${a.unit}`;
  return day(q.outcome);
}

const brier = (x) => (x < 0.0005 ? "<0.001" : x.toFixed(3));

function score(q, shape) {
  if (!q.score) return h("span", { class: "soft" }, q.reason || "no score");
  const binary = q.score.brier !== null;
  const say = (s) => (binary ? brier(s.brier) : number(s.crps));
  const words = binary ? `Brier ${say(q.score)}` : `CRPS ${say(q.score)}${shape === "day" ? " days" : ""}`;
  const base = q.baselines.casebook;
  const against = base ? (binary ? base.brier : base.crps) : null;
  return [
    words,
    against !== null && against !== undefined ? h("div", { class: "soft small" }, `casebook alone ${say(base)}`) : null,
    q.known_already ? h("div", { class: "soft small" }, "already known") : q.open ? null : h("div", { class: "soft small" }, "already settled"),
  ];
}
