// The forecast of a case and date: a small one first, then better ones, in the background.

import { compute, fetchJSON } from "./api.js";
import { clear, day, h } from "./dom.js";

// Runs with a smaller effective sample give no answer (foedus.weighing.weights).
const NEEDED = 50;
// Later runs are drawn where earlier ones agreed with the evidence. For Kazakhstan as of 7 January
// 500 runs have an effective sample of 3.1, 2,000 of 6.9, 4,000 of 41, 8,000 of 69. The effective
// sample per run is taken to grow at most by this factor.
const GAIN = 3;

// Whether a forecast with `runs` runs may have answers; the next one needs these runs anyway.
function mayAnswer(value, runs) {
  const sample = value?.forecast.sample;
  return sample?.verdict !== "refused" || (GAIN * sample.effective * runs) / sample.runs >= NEEDED;
}

export function forecasts({ caseKey, asOf, status, onReady, fail }) {
  const found = new Map(); // date → {runs, value}
  let job = null; // {date, stop, next: runs, pace: {at, done}}
  let stoppedOn = null;
  let gone = false;

  function current() {
    return found.get(asOf())?.value || null;
  }

  function coming() {
    return job?.date === asOf() ? job.next : null;
  }

  async function want(anyway = false) {
    const date = asOf();
    if (job && job.date === date) return;
    if (job) job.stop();
    job = null;
    clear(status);
    if (!anyway && stoppedOn === date) return;
    stoppedOn = null;
    const mine = { date, stop: () => {}, next: null, pace: null };
    job = mine;
    let fresh = false; // there is something to draw
    try {
      const best = await fetchJSON("/api/best", { case: caseKey, as_of: date });
      if (best.runs > (found.get(date)?.runs || 0)) {
        const value = await fetchJSON("/api/result", { key: best.key });
        if (gone || job !== mine) return;
        found.set(date, { runs: best.runs, value });
        fresh = true;
      }
      const last = best.steps.at(-1);
      for (const [n, runs] of best.steps.entries()) {
        const there = found.get(date);
        if ((there?.runs || 0) >= runs || (runs < last && !mayAnswer(there?.value, runs))) continue;
        Object.assign(mine, { next: runs, pace: null });
        fresh = true;
        if (there) onReady();
        const made = compute(
          "forecast",
          { case: caseKey, as_of: date, runs, priority: n },
          { onProgress: (j) => show(mine, j, runs) },
        );
        mine.stop = made.stop;
        const value = await made.result;
        if (gone || job !== mine) return;
        if (value === null) break;
        found.set(date, { runs, value });
      }
    } catch (error) {
      if (!gone && job === mine) {
        job = null;
        clear(status);
        onReady();
        fail(error);
      }
      return;
    }
    if (job === mine) {
      job = null;
      clear(status);
      if (fresh) onReady();
    }
  }

  // An estimate from the runs made since this page began to watch.
  function left(mine, j, runs) {
    if (j.state !== "running" || j.note !== "runs") {
      if (j.state === "queued") mine.pace = null;
      return "";
    }
    const now = performance.now();
    mine.pace ??= { at: now, done: j.done };
    const made = j.done - mine.pace.done;
    if (made <= 0 || now - mine.pace.at < 3000) return "";
    const minutes = Math.ceil(((runs - j.done) * (now - mine.pace.at)) / made / 60000);
    return minutes < 2 ? ", about a minute left" : `, about ${minutes} minutes left`;
  }

  function show(mine, j, runs) {
    if (job !== mine || gone) return;
    const words =
      j.state === "queued" ? "waiting for earlier requests" : j.note === "runs" || !j.note
        ? `${j.done.toLocaleString("en-GB")} of ${runs.toLocaleString("en-GB")} runs${left(mine, j, runs)}` : j.note;
    let bar = status.querySelector("progress");
    if (!bar || status.dataset.date !== mine.date) {
      status.dataset.date = mine.date;
      clear(
        status,
        h("div", { class: "working" },
          h("span", { class: "what" }),
          h("progress", { max: 1, value: 0, "aria-label": "runs made" }),
          h("button", { type: "button", onclick: stop }, "Stop")),
      );
      bar = status.querySelector("progress");
    }
    status.querySelector(".what").textContent = `Forecast as of ${day(mine.date)}: ${words}`;
    bar.value = j.total ? j.done / j.total : 0;
  }

  function stop() {
    if (!job) return;
    stoppedOn = job.date;
    job.stop();
    job = null;
    clear(
      status,
      h("div", { class: "working" }, "Stopped. The results so far are shown. ",
        h("button", { type: "button", onclick: () => want(true) }, "Continue")),
    );
    onReady();
  }

  return {
    current,
    coming,
    want,
    leave() {
      gone = true;
      if (job) job.stop();
      job = null;
    },
  };
}
