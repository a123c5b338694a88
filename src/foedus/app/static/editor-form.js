// The form: drawn from the JSON Schema of a case, so that it has every field that a case may have.
// Sections and rows are drawn when opened. Each mistake is shown beside its field.

import { clear, h } from "./dom.js";

// What a field refers to, by its name.
const REFERS = {
  source: "sources", border_source: "sources", place: "places", part_of: "actors", actor: "actors",
  speaker: "actors", member: "actors", lead: "actors", requester: "actors",
};
const FIRST = ["frame", "sources", "places", "actors", "alliance", "triggers", "facts", "questions"];
const LONG = new Set(["summary", "text", "says", "note"]);
const SECTION_WORDS = {
  frame: "Title and dates", sources: "Sources", places: "Places", actors: "Actors",
  alliance: "Alliance and members", ties: "Ties", triggers: "What started it", calendar: "Calendar",
  facts: "Facts", priors: "Priors", mechanisms: "Mechanisms", hypotheses: "Explanations",
  questions: "Questions", outcomes: "Outcomes",
};
const ONE = {
  sources: "a source", places: "a place", actors: "an actor", members: "a member", patrons: "a patron",
  treaty: "an article", updates: "an update", triggers: "a trigger", calendar: "a date", facts: "a fact", priors: "a prior",
  hypotheses: "an explanation", questions: "a question", outcomes: "an outcome",
};

let serial = 0;

export function form(element, driver) {
  const { schema } = driver;
  const open = new Set(["frame"]); // groups that are open, by dotted path

  const deref = (s) => (s.$ref ? { ...schema.$defs[s.$ref.split("/").pop()], ...without(s, "$ref") } : s);

  // {kind, schema, optional}: what a field is, without "or nothing".
  function kindOf(raw) {
    let s = deref(raw);
    if (s.anyOf && s.anyOf.some((o) => o.type === "null")) {
      const rest = s.anyOf.filter((o) => o.type !== "null");
      if (rest.length === 1) s = { ...without(s, "anyOf"), ...deref(rest[0]), description: s.description || rest[0].description };
    }
    if (s.discriminator) return { kind: "prior", schema: s };
    if (s.enum) return { kind: "enum", schema: s };
    if (s.anyOf) return { kind: "value", schema: s };
    if (s.type === "boolean") return { kind: "boolean", schema: s };
    if (s.type === "number" || s.type === "integer") return { kind: "number", schema: s };
    if (s.type === "array") {
      const item = deref(s.items);
      if (item.enum) return { kind: "words", schema: s, item };
      return item.type === "object" ? { kind: "rows", schema: s, item } : { kind: "list", schema: s, item };
    }
    if (s.type === "object") {
      if (s.properties) return { kind: "group", schema: s };
      return { kind: "named", schema: s, item: deref(s.additionalProperties || Object.values(s.patternProperties)[0]) };
    }
    return { kind: "text", schema: s };
  }

  function at(path) {
    return path.reduce((d, part) => (d === null || d === undefined ? undefined : d[part]), driver.doc.data);
  }

  // --- fields ---------------------------------------------------------------------------------

  function field(path, name, raw, required) {
    const { kind, schema: s, item } = kindOf(raw);
    if (kind === "group") return group(path, words(name), s.description, () => fields(path, s));
    if (kind === "rows" || kind === "named") return collection(path, name, kind, item, s.description);
    if (kind === "prior") return group(path, words(name), s.description, () => prior(path, s));
    const id = `f${(serial += 1)}`;
    const value = at(path);
    const odd = typeof value === "object" && value !== null && kind !== "words" && kind !== "list";
    const label = h("label", { for: id }, words(name), required ? h("span", { class: "needed" }, " (required)") : null);
    const hint = h("span", { class: "hint", id: `${id}h` }, described(s));
    const error = h("span", { class: "field-error", id: `${id}e` });
    const common = { id, "data-field": dotted(path), "aria-describedby": `${id}e ${id}h` };
    let input;
    if (odd) input = h("input", { ...common, type: "text", value: "see the text of the file", readonly: true });
    else if (kind === "enum" || (REFERS[name] && s.pattern)) input = choice(common, path, name, s, value);
    else if (kind === "boolean") input = select(common, path, [["", unset(s)], ["true", "yes"], ["false", "no"]], value === undefined ? "" : String(value), (v) => (v === "" ? undefined : v === "true" ? true : v === "false" ? false : v));
    else if (kind === "words") return checks(path, name, s, item, value, id, required);
    else if (LONG.has(name)) {
      input = h("textarea", { ...common, rows: Math.min(6, 1 + Math.ceil(String(value ?? "").length / 70)), oninput: () => driver.set(path, texted("text", input.value.replace(/\s*\n\s*/g, " "))) });
      input.value = shown(value);
    } else {
      const settle = () => driver.set(path, texted(kind, input.value));
      input = h("input", { ...common, type: "text", inputmode: kind === "number" ? "decimal" : null,
        placeholder: s.format === "date" ? "2022-01-07" : null, spellcheck: kind === "text", autocomplete: "off", oninput: settle });
      input.value = kind === "list" && Array.isArray(value) ? value.join(", ") : shown(value);
    }
    return h("div", { class: `field kind-${kind}` }, label, input, error, hint);
  }

  function described(s) {
    const rest = s.default !== undefined && s.default !== null && typeof s.default !== "object" ? ` If left empty: ${s.default === true ? "yes" : s.default === false ? "no" : s.default}.` : "";
    return `${s.description || ""}${rest}`;
  }

  function unset(s) {
    return s.default === undefined ? "default" : `default (${s.default ? "yes" : "no"})`;
  }

  function select(common, path, options, value, read = (v) => (v === "" ? undefined : v)) {
    const known = options.some(([v]) => v === value);
    const input = h("select", { ...common, onchange: () => driver.set(path, read(input.value)) },
      (known ? options : [...options, [value, `${value} (not one of these)`]]).map(([v, text]) => h("option", { value: v }, text)));
    input.value = value;
    return input;
  }

  function choice(common, path, name, s, value) {
    const data = driver.doc.data;
    let names = s.enum;
    if (!names) {
      const pool = name === "member" || name === "lead" || name === "requester"
        ? (data.alliance?.members || []).map?.((m) => m?.actor) || []
        : name === "question" ? [] : Object.keys(data[REFERS[name]] || {});
      names = [...new Set(pool.filter((p) => typeof p === "string"))];
    }
    return select(common, path, [["", "(none)"], ...names.map((n) => [String(n), String(n)])], value === undefined || value === null ? "" : String(value));
  }

  function checks(path, name, s, item, value, id, required) {
    const on = new Set(Array.isArray(value) ? value : []);
    const error = h("span", { class: "field-error", id: `${id}e` });
    const settle = () => driver.set(path, item.enum.filter((w) => on.has(w)));
    return h("fieldset", { class: "field words", "data-field": dotted(path), tabindex: -1, "aria-describedby": `${id}e` },
      h("legend", {}, words(name), required ? h("span", { class: "needed" }, " (required)") : null), error,
      item.enum.map((word) => {
        const box = h("input", { type: "checkbox", checked: on.has(word), onchange: () => { if (box.checked) on.add(word); else on.delete(word); settle(); } });
        return h("label", { class: "check" }, box, words(word));
      }));
  }

  function fields(path, s) {
    const needed = new Set(s.required || []);
    const value = at(path);
    const parts = Object.entries(s.properties).map(([name, raw]) => field([...path, name], name, raw, needed.has(name)));
    const strange = value && typeof value === "object" && !Array.isArray(value) ? Object.keys(value).filter((k) => !(k in s.properties)) : [];
    return [...parts, ...strange.map((name) => unknown([...path, name], name))];
  }

  function unknown(path, name) {
    return h("div", { class: "field unknown", "data-field": dotted(path), tabindex: -1 },
      h("span", {}, name), h("span", { class: "field-error" }),
      h("button", { type: "button", onclick: () => driver.reshape([{ op: "remove", path }], parentOf(path)) }, `Remove ${name}`));
  }

  function prior(path, s) {
    const value = at(path);
    const dist = value && typeof value === "object" ? value.dist : undefined;
    const id = `f${(serial += 1)}`;
    const common = { id, "data-field": dotted([...path, "dist"]), "aria-describedby": `${id}e` };
    const options = [["", "(none)"], ...Object.keys(s.discriminator.mapping).map((n) => [n, n])];
    const pick = select(common, path, options, dist === undefined ? "" : String(dist));
    pick.addEventListener("change", () => driver.reshape([{ op: "set", path, value: pick.value ? { dist: pick.value } : {} }], dotted([...path, "dist"])));
    const ref = s.discriminator.mapping[dist];
    const rest = ref ? fields(path, withoutField(deref({ $ref: ref }), "dist")) : [];
    return [h("div", { class: "field" }, h("label", { for: id }, "distribution", h("span", { class: "needed" }, " (required)")), pick, h("span", { class: "field-error", id: `${id}e` })), ...rest];
  }

  // --- groups and rows ------------------------------------------------------------------------

  function group(path, title, hint, draw, more = null) {
    const key = typeof path === "string" ? path : dotted(path);
    const body = h("div", { class: "group-body" });
    const heading = h("summary", {}, h("span", { class: "group-title" }, title), " ", h("span", { class: "count" }));
    const box = h("details", { class: "group", "data-group": key }, heading, body);
    const fill = () => {
      if (body.dataset.drawn) return;
      body.dataset.drawn = "1";
      clear(body, hint ? h("p", { class: "hint" }, hint.split("\n\n")[0]) : null, h("p", { class: "field-error group-error" }), draw(), more);
    };
    if (open.has(key)) {
      box.open = true;
      fill();
    }
    box.addEventListener("toggle", () => {
      if (box.open) {
        open.add(key);
        fill();
        marks();
      } else open.delete(key);
    });
    return box;
  }

  function collection(path, name, kind, item, hint) {
    const value = at(path);
    const rows = kind === "rows" ? (Array.isArray(value) ? value.map((_, i) => i) : []) : Object.keys(value && typeof value === "object" && !Array.isArray(value) ? value : {});
    const draw = () => [
      rows.map((key) => row([...path, key], kind, item, name)),
      h("button", { type: "button", class: "add", "data-add": dotted(path), onclick: () => add(path, kind, item, name) }, `Add ${ONE[name] || "one"}`),
    ];
    return group(path, `${SECTION_WORDS[name] || words(name)} (${rows.length})`, hint, draw);
  }

  function row(path, kind, item, name) {
    const draw = () => [
      kind === "named" ? keyField(path) : null,
      item.discriminator ? prior(path, item) : item.properties ? fields(path, item) : field(path, name, item, true),
    ];
    const remove = h("button", { type: "button", class: "remove", onclick: () => driver.reshape([{ op: "remove", path }], dotted(path.slice(0, -1))) }, `Remove ${rowName(path).split(": ")[0]}`);
    return group(path, rowName(path), null, draw, remove);
  }

  function rowName(path) {
    const value = at(path);
    const key = path.at(-1);
    const v = value && typeof value === "object" ? value : {};
    const head = typeof key === "string" ? key : v.id || v.actor || v.question || v.place || v.number || v.date || `number ${key + 1}`;
    const tail = v.name || v.title || v.text || v.says || v.dist || "";
    const line = tail && tail !== head ? `${head}: ${tail}` : String(head);
    return line.length > 90 ? `${line.slice(0, 89)}…` : line;
  }

  function keyField(path) {
    const id = `f${(serial += 1)}`;
    const old = path.at(-1);
    const error = h("span", { class: "field-error", id: `${id}e` });
    const input = h("input", { id, type: "text", "data-key": dotted(path), spellcheck: "false", autocomplete: "off", "aria-describedby": `${id}e ${id}h`, onchange: () => {
      const name = input.value.trim();
      const taken = Object.keys(at(path.slice(0, -1)) || {});
      if (name === old) return;
      if (!name || taken.includes(name)) {
        error.textContent = name ? "this name is already taken" : "a short name";
        input.setAttribute("aria-invalid", "true");
        return;
      }
      const collectionName = path.at(-2);
      const edits = [{ op: "rename", path, value: name }, ...references(collectionName, old).map((p) => ({ op: "set", path: p, value: name }))];
      const next = [...path.slice(0, -1), name];
      open.add(dotted(next));
      driver.reshape(edits, `key:${dotted(next)}`);
    } });
    input.value = old;
    return h("div", { class: "field" }, h("label", { for: id }, "short name", h("span", { class: "needed" }, " (required)")), input, error,
      h("span", { class: "hint", id: `${id}h` }, "The name used in the rest of the file; a new name is put in everywhere."));
  }

  function references(collectionName, old) {
    const found = [];
    const walk = (value, path) => {
      if (value === null || typeof value !== "object") return;
      for (const [key, inner] of Object.entries(value)) {
        const part = Array.isArray(value) ? Number(key) : key;
        if (inner === old && REFERS[key] === collectionName) found.push([...path, part]);
        else walk(inner, [...path, part]);
      }
    };
    if (Object.values(REFERS).includes(collectionName)) walk(driver.doc.data, []);
    return found;
  }

  function add(path, kind, item, name) {
    const value = at(path);
    open.add(dotted(path));
    if (kind === "named") {
      const taken = Object.keys(value || {});
      const stem = name === "priors" ? "streets.vision" : `new-${(ONE[name] || "a row").split(" ").pop()}`;
      const key = numbered(stem, taken);
      open.add(dotted([...path, key]));
      driver.reshape([{ op: "set", path: [...path, key], value: {} }], `key:${dotted([...path, key])}`);
      return;
    }
    const rows = Array.isArray(value) ? value : [];
    const fresh = item.properties?.id ? { id: numbered((ONE[name] || "a row").split(" ").pop(), rows.map((r) => r?.id)) } : {};
    const here = [...path, rows.length];
    open.add(dotted(here));
    driver.reshape([{ op: "append", path, value: fresh }], dotted([...here, Object.keys(item.properties)[0]]));
  }

  // --- mistakes -------------------------------------------------------------------------------

  function marks() {
    for (const e of element.querySelectorAll(".field-error")) clear(e);
    for (const e of element.querySelectorAll('[aria-invalid="true"]')) e.removeAttribute("aria-invalid");
    for (const e of element.querySelectorAll(".count")) clear(e);
    for (const p of driver.doc.problems) {
      const message = `${p.expected}${p.found && p.found !== "nothing" ? ` (found ${p.found})` : ""}`;
      const home = owner(p.field);
      if (home) {
        const error = home.closest(".field, .words")?.querySelector(".field-error") || home.querySelector(".group-error");
        if (error) error.append(error.textContent ? "; " : "", message);
        home.setAttribute("aria-invalid", "true");
      }
    }
    for (const box of element.querySelectorAll("details.group")) {
      const key = box.dataset.group;
      const n = driver.doc.problems.filter((p) => within(p.field, key)).length;
      const count = box.querySelector(":scope > summary .count");
      if (n) count.textContent = `${n} ${n === 1 ? "mistake" : "mistakes"}`;
      box.classList.toggle("has-mistakes", n > 0);
    }
  }

  function within(name, key) {
    if (key === "frame") return FRAME.has(name.split(".")[0]);
    return name === key || name.startsWith(`${key}.`);
  }

  // The drawn field of a dotted name, or the nearest drawn and open group around it.
  function owner(name) {
    const key = by("data-key", name) && !by("data-field", name) ? by("data-key", name) : null;
    if (key) return key;
    for (let part = name; part; part = part.includes(".") ? part.slice(0, part.lastIndexOf(".")) : "") {
      const exact = by("data-field", part) || by("data-group", part);
      if (exact && (exact.tagName !== "DETAILS" || exact.querySelector(".group-error"))) return exact;
    }
    return null;
  }

  function by(attribute, value) {
    return [...element.querySelectorAll(`[${attribute}]`)].find((e) => e.getAttribute(attribute) === value) || null;
  }

  const FRAME = new Set(Object.entries(schema.properties).filter(([, raw]) => !["group", "rows", "named"].includes(kindOf(raw).kind)).map(([n]) => n));

  function frame() {
    const needed = new Set(schema.required);
    return [...FRAME].map((name) => field([name], name, schema.properties[name], needed.has(name)));
  }

  return {
    render(focus = null) {
      if (!driver.doc.editable) {
        clear(element, h("p", { class: "bad" }, "The text cannot be shown as a form yet. "),
          h("button", { type: "button", onclick: () => driver.toText(driver.doc.problems[0]?.line || 1) }, "Correct it in the text"));
        return;
      }
      const rest = Object.keys(schema.properties).filter((n) => !FRAME.has(n));
      const order = [...FIRST.filter((n) => n === "frame" || rest.includes(n)), ...rest.filter((n) => !FIRST.includes(n))];
      const data = driver.doc.data;
      const strange = Object.keys(data).filter((k) => !(k in schema.properties));
      clear(element, h("div", { class: "form" },
        order.map((name) => {
          if (name === "frame") return group("frame", SECTION_WORDS.frame, null, () => [frame(), strange.map((k) => unknown([k], k))]);
          const { kind, schema: s, item } = kindOf(schema.properties[name]);
          const title = SECTION_WORDS[name] || words(name);
          return kind === "group" ? group([name], title, s.description, () => fields([name], s)) : collection([name], name, kind, item, s.description);
        })));
      marks();
      if (focus) this.find(focus);
    },
    refresh() {
      if (!driver.doc.editable || !element.querySelector(".form")) {
        this.render();
        return;
      }
      marks();
      for (const box of element.querySelectorAll("details.group[data-group]")) {
        const path = pathOf(box.dataset.group);
        if (path) box.querySelector(":scope > summary .group-title").textContent = rowName(path);
      }
    },
    // Open the groups around a field and go to it; false if there is no such field.
    find(name) {
      const key = name.startsWith("key:") ? name.slice(4) : null;
      const wanted = key ?? name;
      const parts = wanted.split(".");
      const top = FRAME.has(parts[0]) || !(parts[0] in schema.properties) ? "frame" : null;
      const opened = top ? [top] : parts.map((_, i) => parts.slice(0, i + 1).join("."));
      for (const g of opened) {
        const box = by("data-group", g);
        if (box && !box.open) {
          box.open = true;
          open.add(g);
          box.dispatchEvent(new Event("toggle"));
        }
      }
      const target = (key && by("data-key", key)) || by("data-field", wanted) || by("data-key", wanted) || owner(wanted);
      if (!target) return false;
      const to = target.tagName === "DETAILS" ? target.querySelector("summary") : target;
      to.scrollIntoView({ block: "center" });
      to.focus();
      return true;
    },
  };

  // The path of a row's group (in a list or a mapping of rows), else null.
  function pathOf(key) {
    const parts = key.split(".");
    for (const length of [1, 2]) {
      if (parts.length <= length) continue;
      const parent = parts.slice(0, length);
      const value = at(parent);
      const rest = parts.slice(length).join(".");
      if (Array.isArray(value) && /^\d+$/.test(rest)) return [...parent, Number(rest)];
      if (value && !Array.isArray(value) && rest in value && ["sources", "places", "actors", "priors"].includes(parent.join("."))) return [...parent, rest];
    }
    return null;
  }
}

function parentOf(path) {
  return dotted(path.slice(0, -1)) || "title";
}

function without(object, name) {
  const { [name]: _, ...rest } = object;
  return rest;
}

function withoutField(s, name) {
  return { ...s, properties: without(s.properties, name) };
}

function dotted(path) {
  return path.join(".");
}

function words(name) {
  return name.replaceAll("_", " ");
}

function shown(value) {
  return value === undefined || value === null ? "" : String(value);
}

function numbered(stem, taken) {
  let name = stem;
  for (let n = 2; taken.includes(name); n += 1) name = `${stem}-${n}`;
  return name;
}

// Convert typed text to a value of the file; empty text means no such field.
function texted(kind, typed) {
  const text = typed.trim();
  if (text === "") return undefined;
  if (kind === "list") return text.split(",").map((t) => t.trim()).filter(Boolean).map((t) => texted("value", t));
  if (kind === "text") return text;
  if (kind === "value" && (text === "true" || text === "false")) return text === "true";
  if (kind === "value" && text === "null") return null;
  const n = Number(text);
  const plain = /^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,3})?$/.test(text) && Number.isFinite(n);
  return plain && Math.abs(n) <= Number.MAX_SAFE_INTEGER ? n : text;
}
