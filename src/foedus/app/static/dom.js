// Elements without markup: text from a case never becomes HTML.

// h("p", {class: "note", onclick: f}, "text", child, …): attributes are set, functions listen,
// children are nodes or text; null and false children are left out.
export function h(tag, attributes = {}, ...children) {
  const svg = SVG.has(tag);
  const element = svg
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) {
      if (typeof value !== "function") throw new TypeError(`${name} needs a function`);
      element.addEventListener(name.slice(2), value);
    } else if (name === "href" || name === "src") {
      if (!/^(#|\/(?!\/))/.test(value)) throw new TypeError("foreign addresses go through link()");
      element.setAttribute(name, value);
    } else if (name === "style") throw new TypeError("styles go into style.css or .style");
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(9).filter((c) => c !== null && c !== undefined && c !== false));
  return element;
}
const SVG = new Set(["svg", "g", "path", "line", "rect", "circle", "text", "polyline", "polygon", "title", "desc"]);

// A link from a case: only http and https, in a new tab and without a referrer; else plain text.
export function link(address, text) {
  let url = null;
  try {
    url = new URL(String(address));
  } catch {
    return document.createTextNode(text);
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return document.createTextNode(text);
  const a = document.createElement("a");
  a.href = url.href;
  a.rel = "noopener noreferrer nofollow";
  a.target = "_blank";
  a.textContent = text;
  return a;
}

export function clear(element, ...children) {
  element.replaceChildren(...children.flat(9).filter((c) => c !== null && c !== undefined && c !== false));
  return element;
}

// Like clear, but a `details` with `data-keep` that the reader has opened stays open.
export function redraw(element, ...children) {
  const open = new Set([...element.querySelectorAll("details[data-keep][open]")].map((d) => d.dataset.keep));
  clear(element, ...children);
  for (const d of element.querySelectorAll("details[data-keep]")) d.open = open.has(d.dataset.keep);
  return element;
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
// "2022-01-07" or "2022-01-07T16:30" as "7 Jan 2022" or "7 Jan 2022, 16:30"
export function day(text, { year = true } = {}) {
  if (!text) return "";
  const [date, time] = String(text).split(/[T ]/);
  const [y, m, d] = date.split("-").map(Number);
  const clock = time ? `, ${time.slice(0, 5)}` : "";
  return `${d} ${MONTHS[m - 1]}${year ? ` ${y}` : ""}${clock}`;
}

// a probability as a whole percentage; never 0% or 100%, which runs cannot show
export function percent(p) {
  if (p === null || p === undefined || Number.isNaN(p)) return "unknown";
  if (p < 0.01) return "<1%";
  if (p > 0.99) return ">99%";
  return `${Math.round(100 * p)}%`;
}

// three significant figures, with thousands separators
export function number(x) {
  if (x === null || x === undefined || Number.isNaN(x)) return "unknown";
  if (x === 0) return "0";
  const rounded = Number(x.toPrecision(3));
  if (Math.abs(rounded) < 1e-5) return String(rounded.toExponential());
  return rounded.toLocaleString("en-GB", { maximumFractionDigits: 3, maximumSignificantDigits: 3 });
}

// the same in a unit: people and cities are whole
export function amount(x, unit) {
  return number(typeof x === "number" && (unit === "people" || unit === "cities") ? Math.round(x) : x);
}

// for content that may be wider than the screen; the keyboard can scroll it too
export function scrolling(label, ...children) {
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, children);
}

// whether a text is a day such as 2022-01-07
export function isDay(text) {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && Number.isFinite(Date.parse(text)) && addDays(text, 0) === text;
}
export function addDays(date, n) {
  const at = new Date(`${date}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() + n);
  return at.toISOString().slice(0, 10);
}
export function daysBetween(a, b) {
  return Math.round((Date.parse(`${b}T00:00:00Z`) - Date.parse(`${a}T00:00:00Z`)) / 86400000);
}
