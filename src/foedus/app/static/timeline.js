// The crisis in time: a slider for the as-of date, and the facts as they became known.

import { addDays, clear, day, daysBetween, h, link } from "./dom.js";

// As in the brief (report/words.py).
const RATINGS = "Ratings: the letter is the source, A completely reliable, B usually, C fairly, D not usually reliable, E unreliable, F unknown; "
  + "the figure is the report, 1 confirmed, 2 probably true, 3 possibly true, 4 doubtful, 5 improbable, 6 unknown.";

export function timeline(element, { case: theCase, asOf, move }) {
  const last = daysBetween(theCase.start, theCase.end);
  const slider = h("input", {
    type: "range", min: 0, max: last, step: 1, id: "asof",
    oninput: () => move(addDays(theCase.start, Number(slider.value))),
  });
  const shown = h("output", { for: "asof" });
  const list = h("ol", { class: "facts" });
  const count = h("span", {});
  const note = h("p", { class: "soft small asof-note", role: "status" });
  const strip = h("div", { class: "strip", "aria-hidden": "true" });
  const details = h("details", { class: "known" }, h("summary", {}, "What was known: ", count), h("p", { class: "small soft" }, RATINGS), list);

  const perDay = new Map();
  for (const f of theCase.facts) perDay.set(f.shown_from, (perDay.get(f.shown_from) || 0) + 1);
  const most = Math.max(1, ...perDay.values());
  const bars = [];
  for (let d = 0; d <= last; d += 1) {
    const bar = h("span", {});
    bar.style.height = `${(100 * (perDay.get(addDays(theCase.start, d)) || 0)) / most}%`;
    bars.push(bar);
  }
  strip.append(...bars);
  // Nothing new is known after the day of the last fact.
  const lastFact = theCase.facts.map((f) => f.shown_from).sort().at(-1);
  const days = h("div", { class: "days small soft", "aria-hidden": "true" },
    mark(theCase.start), theCase.as_of > theCase.start && theCase.as_of < theCase.end ? mark(theCase.as_of) : null, mark(theCase.end));

  function mark(date) {
    const at = h("span", {}, day(date, { year: false }));
    const share = daysBetween(theCase.start, date) / last;
    at.style.left = `calc(8px + ${share} * (100% - 16px))`;
    at.style.transform = `translateX(-${100 * share}%)`;
    return at;
  }
  clear(
    element,
    h("div", { class: "when" },
      h("label", { for: "asof" }, "As of "), shown,
      h("button", { type: "button", "aria-label": "a day earlier", onclick: () => step(-1) }, "‹"),
      h("button", { type: "button", "aria-label": "a day later", onclick: () => step(1) }, "›")),
    h("div", { class: "rail" }, strip, slider, days),
    note,
    details,
  );

  function step(by) {
    const to = Math.min(last, Math.max(0, Number(slider.value) + by));
    move(addDays(theCase.start, to));
  }

  function fill() {
    const known = theCase.facts
      .filter((f) => f.shown_from <= asOf())
      .sort((a, b) => (a.known_from < b.known_from ? 1 : a.known_from > b.known_from ? -1 : 0));
    const now = asOf();
    clear(
      list,
      known.map((f) => {
        const source = theCase.sources[f.source];
        return h("li", { class: f.shown_from === now ? "new" : null },
          h("span", { class: "date" }, day(f.known_from, { year: false })), " ", f.text, " ",
          h("span", { class: "source" }, "(",
            source?.address ? link(source.address, source.name) : source?.name || f.source,
            `, ${f.rating})`));
      }),
    );
  }

  function update() {
    const at = daysBetween(theCase.start, asOf());
    slider.value = at;
    slider.setAttribute("aria-valuetext", day(asOf()));
    shown.textContent = day(asOf());
    const known = theCase.facts.filter((f) => f.shown_from <= asOf()).length;
    count.textContent = `${known} of ${theCase.facts.length} facts`;
    note.textContent = lastFact && asOf() > lastFact
      ? `Nothing in this case became known after ${day(lastFact)}, so a later date adds nothing.` : "";
    bars.forEach((bar, d) => bar.classList.toggle("past", d <= at));
    fill();
  }
  update();
  return { update };
}
