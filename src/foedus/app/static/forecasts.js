// The forecast of a case and date: a small one first, then better ones, in the background.

import { compute, fetchJSON } from "./api.js";
import { clear, day, h } from "./dom.js";

export function forecasts({ caseKey, asOf, status, onReady, fail }) {
  const found = new Map(); // date → {runs, value}
  let job = null; // {date, stop}
  let stoppedOn = null;
  let gone = false;

  function current() {
    return found.get(asOf())?.value || null;
  }

  async function want(anyway = false) {
    const date = asOf();
    if (job && job.date === date) return;
    if (job) job.stop();
    job = null;
    clear(status);
    if (!anyway && stoppedOn === date) return;
    stoppedOn = null;
    const mine = { date, stop: () => {} };
    job = mine;
    try {
      const best = await fetchJSON("/api/best", { case: caseKey, as_of: date });
      if (best.runs > (found.get(date)?.runs || 0)) {
        const value = await fetchJSON("/api/result", { key: best.key });
        if (gone || job !== mine) return;
        found.set(date, { runs: best.runs, value });
        onReady();
      }
      for (const [n, runs] of best.steps.entries()) {
        if ((found.get(date)?.runs || 0) >= runs) continue;
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
        onReady();
      }
    } catch (error) {
      if (!gone && job === mine) {
        job = null;
        clear(status);
        fail(error);
      }
      return;
    }
    if (job === mine) {
      job = null;
      clear(status);
    }
  }

  function show(mine, j, runs) {
    if (job !== mine || gone) return;
    const words =
      j.state === "queued" ? "waiting for its turn" : j.note === "runs" || !j.note
        ? `${j.done.toLocaleString("en-GB")} of ${runs.toLocaleString("en-GB")} runs` : j.note;
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
      h("div", { class: "working" }, "Stopped. What is there is shown. ",
        h("button", { type: "button", onclick: () => want(true) }, "Go on")),
    );
  }

  return {
    current,
    want,
    leave() {
      gone = true;
      if (job) job.stop();
      job = null;
    },
  };
}
