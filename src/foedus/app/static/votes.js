// The alliance's vote: who votes for, abstains or votes against, in what share of weighted runs.

import { clear, h, percent, redraw, scrolling } from "./dom.js";
import { verdict } from "./questions.js";

const COLUMNS = [
  ["for", "For", "for"], ["aside", "Abstains", "aside"], ["against", "Against", "against"],
  ["not_asked", "No vote held", "none"],
];
const SIGNS = { 1: ["✓", "for", "for"], 0: ["–", "abstains", "aside"], "-1": ["✗", "against", "against"], 9: ["·", "no vote", "none"] };
const RULES = {
  consensus_with_abstention: "nobody against; abstaining does not block",
  unanimity: "all must be for", two_thirds: "two thirds must be for", simple_majority: "more than half must be for",
  lead_only: "the lead decides", lead_and_requester_plus_one: "the lead, the requester and one more",
  lead_veto_four_of_six: "two thirds, including the lead",
};

export function mount(element, context) {
  function draw() {
    const bundle = context.forecast;
    if (!bundle) {
      clear(element, h("p", { class: "soft" }, "The forecast is being made."));
      return;
    }
    const v = (bundle.before || bundle).votes;
    if (!v.rows.length) {
      redraw(element, verdict(bundle.forecast, context.coming));
      return;
    }
    const those = bundle.before ? "of the runs before the evidence" : "of the weighted runs";
    redraw(
      element,
      verdict(bundle.forecast, context.coming),
      bundle.before ? h("h2", {}, "Before the evidence") : null,
      h("p", {}, `${context.case.alliance.name}. Rule: ${RULES[v.rule] || v.rule}. `,
        `Help is requested in ${percent(v.asked.share)} ${those}, granted in ${percent(v.decided.share)}, refused in ${percent(v.refused.share)}.`),
      h("table", { class: "cards matrix" },
        h("caption", { class: "visually-hidden" }, `Votes by member, as shares ${those}`),
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Member"),
          COLUMNS.map(([, title]) => h("th", { scope: "col", class: "n" }, title)), h("th", { scope: "col", class: "n" }, "Sends troops"))),
        h("tbody", {}, v.rows.map((r) => h("tr", {},
          h("th", { scope: "row" }, r.name, r.lead ? h("span", { class: "soft small" }, " (lead)") : null, r.requester ? h("span", { class: "soft small" }, " (requester)") : null),
          COLUMNS.map(([key, title, kind]) => cell(title, r.votes[key], kind)),
          cell("Sends troops", r.sends, "sends"))))),
      h("p", { class: "small soft" }, "± is the sampling error, in percentage points, over sets of runs. The lead and the requester always vote for."),
      h("h2", {}, "How the members vote together"),
      h("p", { class: "small soft" }, `Each column is one combination of votes, with its share ${those}.`),
      scrolling("How the members vote together", h("table", { class: "ways" },
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Share", h("span", { class: "visually-hidden" }, ` ${those}`)), v.ways.map((w) => h("th", { scope: "col" }, percent(w.share))))),
        h("tbody", {}, v.rows.map((r, m) => h("tr", {}, h("th", { scope: "row" }, r.name),
          v.ways.map((w) => {
            const [sign, word, kind] = SIGNS[w.votes[m]];
            return h("td", { class: kind }, h("span", { "aria-hidden": "true" }, sign), h("span", { class: "small" }, ` ${word}`));
          })))))),
    );
  }

  function cell(title, share, kind) {
    const bar = h("i");
    bar.style.width = `calc(${100 * share.share}% - 4px)`;
    return h("td", { class: `cell ${kind}`, "data-label": title }, percent(share.share), h("span", { class: "soft small" }, ` ± ${Math.max(1, Math.round(100 * share.error))}`), bar);
  }

  draw();
  context.wantForecast();
  return {
    update(changed) {
      if (changed.has("asof") || changed.has("forecast")) draw();
    },
  };
}
