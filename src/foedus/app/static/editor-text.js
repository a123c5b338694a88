// The whole file as text, with line numbers, and each mistake at the end of its line.

import { clear, h } from "./dom.js";

export function textView(element, driver) {
  const numbers = h("pre", { class: "numbers", "aria-hidden": "true" });
  const area = h("textarea", { id: "editor-text", spellcheck: "false", autocomplete: "off", autocapitalize: "off",
    wrap: "off", "aria-label": "Text of the case file", "aria-describedby": "editor-summary",
    oninput: () => { driver.type(area.value); size(); } });
  const notes = h("div", { class: "line-notes", "aria-hidden": "true" });
  const sheet = h("div", { class: "sheet" }, numbers, h("div", { class: "paper" }, area, notes));

  function lines() {
    return area.value.split("\n");
  }

  function size() {
    const all = lines();
    numbers.textContent = all.map((_, i) => i + 1).join("\n");
    area.rows = all.length + 1;
    const longest = all.reduce((most, line) => Math.max(most, line.length), 40);
    area.style.width = `${longest + 4}ch`;
  }

  function marks() {
    const all = lines();
    const perLine = new Map();
    for (const p of driver.doc.problems) {
      if (!p.line) continue;
      perLine.set(p.line, [...(perLine.get(p.line) || []), p]);
    }
    area.setAttribute("aria-invalid", driver.doc.problems.length > 0);
    clear(
      notes,
      [...perLine].map(([line, problems]) => {
        const note = h("div", { class: "line-note", "data-line": line },
          problems.map((p) => `${p.expected}${p.found ? ` (found ${p.found})` : ""}`).join("; "));
        note.style.top = `calc(${line - 1} * var(--line))`;
        note.style.left = `${(all[line - 1] || "").length + 2}ch`;
        const bar = h("div", { class: "line-bar" });
        bar.style.top = note.style.top;
        return [bar, note];
      }),
    );
  }

  return {
    render() {
      clear(element, sheet);
      area.value = driver.doc.text;
      size();
      marks();
    },
    refresh() {
      if (area.value !== driver.doc.text && document.activeElement !== area) {
        area.value = driver.doc.text;
        size();
      }
      marks();
    },
    go(line) {
      const all = lines();
      const start = all.slice(0, line - 1).reduce((n, l) => n + l.length + 1, 0);
      area.focus();
      area.setSelectionRange(start, start + (all[line - 1] || "").length);
      const height = numbers.clientHeight / Math.max(1, all.length);
      sheet.scrollTop = Math.max(0, (line - 5) * height);
      sheet.scrollLeft = 0;
    },
    find() { return false; },
  };
}
