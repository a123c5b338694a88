// The state of the view is in the address, after "#", so that a view can be shared:
// #case=kazakhstan-2022&asof=2022-01-07&tab=questions&…

const listeners = new Set();
let current = read();

function read() {
  return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
}

export const address = {
  get(name, fallback = "") {
    return name in current ? current[name] : fallback;
  },
  // Set some names (null removes one). `push` makes a step that the back button undoes.
  set(values, { push = false } = {}) {
    const next = { ...current };
    for (const [name, value] of Object.entries(values)) {
      if (value === null || value === undefined || value === "") delete next[name];
      else next[name] = String(value);
    }
    change(next, push);
  },
  // Listen: f(set of changed names). Returns a function that ends it.
  onChange(f) {
    listeners.add(f);
    return () => listeners.delete(f);
  },
};

function change(next, push) {
  const names = new Set([...Object.keys(current), ...Object.keys(next)]);
  const changed = new Set([...names].filter((n) => current[n] !== next[n]));
  if (!changed.size) return;
  current = next;
  const hash = `#${new URLSearchParams(next)}`;
  if (location.hash !== hash) history[push ? "pushState" : "replaceState"](null, "", hash);
  for (const f of [...listeners]) f(changed);
}

function moved() {
  change(read(), false);
}
addEventListener("popstate", moved);
addEventListener("hashchange", moved);
