// Lines over the last samples, as SVG; the numbers of now stand beside them as text.
const space = "http://www.w3.org/2000/svg", W = 360, H = 150, L = 44, R = 6, T = 8, B = 20;

function shape(name, attributes, text) {
  const made = document.createElementNS(space, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

export const short = value => !Number.isFinite(value) ? "–"
  : value !== 0 && Math.abs(value) < 0.01 ? value.toExponential(1)
  : value >= 1e5 ? value.toExponential(1) : String(+value.toPrecision(3));

// The next of 1, 2, 5, 10 ... above.
function top(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map(step => step * power).find(step => step >= value * 0.999);
}

export class Chart {
  #names; #most; #legend; #picture; #title;

  constructor(place, title, names, most) {
    [this.#title, this.#names, this.#most] = [title, names, most];
    this.#picture = shape("svg", { viewBox: `0 0 ${W} ${H}`, role: "img" });
    this.#legend = names.map((_, i) => {
      const entry = document.createElement("span");
      entry.className = `c${i}`;
      return entry;
    });
    const legend = document.createElement("div");
    legend.className = "legend";
    legend.append(...this.#legend);
    place.replaceChildren(this.#picture, legend);
    this.draw([]);
  }

  // Samples, the oldest first: a time in seconds before now, and a value for each name (NaN for none).
  draw(samples) {
    const values = samples.flatMap(sample => sample.values).filter(Number.isFinite), high = top(Math.max(0, ...values));
    const X = age => W - R - age / this.#most * (W - L - R), Y = value => T + (1 - value / high) * (H - T - B);
    const parts = [0, high / 2, high].flatMap(value => [
      shape("line", { class: "axis", x1: L, x2: W - R, y1: Y(value), y2: Y(value) }),
      shape("text", { x: L - 5, y: Y(value) + 4, "text-anchor": "end" }, short(value)),
    ]);
    parts.push(
      shape("text", { x: L, y: H - 4 }, `${this.#most} s ago`),
      shape("text", { x: W - R, y: H - 4, "text-anchor": "end" }, "now"));
    const now = samples.at(-1)?.values ?? this.#names.map(() => NaN);
    this.#names.forEach((name, i) => {
      let line = [];
      const end = () => {
        // One value alone is a dot.
        if (line.length === 1) line.push(line[0]);
        if (line.length) parts.push(shape("polyline", { class: `curve s${i}`, points: line.join(" ") }));
        line = [];
      };
      for (const { age, values } of samples) {
        if (Number.isFinite(values[i])) line.push(`${X(age).toFixed(1)},${Y(values[i]).toFixed(1)}`); else end();
      }
      end();
      this.#legend[i].textContent = `${name} ${short(now[i])}`;
    });
    this.#picture.replaceChildren(...parts);
    const text = this.#names.map((name, i) => `${name} ${short(now[i])}`).join(", ");
    this.#picture.setAttribute("aria-label", `${this.#title}: ${text}`);
  }
}
