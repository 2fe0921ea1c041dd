"use strict";
const most = 2000, waiting = 1000, idle = 5000;
let run = "", next = 0, state = fresh();

function fresh() {
  return { recipe: "", seed: "", epochs: null, phases: new Map(), figures: new Map(), last: null, seconds: 0, end: null };
}

function phaseOf(name) {
  if (!state.phases.has(name)) state.phases.set(name, { steps: [], epochs: [] });
  return state.phases.get(name);
}

// Where a run was resumed, later lines of the same steps take the place of earlier ones.
function add(list, key, item) {
  while (list.length && list[list.length - 1][key] >= item[key]) list.pop();
  list.push(item);
  if (list.length > most) {
    let kept = list.filter((_, i) => i % 2 === 1);
    list.splice(0, list.length, ...kept);
  }
}

function take(line) {
  state.seconds = line.seconds;
  if (line.kind === "begin") {
    state.recipe = line.recipe; state.seed = line.seed; state.epochs = line.epochs ?? null; state.end = null;
    state.quick = line.quick;
  } else if (line.kind === "step") {
    state.last = line;
    if (line.loss !== undefined) add(phaseOf(line.phase).steps, "step", line);
  } else if (line.kind === "epoch") add(phaseOf(line.phase).epochs, "epoch", line);
  else if (line.kind === "figure") state.figures.set(line.name, line.value ?? NaN);
  else if (line.kind === "end") state.end = line;
}

const svg = "http://www.w3.org/2000/svg";
function node(name, attributes, text, space) {
  const made = space ? document.createElementNS(space, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

const short = v => Math.abs(v) >= 1e4 || (v !== 0 && Math.abs(v) < 1e-3) ? v.toExponential(1) : String(+v.toPrecision(4));

function ticks(low, high) {
  const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(m => m * power).find(s => s >= rough * 0.999), list = [];
  for (let n = Math.ceil(low / step); n * step <= high + step * 1e-9; n++) list.push(n * step);
  return list;
}

function chart(title, axis, lines) {
  lines = lines.filter(line => line.points.length);
  if (!lines.length) return null;
  const W = 480, H = 270, L = 52, R = 18, T = 10, B = 36, all = lines.flatMap(line => line.points);
  let x0 = Math.min(...all.map(p => p[0])), x1 = Math.max(...all.map(p => p[0]));
  let y0 = Math.min(...all.map(p => p[1])), y1 = Math.max(...all.map(p => p[1]));
  if (x1 <= x0) x1 = x0 + 1;
  const margin = y1 > y0 ? (y1 - y0) * 0.05 : y0 === 0 ? 0.5 : Math.abs(y0) * 0.1;
  y0 = y0 >= 0 && y0 - margin < 0 ? 0 : y0 - margin; y1 += margin;
  const X = x => L + (x - x0) / (x1 - x0) * (W - L - R), Y = y => T + (y1 - y) / (y1 - y0) * (H - T - B);
  const card = node("div", { class: "card" }), legend = node("div", { class: "legend" });
  card.append(node("h3", {}, title), legend);
  const picture = node("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": `${title} over ${axis}` }, undefined, svg);
  for (const t of ticks(y0, y1)) {
    picture.append(node("line", { class: "axis", x1: L, x2: W - R, y1: Y(t), y2: Y(t) }, undefined, svg),
      node("text", { x: L - 6, y: Y(t) + 4, "text-anchor": "end" }, short(t), svg));
  }
  for (const t of ticks(x0, x1).filter(Number.isInteger)) {
    picture.append(node("text", { x: X(t), y: H - B + 16, "text-anchor": "middle" }, String(t), svg));
  }
  picture.append(node("text", { x: W - R, y: H - 3, "text-anchor": "end" }, axis, svg));
  lines.forEach(line => {
    picture.append(node("polyline", { class: `curve s${line.color}`,
      points: (line.points.length > 1 ? line.points : [line.points[0], line.points[0]])
        .map((p, i) => `${(X(p[0]) + (line.points.length > 1 ? 0 : 4 * i - 2)).toFixed(1)},${Y(p[1]).toFixed(1)}`).join(" ") },
      undefined, svg));
    const entry = node("span");
    entry.append(node("span", { class: `s${line.color}`, style: "margin:0" }, "\u25CF"),
      ` ${line.name} ${short(line.points[line.points.length - 1][1])}`);
    legend.append(entry);
  });
  card.append(picture);
  return card;
}

function time(seconds) {
  const s = Math.max(0, Math.round(seconds)), two = n => String(n).padStart(2, "0");
  return s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
}

function mean(points) {
  const window = Math.max(1, Math.floor(points.length / 50));
  return points.map((p, i) => {
    const near = points.slice(Math.max(0, i + 1 - window), i + 1);
    return [p[0], near.reduce((sum, q) => sum + q[1], 0) / near.length];
  });
}

function draw() {
  const text = (id, value) => { document.getElementById(id).textContent = value; };
  if (!state.recipe) return;
  document.title = `${state.recipe} - fastnn watch`;
  text("recipe", state.recipe);
  const label = document.getElementById("state"), last = state.last, share = last ? last.step / last.steps : 0;
  label.className = state.end ? (state.end.state === "passed" ? "passed" : "missed") : "soft";
  label.textContent = state.end ? state.end.text : last ? `${last.phase || "training"}: step ${last.step} of ${last.steps}` : "starting";
  if (state.end && state.end.state !== "interrupted") {
    label.append("  ", node("a", { href: "/report.html" }, "report"));
  }
  document.getElementById("bar").value = state.end && state.end.state !== "interrupted" ? 1 : share;
  const tiles = [["seed", state.seed], ["time", time(state.seconds)]];
  if (state.epochs) tiles.push(["epochs", `${phaseOf("").epochs.length} of ${state.epochs}`]);
  if (last && last.loss !== undefined) tiles.push(["last loss", short(last.loss)]);
  document.getElementById("tiles").replaceChildren(...tiles.map(([name, value]) => {
    const tile = node("div", { class: "tile" });
    tile.append(node("b", {}, String(value)), node("span", {}, name));
    return tile;
  }));
  const cards = [];
  for (const [name, phase] of state.phases) {
    const steps = phase.steps.map(s => [s.step, s.loss]), of = key => phase.epochs.filter(e => e[key] !== undefined).map(e => [e.epoch, e[key]]);
    const title = name ? `, ${name}` : "";
    cards.push(chart(`Loss by step${title}`, "step", [{ name: "running mean", points: mean(steps), color: 0 }]),
      chart(`Loss by epoch${title}`, "epoch", [{ name: "training", points: of("loss"), color: 0 }, { name: "held out", points: of("heldLoss"), color: 1 }]),
      chart(`Accuracy${title}`, "epoch", [{ name: "training", points: of("accuracy"), color: 0 }, { name: "held out", points: of("heldAccuracy"), color: 1 }]));
  }
  document.getElementById("curves").replaceChildren(...cards.filter(card => card));
  document.getElementById("noted").hidden = state.figures.size === 0;
  document.getElementById("figures").replaceChildren(...[...state.figures].map(([name, value]) => {
    const row = node("tr");
    row.append(node("th", {}, name), node("td", {}, short(value)));
    return row;
  }));
}

async function follow() {
  let again = waiting;
  try {
    const reply = await fetch(`/progress?run=${run}&from=${next}`);
    if (reply.status === 200) {
      if (reply.headers.get("X-Run") !== run) { run = reply.headers.get("X-Run"); state = fresh(); }
      next = Number(reply.headers.get("X-Next"));
      const lines = (await reply.text()).split("\n").filter(line => line);
      lines.forEach(line => take(JSON.parse(line)));
      if (lines.length) draw();
      again = state.end ? idle : waiting;
    }
  } catch {
    document.getElementById("state").textContent = "fastnn watch has ended";
    again = idle;
  }
  setTimeout(follow, again);
}
follow();
