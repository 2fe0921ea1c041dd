import { Chart, short } from "./charts.js";
import { Picture } from "./picture.js";

const every = 1000, most = 120, window10 = 10, keyName = "fastnn.key";
const address = name => new URL(`../${name}`, import.meta.url);
const at = id => document.getElementById(id);
const charts = {
  load: new Chart(at("chart-load"), "Requests per second", ["answered", "failed"], most),
  queue: new Chart(at("chart-queue"), "Calls now", ["under way", "waiting"], most),
  latency: new Chart(at("chart-latency"), "Latency of the last 10 seconds in milliseconds", ["median", "99th percentile"], most),
};
const picture = new Picture({
  section: at("picture"), model: at("picture-model"), range: at("picture-range"), invert: at("picture-invert"),
  file: at("picture-file"), drop: at("drop"),
  canvas: at("picture-canvas"), size: at("picture-size"), result: at("picture-result"),
}, headers);
let samples = [], known = null, models = [], paused = false, timer = 0, turn = 0;

function headers() {
  const key = sessionStorage.getItem(keyName);
  return key ? { "X-API-Key": key } : {};
}

function node(name, text, kind) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

// Only where it changes, so that nothing is read out again and again.
function say(text, bad = false) {
  const message = at("message");
  if (message.textContent !== text) message.textContent = text;
  message.classList.toggle("bad", bad);
}

function badge(text, kind) {
  const state = at("state");
  if (state.textContent !== text) state.textContent = text;
  state.className = `badge ${kind}`;
}

async function get(name) {
  const response = await fetch(address(name), { headers: headers(), cache: "no-store" });
  if (response.ok) return response.json();
  const error = await response.json().catch(() => ({}));
  throw Object.assign(new Error(error.error ?? `HTTP ${response.status}`), { status: response.status });
}

const bytes = count => {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let place = 0;
  for (; count >= 1024 && place < units.length - 1; place++) count /= 1024;
  return `${count >= 100 || place === 0 ? count.toFixed(0) : count.toFixed(1)} ${units[place]}`;
};

function span(seconds) {
  const [days, hours, minutes] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  return days ? `${days} d ${hours} h` : hours ? `${hours} h ${minutes} min` : minutes ? `${minutes} min` : `${seconds} s`;
}

// Tiles stay the same elements, so that a selection or a reader's place in them is kept.
function facts(list) {
  const place = at("facts");
  if (place.children.length !== list.length) {
    place.replaceChildren(...list.map(() => {
      const tile = node("div");
      tile.append(node("dt"), node("dd"));
      return tile;
    }));
  }
  list.forEach(([title, value, wide], i) => {
    const [head, text] = place.children[i].children;
    place.children[i].classList.toggle("wide", Boolean(wide));
    if (head.textContent !== title) head.textContent = title;
    if (text.textContent !== value) text.textContent = value;
  });
}

const tensor = one => `${one.name}: ${one.datatype} [${one.shape.map(extent => extent === -1 ? "any" : extent).join(", ")}]`;

function showModels() {
  at("models").replaceChildren(...models.map(model => {
    const card = node("li", undefined, "card"), head = node("div", undefined, "head"), title = node("h3", model.name);
    card.dataset.model = `${model.name}/${model.version}`;
    title.append(" ", node("span", `version ${model.version}`));
    head.append(title, node("span", model.state, `badge ${model.state}`));
    card.append(head);
    if (model.reason) card.append(node("p", model.reason, model.state === "failed" ? "bad" : "soft"));
    const list = node("dl", undefined, "tensors");
    const add = (name, text) => list.append(node("dt", name), text);
    for (const [name, all] of [["in", model.inputs], ["out", model.outputs]]) {
      for (const one of all) {
        const value = node("dd");
        value.append(node("code", tensor(one)));
        if (one.classes.length) value.append(` ${one.classes.length} classes`);
        add(name, value);
      }
    }
    if (model.platform) add("from", node("dd", model.platform));
    const calls = node("dd");
    calls.dataset.calls = "";
    add("calls", calls);
    card.append(list);
    return card;
  }));
  if (!models.length) at("models").append(node("li", "There is no model.", "card soft"));
  const shown = at("shown"), before = shown.value;
  shown.replaceChildren(
    new Option("all models", ""),
    ...models.map(one => new Option(`${one.name}, version ${one.version}`, `${one.name}/${one.version}`)));
  if (models.some(one => `${one.name}/${one.version}` === before)) shown.value = before;
}

function showCalls(data) {
  for (const model of data.models) {
    const place = document.querySelector(`[data-model="${CSS.escape(`${model.name}/${model.version}`)}"] [data-calls]`);
    if (!place) continue;
    const drift = model.drift === undefined ? "" : `, drift of the inputs ${short(model.drift)}`;
    const text = `${model.requests} (${model.failures} without an answer)${drift}`;
    if (place.textContent !== text) place.textContent = text;
  }
}

const add = (a, b) => a.length ? a.map((count, i) => count + (b[i] ?? 0)) : [...b];

// One sample of what is shown: counts since the beginning, and what is going on now.
function sum(data) {
  const shown = at("shown").value, sample = { time: data.time, answered: 0, failed: 0, active: 0, waiting: 0, latency: [] };
  for (const model of data.models) {
    if (shown && shown !== `${model.name}/${model.version}`) continue;
    sample.answered += model.requests - model.failures;
    sample.failed += model.failures;
    sample.active += model.active;
    sample.waiting += model.waiting;
    sample.latency = add(sample.latency, model.latency);
  }
  return sample;
}

// A quantile of a histogram in milliseconds, linear within its bucket.
function quantile(counts, bounds, share) {
  const total = counts.reduce((all, count) => all + count, 0);
  if (!total) return NaN;
  let rest = share * total;
  for (let i = 0; i < counts.length; i++) {
    if (counts[i] && rest <= counts[i]) {
      const low = i ? bounds[i - 1] : 0, high = bounds[i] ?? bounds.at(-1);
      return 1000 * (low + (high - low) * rest / counts[i]);
    }
    rest -= counts[i];
  }
  return NaN;
}

function draw() {
  const last = samples.at(-1), sums = samples.map(sum), bounds = last.bounds;
  const rows = sums.map((now, i) => {
    const age = (last.time - now.time) / 1000, before = sums[i - 1], seconds = before ? (now.time - before.time) / 1000 : NaN;
    // A service that was started anew counts from 0.
    const rate = key => Math.max(0, (now[key] - (before?.[key] ?? 0)) / seconds);
    const old = sums.find(one => now.time - one.time <= window10 * 1000 + every / 2);
    const counts = now.latency.map((count, place) => Math.max(0, count - (old === now ? count : old.latency[place] ?? 0)));
    return {
      age, load: [rate("answered"), rate("failed")], queue: [now.active, now.waiting],
      latency: [quantile(counts, bounds, 0.5), quantile(counts, bounds, 0.99)],
    };
  });
  for (const [name, chart] of Object.entries(charts)) chart.draw(rows.map(row => ({ age: row.age, values: row[name] })));
}

function askForKey(error) {
  const used = Boolean(sessionStorage.getItem(keyName));
  at("key-form").hidden = false;
  at("key-forget").hidden = !used;
  badge("locked", "failed");
  say(used ? `The key was refused: ${error.message}` : "This service asks for a key.", used);
}

async function poll() {
  try {
    const data = await get("data");
    if (data.revision !== known?.revision) {
      known = await get("models");
      models = known.models;
      showModels();
      picture.show(models, known.inference);
    }
    at("key-form").hidden = !sessionStorage.getItem(keyName);
    at("key-forget").hidden = at("key-form").hidden;
    if (samples.length && data.time < samples.at(-1).time) samples = [];
    samples.push(data);
    samples = samples.filter(sample => data.time - sample.time <= most * 1000);
    const count = state => models.filter(model => model.state === state).length, ready = count("ready"), failed = count("failed");
    badge(data.ready ? "ready" : failed ? "failed" : "loading", data.ready ? "ready" : failed ? "failed" : "loading");
    say(`${ready} of ${models.length} models are ready.`);
    facts([
      ["Uptime", span(data.uptime)], ["Process", bytes(data.memory.process)], ["Managed", bytes(data.memory.managed)],
      ["Pooled tensors", bytes(data.memory.buffers)],
      ...data.memory.devices.map(
        one => [`On ${one.kind.toUpperCase()}`, bytes(one.used) + (one.cached ? ` + ${bytes(one.cached)} kept` : "")]),
      ["Version", known.version], ["Runtime", known.runtime],
      ...(known.device ? [["Device", known.device, true]] : []),
    ]);
    showCalls(data);
    draw();
    return true;
  } catch (error) {
    if (error.status === 401 || error.status === 403) {
      askForKey(error);
      // Only a key changes that; asking on would fill the server's log.
      return false;
    }
    badge("unreachable", "failed");
    say(`No answer from the service: ${error.message}`, true);
    return true;
  }
}

async function run() {
  clearTimeout(timer);
  const mine = ++turn, again = await poll();
  if (mine === turn && again && !paused && !document.hidden) timer = setTimeout(run, every);
}

at("pause").addEventListener("click", () => {
  paused = !paused;
  at("pause").textContent = paused ? "Go on" : "Pause";
  at("pause").setAttribute("aria-pressed", String(paused));
  if (!paused) run();
});
document.addEventListener("visibilitychange", () => { if (!document.hidden && !paused) run(); });
at("shown").addEventListener("change", () => { if (samples.length) draw(); });
at("key-form").addEventListener("submit", event => {
  event.preventDefault();
  sessionStorage.setItem(keyName, at("key").value.trim());
  at("key").value = "";
  run();
});
at("key-forget").addEventListener("click", () => {
  sessionStorage.removeItem(keyName);
  [samples, known] = [[], null];
  run();
});
run();
