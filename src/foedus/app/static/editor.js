// Make a case: the text of a case file, and a form that is a view of it. The server checks while
// you type; a change in the form is made in the text and leaves the author's comments alone.

import { clear, h } from "./dom.js";
import { form } from "./editor-form.js";
import { textView } from "./editor-text.js";

const PAUSE_MS = 350;
const NAME = /^[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}\.ya?ml$/;

// The document outlives the tab: {text, data, editable, problems, warnings, name, etag, saved}.
let doc = null;
let schema = null;
const DRAFT = "foedus.draft"; // in this browser: {text, name, opened, etag} of unsaved changes
let keeps = false; // this page has stored a draft
let leaving = Promise.resolve(); // the last changes of a form that was left
addEventListener("beforeunload", (event) => {
  if (dirty()) event.preventDefault();
});

function dirty() {
  return doc !== null && doc.text !== doc.saved;
}

// If the browser has no space or no storage, only the download is left.
function keepDraft() {
  try {
    if (dirty()) localStorage.setItem(DRAFT, JSON.stringify({ text: doc.text, name: doc.name, opened: doc.opened, etag: doc.etag }));
    else if (keeps) localStorage.removeItem(DRAFT);
    keeps = dirty();
  } catch {
    /* as above */
  }
}

function draft() {
  try {
    const found = JSON.parse(localStorage.getItem(DRAFT));
    return typeof found?.text === "string" ? found : null;
  } catch {
    return null;
  }
}

// Download the text as a file, finished or not.
function download() {
  const url = URL.createObjectURL(new Blob([doc.text], { type: "application/yaml" }));
  const a = document.createElement("a");
  a.href = url;
  a.download = NAME.test(doc.name) ? doc.name : "my-case.yaml";
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export async function mount(element, context) {
  if (!document.querySelector('link[href="/static/editor.css"]'))
    document.head.append(h("link", { rel: "stylesheet", href: "/static/editor.css" }));
  await leaving;
  const { cases } = await context.fetchJSON("/api/cases");
  schema ??= await context.fetchJSON("/api/editor/schema");

  const from = h("select", { id: "editor-from" }, h("option", { value: "" }, "A starter case"),
    cases.map((c) => h("option", { value: c.key }, c.shipped ? c.title : `${c.title} (${c.key})`)));
  const file = h("input", { id: "editor-name", type: "text", spellcheck: "false", autocomplete: "off",
    "aria-describedby": "editor-name-hint editor-name-error", oninput: named });
  const fileError = h("p", { class: "field-error", id: "editor-name-error" });
  const save = h("button", { type: "button", class: "primary", id: "editor-save", onclick: () => store(false) }, "Save");
  const told = h("div", { class: "editor-told", role: "status", id: "editor-told" });
  const summary = h("div", { class: "editor-summary", role: "status", id: "editor-summary" });
  const views = {
    form: h("button", { type: "button", id: "editor-show-form", onclick: () => show("form") }, "Form"),
    text: h("button", { type: "button", id: "editor-show-text", onclick: () => show("text") }, "Text of the file"),
  };
  const place = h("div", { class: "editor-view" });
  clear(
    element,
    h("div", { class: "editor-bar" },
      h("label", { for: "editor-from" }, "Start from ", from),
      h("button", { type: "button", id: "editor-open", onclick: () => open(from.value) }, "Open"),
      h("label", { for: "editor-name" }, "File name ", file), save,
      h("button", { type: "button", id: "editor-download", onclick: async () => { await flush(); download(); } }, "Download")),
    h("p", { class: "hint", id: "editor-name-hint" }, "Saved in the folder of your own cases; the name ends in .yaml. A text with mistakes cannot be saved there yet: download it, or continue later, since this browser keeps your changes."),
    fileError, told,
    h("div", { class: "editor-switch", role: "group", "aria-label": "View of the case" }, views.form, views.text),
    summary, place,
  );

  let gone = false;
  let timer = null;
  let pending = []; // changes of the form that the text does not have yet
  let typed = false; // the text has changes that are not checked yet
  let asked = 0;
  let chain = Promise.resolve();
  let view = null;

  function say(...words) {
    clear(told, words);
  }

  function take(found, mine, of) {
    if (mine !== asked) return false;
    Object.assign(of, { text: found.text, data: found.data, editable: found.editable, problems: found.problems, warnings: found.warnings });
    return !gone && of === doc;
  }

  // One request at a time, so that each change starts from the text left by the last one.
  function queue(work) {
    chain = chain.then(work).catch((error) => {
      if (!gone) say(h("p", { class: "field-error" }, error.message));
    });
    return chain;
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(flush, PAUSE_MS);
  }

  function flush() {
    clearTimeout(timer);
    return queue(async () => {
      if (!pending.length && !typed) return;
      const edits = pending;
      const of = doc;
      pending = [];
      const sent = of.text;
      asked += 1;
      const mine = asked;
      const path = edits.length ? "/api/editor/edit" : "/api/editor/check";
      const body = edits.length ? { text: sent, name: shownName(), edits } : { text: sent, name: shownName() };
      typed = false;
      let found;
      try {
        found = await context.sendJSON(path, body);
      } catch (error) {
        if (edits.length && view && !gone) view.render(); // the change shown in the form is not in the text
        throw error;
      }
      if (of.text !== sent) return; // more was typed meanwhile; a check of that follows
      if (take(found, mine, of)) refresh();
    });
  }

  // A change of the document's structure adds or removes rows, so the form is drawn again.
  async function reshape(edits, focus) {
    pending.push(...edits);
    await flush();
    if (gone || !view) return;
    view.render(focus);
    refresh();
  }

  const driver = {
    get doc() { return doc; },
    schema,
    set(path, value) {
      pending = pending.filter((e) => e.op !== "set" && e.op !== "remove" ? true : String(e.path) !== String(path));
      pending.push(value === undefined ? { op: "remove", path } : { op: "set", path, value });
      later();
    },
    reshape,
    type(text) {
      doc.text = text;
      typed = true;
      later();
    },
    async toText(line) {
      if (context.state.get("editor.view", "form") !== "text") await show("text");
      view.go(line);
    },
  };

  function shownName() {
    return file.value || "my-case.yaml";
  }

  function named() {
    doc.name = file.value;
    keepDraft();
    file.removeAttribute("aria-invalid");
    clear(fileError);
  }

  function refresh() {
    keepDraft();
    const n = doc.problems.length;
    const list = doc.problems.slice(0, 12).map((p) =>
      h("li", {}, h("button", { type: "button", class: "linkish", onclick: () => jump(p) },
        `${p.line ? `Line ${p.line}: ` : ""}${p.field ? `${p.field}: ` : ""}${p.expected}`)));
    clear(
      summary,
      n
        ? h("p", { class: "bad" }, `${n} ${n === 1 ? "mistake" : "mistakes"}, as `, h("code", {}, "foedus check"), " would say.")
        : h("p", { class: "good" }, "No mistakes: ", h("code", {}, "foedus check"), " accepts this text."),
      n ? h("ul", {}, list, n > 12 ? h("li", {}, `and ${n - 12} more`) : null) : null,
      doc.warnings.length ? h("details", {}, h("summary", {}, `${doc.warnings.length} ${doc.warnings.length === 1 ? "warning" : "warnings"}`), h("ul", {}, doc.warnings.map((w) => h("li", {}, w)))) : null,
    );
    view?.refresh();
  }

  function jump(problem) {
    if (context.state.get("editor.view", "form") === "form" && doc.editable && view.find(problem.field)) return;
    driver.toText(problem.line || 1);
  }

  async function show(name) {
    if (view) await flush();
    context.state.set({ "editor.view": name === "form" ? null : name });
    for (const [key, button] of Object.entries(views)) button.setAttribute("aria-pressed", key === name);
    view = name === "form" ? form(place, driver) : textView(place, driver);
    view.render();
    refresh();
  }

  async function open(key) {
    if (dirty() && !confirm("Your changes are not saved. Open another case and lose them?")) return;
    await flush();
    try {
      const found = await context.fetchJSON("/api/editor/open", key ? { case: key } : {});
      if (gone) return;
      doc = { ...found, opened: found.name, saved: found.text };
      file.value = doc.name;
      clear(fileError);
      say(h("p", {}, doc.name ? `${doc.name} is open.` : "A copy is open; give it a file name to save it."));
      await show(context.state.get("editor.view", "form"));
    } catch (error) {
      context.fail(error);
    }
  }

  // Restore what was not saved when the page was closed.
  async function goOn(kept) {
    const found = await context.sendJSON("/api/editor/check", { text: kept.text, name: kept.name || "my-case.yaml" });
    if (gone) return;
    doc = { ...kept, ...found, saved: null };
    file.value = doc.name;
    say(h("p", {}, `Your unsaved changes${doc.name ? ` to ${doc.name}` : ""} are restored. `),
      h("button", { type: "button", id: "editor-drop", onclick: () => open(doc.opened || "") }, "Discard them"));
    await show(context.state.get("editor.view", "form"));
  }

  async function store(overwrite, theirs = null) {
    await flush();
    if (!NAME.test(file.value) || file.value.includes("..")) {
      file.setAttribute("aria-invalid", "true");
      clear(fileError, "A name of letters, digits, space, . _ - ending in .yaml, such as my-case.yaml");
      file.focus();
      return;
    }
    const own = file.value === doc.opened && doc.etag !== null;
    const body = { text: doc.text, name: file.value, etag: overwrite ? theirs : own ? doc.etag : null, overwrite: overwrite || own };
    const sent = doc.text;
    save.disabled = true;
    try {
      const done = await context.sendJSON("/api/editor/save", body);
      Object.assign(doc, { saved: sent, etag: done.etag, name: done.name, opened: done.name });
      keepDraft();
      say(h("p", { class: "good" }, `Saved as ${done.name}. `),
        h("button", { type: "button", id: "editor-use", onclick: () => use(done.name) }, "Forecast this case"));
    } catch (error) {
      await refused(error).catch(context.fail);
    } finally {
      save.disabled = false;
    }
  }

  function use(name) {
    context.state.set({ tab: null }, { push: true });
    context.reload(name);
  }

  async function refused(error) {
    if (error.status === 409) {
      const theirs = (await context.fetchJSON("/api/editor/open", { case: file.value })).etag;
      say(h("p", { class: "field-error" }, error.message), " ",
        h("button", { type: "button", id: "editor-replace", onclick: () => store(true, theirs) }, "Replace the file with this text"));
    } else if (error.problems?.length) {
      say(h("p", { class: "field-error" }, "Not saved: correct the mistakes first, or download the text as it is."));
    } else say(h("p", { class: "field-error" }, error.message));
  }

  if (doc === null) {
    const kept = draft();
    if (kept) await goOn(kept);
    else await open("");
  } else {
    file.value = doc.name;
    await show(context.state.get("editor.view", "form"));
  }
  return {
    update() {},
    unmount() {
      leaving = flush();
      gone = true;
      clearTimeout(timer);
    },
  };
}
