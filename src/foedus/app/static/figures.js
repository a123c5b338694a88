// Fan charts of the runs day by day, with the reported facts.

import { fanChart } from "./chart.js";
import { amount, clear, day, h, redraw, scrolling } from "./dom.js";
import { verdict } from "./questions.js";

export function mount(element, context) {
  let charts = [];

  function away() {
    for (const c of charts) c.destroy();
    charts = [];
  }

  function draw() {
    away();
    const bundle = context.forecast;
    if (!bundle) {
      clear(element, h("p", { class: "soft" }, "The forecast is being made."));
      return;
    }
    const f = bundle.forecast;
    const fans = (bundle.before || f).fans.filter((fan) => fan.q50.every((v) => v !== null));
    redraw(
      element,
      verdict(f, context.coming),
      h("div", { class: "keys" },
        bundle.before ? h("strong", {}, "Before the evidence:") : null,
        h("span", { class: "swatch-outer" }, "nine in ten runs"), h("span", { class: "swatch-inner" }, "half of the runs"),
        h("span", { class: "swatch-line" }, "median"),
        h("span", { class: "swatch-dot" }, "a reported number (hollow: for one place or member; arrow: at least or at most)"),
        h("span", { class: "swatch-dash" }, `known until ${day(context.asOf)}`)),
      h("div", { class: "grid" }, fans.map((fan) => {
        const chart = fanChart(fan, bundle.marks[fan.key] || [], context.asOf);
        charts.push(chart);
        return h("section", { class: "chart" },
          h("h3", {}, fan.title, h("span", { class: "soft small" }, chart.root ? " (square-root scale)" : "")),
          chart.element, chart.readout,
          h("details", { "data-keep": fan.key }, h("summary", { class: "small" }, "As a table"), table(fan, bundle.marks[fan.key] || [])));
      })),
    );
  }

  function table(fan, marks) {
    return scrolling(`${fan.title}, as a table`, h("table", { class: "small" },
      h("thead", {}, h("tr", {}, ["day", "5%", "25%", "median", "75%", "95%", "reported"].map((t, i) => h("th", { scope: "col", class: i && i < 6 ? "n" : null }, t)))),
      h("tbody", {}, fan.dates.map((date, i) => h("tr", {},
        h("th", { scope: "row" }, day(date, { year: false })),
        ["q05", "q25", "q50", "q75", "q95"].map((q) => h("td", { class: "n" }, amount(fan[q][i], fan.unit))),
        h("td", {}, marks.filter((m) => m.date === date).map((m) => h("div", {}, m.label))))))));
  }

  draw();
  context.wantForecast();
  return {
    update(changed) {
      if (changed.has("asof") || changed.has("forecast")) draw();
    },
    unmount: away,
  };
}
