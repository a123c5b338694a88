// Talking to the server: JSON in and out, and jobs.

export class ServerError extends Error {
  constructor(message, status, problems = []) {
    super(message);
    this.status = status;
    this.problems = problems;
  }
}

// GET a path with parameters; throws ServerError with the server's message.
export async function fetchJSON(path, params = {}) {
  return (await request("GET", withParams(path, params))).json();
}

// POST (or PUT, DELETE) plain values.
export async function sendJSON(path, body, method = "POST") {
  return (await request(method, path, body)).json();
}

// GET bytes.
export async function fetchBytes(path, params = {}) {
  return (await request("GET", withParams(path, params))).arrayBuffer();
}

function withParams(path, params) {
  const query = new URLSearchParams(params).toString();
  return query ? `${path}?${query}` : path;
}

async function request(method, path, body) {
  const options = { method, headers: {}, credentials: "same-origin", redirect: "error" };
  if (body !== undefined) {
    options.keepalive = path === "/api/jobs/stop"; // also while the page closes
    options.body = JSON.stringify(body);
    options.headers = { "Content-Type": "application/json", "X-Foedus": "1" };
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new ServerError("The server does not answer. Is foedus serve still running?", 0);
  }
  if (response.ok) return response;
  let told = {};
  try {
    told = await response.json();
  } catch {
    /* no message */
  }
  throw new ServerError(told.error || `error ${response.status}`, response.status, told.problems);
}

// Start a job and follow it. Returns {result, stop}: `result` is a promise of the value (null if
// stopped); `onProgress({done, total, note, state})` and `onPartial(value)` are called meanwhile.
export function compute(kind, params, { onProgress = () => {}, onPartial = () => {}, binary = false } = {}) {
  let id = null;
  let stopped = false;
  const get = (key) => (binary ? fetchBytes("/api/result", { key }) : fetchJSON("/api/result", { key }));
  const withdraw = async () => {
    if (id !== null) await sendJSON("/api/jobs/stop", { id }).catch(() => {});
  };
  const result = (async () => {
    let job = await sendJSON("/api/jobs", { kind, ...params });
    id = job.id;
    if (stopped) await withdraw();
    let seen = 0;
    let wait = 60;
    while (job.state === "queued" || job.state === "running") {
      if (stopped) return null;
      onProgress(job);
      if (job.version > seen) {
        seen = job.version;
        const value = await get(job.key).catch(() => null);
        if (value !== null && !stopped) onPartial(value);
      }
      await new Promise((done) => setTimeout(done, wait));
      wait = Math.min(wait * 1.5, 700);
      job = await fetchJSON("/api/jobs", { id: job.id });
    }
    if (stopped || job.state === "stopped") return null;
    if (job.state === "failed") throw new ServerError(job.error, 500);
    onProgress(job);
    return get(job.key);
  })();
  const stop = () => {
    if (stopped) return;
    stopped = true;
    withdraw();
  };
  return { result, stop };
}
