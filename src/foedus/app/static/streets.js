// The streets of one run from above: frames made once by the server, replayed on canvases.

import { addDays, amount, clear, day, h } from "./dom.js";

// The meanings of the bytes of a frame, with names and colours (Okabe and Ito).
const KINDS = [
  ["empty", [255, 255, 255]], ["quiet", [86, 180, 233]], ["active", [213, 94, 0]],
  ["police", [0, 0, 0]], ["jailed", [153, 153, 153]],
];
const SPEEDS = [1, 2, 4, 8, 15, 30, 60];
const people = (x) => amount(x, "people");
const TABLE = new Uint32Array(256);
const view32 = new Uint32Array(1);
const view8 = new Uint8Array(view32.buffer);
KINDS.forEach(([, [r, g, b]], kind) => {
  view8.set([r, g, b, 255]);
  [TABLE[kind]] = view32;
});

export function mount(element, context) {
  const { state } = context;
  let film = null; // {header, cells, size, offsets}
  let job = null;
  let playing = false;
  let tick = 0;
  let due = 0; // time at which the next tick is due
  let drawn = 0; // frames drawn, for the benchmark
  let request = 0;
  let shown = "";
  let panels = [];

  const slider = h("input", { type: "range", min: 0, max: 0, step: 1, value: 0, "aria-label": "time in the run", oninput: () => go(Number(slider.value)) });
  const playButton = h("button", { type: "button", class: "main play", onclick: toggle, "aria-keyshortcuts": "Space" }, "Play");
  const speed = h("select", { "aria-label": "speed", onchange: () => state.set({ "street.speed": speed.value }) },
    SPEEDS.map((s) => h("option", { value: s }, `${s} ticks a second`)));
  const clock = h("span", { class: "clock" });
  const told = h("p", { class: "small soft", role: "status" });
  const choice = h("select", { "aria-label": "run", onchange: () => state.set({ "street.run": choice.value }) });
  const lattices = h("div", { class: "lattices" });
  const note = h("p", { class: "soft" });
  const drawnBy = h("span", {});
  const controls = h("div", { class: "controls" },
    playButton,
    h("button", { type: "button", class: "back", "aria-label": "a tick back", onclick: () => step(-1) }, "◂ step"),
    h("button", { type: "button", class: "forth", "aria-label": "a tick forward", onclick: () => step(1) }, "step ▸"),
    speed, clock, slider);

  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const pace = () => {
    const wanted = Number(state.get("street.speed", calm ? "1" : "8"));
    return SPEEDS.includes(wanted) ? wanted : 8;
  };
  speed.value = pace();

  clear(element,
    h("p", {}, drawnBy, " Each square shows a city's possible participants and police; it is not a map."),
    h("div", { class: "controls" }, h("label", {}, "Run ", choice)),
    h("div", { class: "keys" }, KINDS.map(([name], k) => h("span", { class: ["swatch-white", "swatch-sky", "swatch-red", "swatch-black", "swatch-grey"][k] }, name))),
    controls, lattices, told, note);
  element.addEventListener("keydown", keys);

  function keys(event) {
    if (!film || event.target.closest("select, button, input")) {
      if (event.key !== " " || event.target.closest("button, select")) return;
    }
    if (event.key === " ") toggle();
    else if (event.key === "ArrowRight") step(1);
    else if (event.key === "ArrowLeft") step(-1);
    else return;
    event.preventDefault();
  }

  function runs() {
    return context.forecast?.picks || [];
  }

  function choose() {
    const list = runs();
    drawnBy.textContent = context.forecast?.before
      ? "One run of the model, drawn from all runs because too few agree with what was known."
      : "One run of the model, drawn by weight.";
    // A better forecast picks other runs, but the film being watched stays.
    const [date, watched] = shown.split(" ");
    const run = state.get("street.run") || (date === context.asOf ? watched : "")
      || (list.length ? String(list[Math.floor(list.length / 2)].run) : "");
    clear(choice,
      run && !list.some((p) => String(p.run) === run) ? h("option", { value: run }, `run ${run}`) : null,
      list.map((p) => h("option", { value: p.run },
        `run ${p.run}: ${people(p.deaths)} dead, ${people(p.crowd)} in the streets at most, ${people(p.troops)} allied troops`)));
    choice.value = run;
    return run;
  }

  async function load() {
    const bundle = context.forecast;
    if (!bundle) {
      clear(drawnBy, "One run of the model.");
      clear(note, "The forecast is being made; then its runs can be watched.");
      return;
    }
    const run = Number(choose());
    const total = bundle.forecast.sample.runs;
    const name = `${context.asOf} ${run}`;
    if (name === shown && (film || job)) return;
    shown = name;
    if (job) job.stop();
    pause();
    film = null;
    clear(lattices);
    controls.hidden = true;
    if (!Number.isInteger(run) || run < 0 || run >= total) {
      clear(note, `There is no run ${state.get("street.run")} among the first ${total.toLocaleString("en-GB")}.`);
      return;
    }
    clear(note, `Run ${run} is being filmed…`);
    const mine = context.compute("street", { run, runs: total }, { binary: true });
    job = mine;
    try {
      const bytes = await mine.result;
      if (job !== mine || bytes === null) return;
      job = null;
      open(bytes);
    } catch (error) {
      if (job !== mine) return;
      job = null;
      clear(note);
      context.fail(error);
    }
  }

  function open(bytes) {
    const length = new DataView(bytes).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length)));
    const cells = new Uint8Array(bytes, 4 + length);
    const offsets = [];
    let size = 0;
    for (const c of header.cities) {
      offsets.push(size);
      size += c.side * c.side;
    }
    if (!header.ticks) {
      clear(note, "The streets are switched off in this run, so there is nothing to see.");
      return;
    }
    film = { header, cells, size, offsets };
    clear(note);
    controls.hidden = false;
    panels = header.cities.map((c) => {
      const canvas = h("canvas", { width: c.side, height: c.side, role: "img", "aria-label": `streets of ${c.name}` });
      const ctx = canvas.getContext("2d", { alpha: false });
      const image = ctx.createImageData(c.side, c.side);
      return { city: c, canvas, ctx, image, pixels: new Uint32Array(image.data.buffer), words: h("span", {}), caption: null };
    });
    clear(lattices, panels.map((p) => h("figure", {}, p.canvas, h("figcaption", {}, h("b", {}, p.city.name), p.words))));
    slider.max = header.ticks - 1;
    go(Math.min(Number(state.get("street.tick", "0")) || 0, header.ticks - 1));
  }

  function go(to) {
    if (!film) return;
    tick = Math.max(0, Math.min(to, film.header.ticks - 1));
    draw();
  }

  function draw() {
    const { header, cells, size, offsets } = film;
    const base = tick * size;
    const today = Math.floor(tick / header.ticks_per_day);
    panels.forEach((p, c) => {
      const from = base + offsets[c];
      const n = p.pixels.length;
      let active = 0;
      let jailed = 0;
      for (let i = 0; i < n; i += 1) {
        const kind = cells[from + i];
        p.pixels[i] = TABLE[kind];
        if (kind === 2) active += 1;
        else if (kind === 4) jailed += 1;
      }
      p.ctx.putImageData(p.image, 0, 0);
      p.words.textContent = `${active} active, ${jailed} jailed; ${people(p.city.deaths[today])} dead so far`;
    });
    drawn += 1;
    element.dataset.drawn = drawn;
    element.dataset.tick = tick;
    slider.value = tick;
    const date = addDays(header.start, today);
    clock.textContent = `${day(date)}, tick ${(tick % header.ticks_per_day) + 1} of the day's ${header.ticks_per_day}`;
    slider.setAttribute("aria-valuetext", clock.textContent);
  }

  function say() {
    if (!film) return;
    const today = Math.floor(tick / film.header.ticks_per_day);
    told.textContent = `${clock.textContent}: ${film.header.cities.map((c) => `${c.name} ${people(c.crowd[today])} people in the streets`).join(", ")}; ${people(film.header.troops[today])} allied troops in the country.`;
  }

  function frame(now) {
    if (!playing) return;
    const gap = 1000 / pace();
    if (now >= due) {
      const late = Math.max(0, Math.min(Math.floor((now - due) / gap), 20));
      due = Math.max(due + gap * (1 + late), now - gap);
      if (tick >= film.header.ticks - 1) {
        pause();
        return;
      }
      go(tick + 1 + late);
    }
    request = requestAnimationFrame(frame);
  }

  function toggle() {
    if (playing) {
      pause();
      return;
    }
    if (!film) return;
    if (tick >= film.header.ticks - 1) go(0);
    playing = true;
    told.textContent = "";
    playButton.textContent = "Pause";
    due = performance.now();
    request = requestAnimationFrame(frame);
  }

  function pause() {
    if (playing) cancelAnimationFrame(request);
    playing = false;
    playButton.textContent = "Play";
    if (film) {
      state.set({ "street.tick": tick });
      say();
    }
  }

  function step(by) {
    pause();
    go(tick + by);
    if (film) state.set({ "street.tick": tick });
    say();
  }

  load();
  context.wantForecast();
  return {
    update(changed) {
      if (changed.has("street.speed")) speed.value = pace();
      if (changed.has("street.tick") && film && !playing) go(Number(state.get("street.tick", "0")) || 0);
      if (changed.has("asof") || changed.has("forecast") || changed.has("street.run")) load();
    },
    unmount() {
      playing = false;
      cancelAnimationFrame(request);
      if (job) job.stop();
    },
  };
}
