// The page: the case, the as-of date, and a tab for each view.
//
// A tab is an ES module `static/NAME.js`, named in TABS below, that exports
//   mount(element, context) → optionally {update(changed), unmount()}
// `element` is empty. `update(changed)` is called when the address changes (`changed` is a Set of
// names such as "asof") and with Set{"forecast"} when there is a new or better forecast; without
// it the tab is mounted again when the case or the date changes. `context` has
//   .case          the case (GET /api/case); its facts have `shown_from`, the day they became known
//   .caseKey       its key, passed to the server as `case`
//   .asOf          the as-of date, "2022-01-07"
//   .forecast      {forecast, marks, words, map, votes, picks, before} of that date, or null while
//                  there is none; `before`: {fans, votes, map} before the evidence if there are no answers
//   .coming        the number of runs of the forecast of that date being made; null for none
//   .known()       the facts known by that date
//   .state         {get(name, fallback), set({name: value}, {push})}: the address; prefix names
//                  by the tab, such as "street.run"
//   .onChange(f)   listen to the address: f(changed); ends when the tab closes
//   .fetchJSON(path, params), .sendJSON(path, body, method), .fetchBytes(path, params)
//                  throw ServerError with .message, .status and .problems of the server
//   .compute(kind, params, {onProgress, onPartial, binary}) → {result: Promise, stop()}
//                  a job in another process; `case` and `as_of` are added if absent
//   .wantForecast() make a forecast of this case and date unless there is one
//   .fail(error)   show an error to the user
//   .reload(key)   reload the list of cases (after a case was saved) and show the case `key`
// Text goes into the page only by h() of dom.js, and links by link(): never innerHTML.

import { address } from "./address.js";
import { compute, fetchBytes, fetchJSON, sendJSON } from "./api.js";
import { clear, day, h, isDay } from "./dom.js";
import { forecasts } from "./forecasts.js";
import { timeline } from "./timeline.js";

const TABS = [
  { id: "questions", title: "Questions", module: "./questions.js" },
  { id: "figures", title: "Figures", module: "./figures.js" },
  { id: "streets", title: "Streets", module: "./streets.js" },
  { id: "votes", title: "Alliance", module: "./votes.js" },
  { id: "whatif", title: "What if", module: "./whatif.js" },
  { id: "explanations", title: "Explanations", module: "./explanations.js" },
  { id: "map", title: "Map", module: "./map.js" },
  { id: "editor", title: "Make a case", module: "./editor.js" },
];

// The case that opens when the address names none.
const FIRST = "kazakhstan-2022";

const $ = (id) => document.getElementById(id);
let cases = [];
let theCase = null;
let tab = null; // {id, element, api, ends}
let line = null;
let maker = null;

function asOf() {
  const found = address.get("asof", theCase.as_of);
  if (!isDay(found)) return theCase.as_of;
  return found < theCase.start ? theCase.start : found > theCase.end ? theCase.end : found;
}

// Report a date or a view in the address that does not exist.
function checkAddress() {
  const [date, view] = [address.get("asof"), address.get("tab")];
  const wrong = [];
  if (theCase && date && date !== asOf()) wrong.push(`There is no day “${date}” in this case (${day(theCase.start)} to ${day(theCase.end)}). Shown as of ${day(asOf())}.`);
  if (view && !TABS.some((t) => t.id === view)) wrong.push(`There is no view “${view}”. Showing the ${TABS[0].title.toLowerCase()}.`);
  clear($("address"), wrong.map((words) => h("p", { class: "warning" }, words)));
}

function context(ends) {
  return {
    get case() { return theCase; },
    get caseKey() { return theCase.key; },
    get asOf() { return asOf(); },
    get forecast() { return maker.current(); },
    get coming() { return maker.coming(); },
    known: () => theCase.facts.filter((f) => f.shown_from <= asOf()),
    state: address,
    onChange(f) { ends.push(address.onChange(f)); },
    fetchJSON,
    sendJSON,
    fetchBytes,
    compute: (kind, params, options) => compute(kind, { case: theCase.key, as_of: asOf(), ...params }, options),
    wantForecast: () => maker.want(),
    fail,
    reload,
  };
}

function fail(error) {
  const problems = (error.problems || []).slice(0, 20).map((p) => h("li", {}, `${p.field}: ${p.expected} (found ${p.found})`));
  const words = problems.length ? "This cannot be used:" : error.message;
  clear($("status"), h("p", { class: "error", role: "alert" }, words, problems.length ? h("ul", {}, problems) : null));
}

async function showCase(key) {
  leave();
  theCase = null;
  clear($("status"));
  clear($("timeline"));
  clear($("title"));
  checkAddress();
  document.title = "foedus";
  const entry = cases.find((c) => c.key === key);
  $("case").value = entry ? key : "";
  if (!entry) {
    clear($("status"), h("div", { class: "error", role: "alert" }, `There is no case “${key}” here. The cases are:`,
      h("ul", {}, cases.map((c) => h("li", {}, h("a", { href: `#${new URLSearchParams({ case: c.key })}` }, c.title))))));
    return;
  }
  if (entry.problem) {
    fail(new Error(`${entry.key} cannot be shown: ${entry.problem}`));
    return;
  }
  try {
    theCase = await fetchJSON("/api/case", { case: key });
  } catch (error) {
    fail(error);
    return;
  }
  checkAddress();
  document.title = `${theCase.title} · foedus`;
  $("title").textContent = theCase.title;
  maker = forecasts({ caseKey: theCase.key, asOf, status: $("status"), onReady: () => tell(new Set(["forecast"])), fail });
  line = timeline($("timeline"), { case: theCase, asOf, move: (date) => address.set({ asof: date }) });
  maker.want();
  await showTab();
}

function leave() {
  if (tab) {
    for (const end of tab.ends) end();
    if (tab.api && tab.api.unmount) tab.api.unmount();
    tab = null;
  }
  if (maker) maker.leave();
  clear($("content"));
}

async function showTab() {
  const wanted = TABS.find((t) => t.id === address.get("tab")) || TABS[0];
  if (tab) {
    for (const end of tab.ends) end();
    if (tab.api && tab.api.unmount) tab.api.unmount();
  }
  const mine = { id: wanted.id, ends: [], api: null };
  tab = mine;
  for (const button of $("tabs").children) {
    const on = button.dataset.tab === wanted.id;
    button.setAttribute("aria-selected", on);
    button.tabIndex = on ? 0 : -1;
  }
  $("content").setAttribute("aria-labelledby", `tab-${wanted.id}`);
  const element = h("div", { class: `view view-${wanted.id}` });
  clear($("content"), element);
  try {
    const module = await import(wanted.module);
    if (tab !== mine) return;
    mine.api = (await module.mount(element, context(mine.ends))) || {};
  } catch (error) {
    if (tab === mine) fail(error);
  }
}

function tell(changed) {
  if (!tab) return;
  if (tab.api && tab.api.update) tab.api.update(changed);
  else if (changed.has("asof") || changed.has("forecast")) showTab();
}

address.onChange((changed) => {
  if (changed.has("case")) {
    showCase(wantedCase());
    return;
  }
  checkAddress();
  if (!theCase) return;
  if (changed.has("asof")) {
    line.update();
    maker.want();
  }
  if (changed.has("tab")) showTab();
  else tell(changed);
});

function makeTabs() {
  const bar = $("tabs");
  clear(
    bar,
    TABS.map((t) =>
      h("button", {
        type: "button", role: "tab", id: `tab-${t.id}`, "data-tab": t.id, "aria-controls": "content",
        onclick: () => address.set({ tab: t.id }, { push: true }),
      }, t.title)),
  );
  bar.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -99, End: 99 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = TABS.findIndex((t) => t.id === document.activeElement.dataset.tab);
    const next = Math.abs(step) > 1 ? (step < 0 ? 0 : TABS.length - 1) : (at + step + TABS.length) % TABS.length;
    address.set({ tab: TABS[next].id }, { push: true });
    bar.children[next].focus();
  });
}

function wantedCase() {
  return address.get("case") || (cases.some((c) => c.key === FIRST) ? FIRST : cases[0].key);
}

async function listCases() {
  cases = (await fetchJSON("/api/cases")).cases;
  clear(
    $("case"),
    h("option", { value: "", hidden: true }, "choose one"),
    cases.map((c) => h("option", { value: c.key }, c.shipped ? c.title : `${c.title} (${c.key})`)),
  );
}

async function reload(key) {
  await listCases();
  const wanted = key || theCase?.key || wantedCase();
  if (wantedCase() === wanted) await showCase(wanted);
  else address.set({ case: wanted, asof: null }, { push: true });
}

addEventListener("pagehide", (event) => {
  if (!event.persisted) leave();
});

async function begin() {
  makeTabs();
  $("skip").addEventListener("click", (event) => {
    event.preventDefault();
    $("content").focus();
  });
  $("case").addEventListener("change", () => address.set({ case: $("case").value, asof: null }, { push: true }));
  try {
    await listCases();
  } catch (error) {
    fail(error);
    return;
  }
  await showCase(wantedCase());
}

begin();
