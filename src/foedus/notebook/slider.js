// A slider that asks Python for a picture and shows what comes back. Texts are set as text, charts
// as images, lattices as pixels, so nothing that comes from a case can run.

// Okabe and Ito, in an order that stays apart in grey: empty, quiet, active, police, jailed.
const COLOURS = [[255, 255, 255], [201, 208, 214], [213, 94, 0], [0, 114, 178], [0, 0, 0]];

function draw(canvas, [width, height], cells) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    const [r, g, b] = COLOURS[cells[i]] ?? COLOURS[0];
    image.data.set([r, g, b, 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
}

function make(name, values = {}) {
  return Object.assign(document.createElement(name), values);
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
  const text = make("p");
  el.classList.add("foedus-slider");
  el.append(title, slider, label, chart, lattice, text);

  // One question at a time: while the slider moves on, only its last place is asked for.
  let asked = null;
  const ask = () => {
    const at = Number(slider.value);
    label.textContent = labels[at];
    slider.setAttribute("aria-valuetext", labels[at]);
    if (asked !== null) return;
    asked = at;
    model.send({ at });
  };
  const answered = (message, buffers) => {
    if (message.at !== asked) return;
    asked = null;
    text.textContent = message.text;
    chart.hidden = !message.svg;
    lattice.hidden = !buffers?.length;
    if (message.svg) {
      chart.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(message.svg);
      chart.alt = message.text;
    }
    if (buffers?.length) {
      const cells = buffers[0];
      draw(lattice, message.size, new Uint8Array(cells.buffer ?? cells, cells.byteOffset ?? 0));
      lattice.setAttribute("aria-label", message.text);
    }
    if (Number(slider.value) !== message.at) ask();
  };
  model.on("msg:custom", answered);
  slider.addEventListener("input", ask);
  ask();
  return () => model.off("msg:custom", answered);
}

export default { render };
