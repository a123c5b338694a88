// A slider that asks Python for a picture and shows what comes back. Texts are set as text, charts
// as images, lattices as pixels, so nothing that comes from a case can run.

// What the bytes of a lattice mean, in the colours of the page (Okabe and Ito).
const KINDS = [
  ["empty", [255, 255, 255]], ["quiet", [86, 180, 233]], ["active", [213, 94, 0]],
  ["police", [0, 0, 0]], ["jailed", [153, 153, 153]],
];
// Keys of a slider, which JupyterLab would take to go from cell to cell.
const KEYS = new Set([
  "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown",
]);
const PATIENCE = 10_000; // milliseconds without an answer until it is said that there is none

function draw(canvas, [width, height], cells) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    const [, colour] = KINDS[cells[i]] ?? KINDS[0];
    image.data.set([...colour, 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
}

function make(name, values = {}) {
  return Object.assign(document.createElement(name), values);
}

function keys() {
  const legend = make("p", { className: "keys", hidden: true });
  for (const [name, colour] of KINDS) {
    const swatch = make("i");
    swatch.style.background = `rgb(${colour})`;
    const entry = make("span");
    entry.append(swatch, name);
    legend.append(entry);
  }
  return legend;
}

function render({ model, el }) {
  const labels = model.get("labels");
  const title = make("strong", { textContent: model.get("title"), dir: "auto" });
  const slider = make("input", { type: "range", min: 0, max: labels.length - 1, value: 0 });
  slider.setAttribute("aria-label", model.get("title"));
  const label = make("output");
  const chart = make("img", { hidden: true });
  const lattice = make("canvas", { hidden: true });
  lattice.setAttribute("role", "img");
  const legend = keys();
  const text = make("p", { className: "says" });
  const problem = make("p", { className: "problem" });
  problem.setAttribute("role", "alert");
  el.classList.add("foedus-slider");
  el.append(title, slider, label, legend, chart, lattice, text, problem);

  const show = ({ text: words = "", svg = "", size, error = "" }, buffers) => {
    text.textContent = words;
    problem.textContent = error;
    chart.hidden = !svg;
    lattice.hidden = legend.hidden = !buffers?.length;
    if (svg) {
      chart.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svg);
      chart.alt = words;
    }
    if (buffers?.length) {
      const cells = buffers[0];
      draw(lattice, size, new Uint8Array(cells.buffer ?? cells, cells.byteOffset ?? 0));
      lattice.setAttribute("aria-label", words);
    }
  };

  // One question at a time: while the slider moves on, only its last place is asked for. What is
  // shown is faded until it is of the place that the label names.
  let asked = null;
  let timer = 0;
  const rest = () => {
    clearTimeout(timer);
    asked = null;
  };
  const fail = (error) => {
    rest();
    el.removeAttribute("aria-busy");
    show({ error });
  };
  const giveUp = () => fail("No answer from the kernel. It may still be at work; if it was "
    + "restarted, run this cell again.");
  const ask = () => {
    const at = Number(slider.value);
    label.textContent = labels[at];
    slider.setAttribute("aria-valuetext", labels[at]);
    el.setAttribute("aria-busy", "true");
    if (asked !== null) return;
    asked = at;
    timer = setTimeout(giveUp, PATIENCE);
    try {
      model.send({ at });
    } catch {
      giveUp();
    }
  };
  const answered = (message, buffers) => {
    const current = message.at === Number(slider.value);
    if (message.at !== asked && !current) return; // another view's, or too late
    if (message.at === asked) rest();
    show(message, buffers);
    if (current) el.removeAttribute("aria-busy");
    else ask();
  };
  model.on("msg:custom", answered);
  slider.addEventListener("input", ask);
  slider.addEventListener("keydown", (event) => {
    const alone = !(event.ctrlKey || event.altKey || event.metaKey || event.shiftKey);
    if (alone && KEYS.has(event.key)) event.stopPropagation();
  });
  ask();
  return () => {
    clearTimeout(timer);
    model.off("msg:custom", answered);
  };
}

export default { render };
