// An image goes to a model: scaled to its size, in its layout, by the protocol's binary form.
const types = { FP32: Float32Array, UINT8: Uint8Array };
const openSize = 224, shownClasses = 5;
const mean = [0.485, 0.456, 0.406], deviation = [0.229, 0.224, 0.225];

// What an input of an image looks like: [.., H, W, C] or [.., C, H, W] of 1 or 3 channels; null for another.
export function layoutOf(model) {
  if (model.state !== "ready" || model.inputs.length !== 1 || !model.outputs.length) return null;
  const { shape, datatype } = model.inputs[0], type = types[datatype];
  if (!type || shape.length < 3 || !shape.slice(0, -3).every(extent => extent === -1 || extent === 1)) return null;
  const [a, b, c] = shape.slice(-3), isChannels = extent => extent === 1 || extent === 3;
  const size = extent => extent === -1 ? openSize : extent;
  const leading = shape.slice(0, -3).map(() => 1);
  if (isChannels(c) && a !== 0 && b !== 0) {
    return { last: true, height: size(a), width: size(b), channels: c, type, shape: [...leading, size(a), size(b), c] };
  }
  return isChannels(a)
    ? { last: false, height: size(b), width: size(c), channels: a, type, shape: [...leading, a, size(b), size(c)] }
    : null;
}

// The whole image in the middle of the canvas, on black.
async function draw(canvas, file, layout, invert) {
  const image = await createImageBitmap(file);
  const scale = Math.min(layout.width / image.width, layout.height / image.height);
  const width = Math.max(1, Math.round(image.width * scale)), height = Math.max(1, Math.round(image.height * scale));
  const scaled = await createImageBitmap(image, { resizeWidth: width, resizeHeight: height, resizeQuality: "high" });
  [canvas.width, canvas.height] = [layout.width, layout.height];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = invert ? "#fff" : "#000";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(scaled, (canvas.width - width) >> 1, (canvas.height - height) >> 1);
  image.close();
  scaled.close();
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  if (invert) {
    for (let i = 0; i < pixels.data.length; i++) if (i % 4 !== 3) pixels.data[i] = 255 - pixels.data[i];
    context.putImageData(pixels, 0, 0);
  }
  return pixels.data;
}

export function valuesOf(pixels, layout, range) {
  const { height, width, channels, type, last } = layout, values = new type(height * width * channels), area = height * width;
  const value = range === "byte" || type === Uint8Array ? byte => byte
    : range === "signed" ? byte => byte / 127.5 - 1
    : range === "imagenet" ? (byte, channel) => (byte / 255 - mean[channel]) / deviation[channel]
    : byte => byte / 255;
  for (let i = 0; i < area; i++) {
    const [red, green, blue] = [pixels[4 * i], pixels[4 * i + 1], pixels[4 * i + 2]];
    const colors = channels === 1 ? [0.299 * red + 0.587 * green + 0.114 * blue] : [red, green, blue];
    colors.forEach((color, channel) => values[last ? i * channels + channel : channel * area + i] = value(color, channel));
  }
  return values;
}

// The values of the first output, by one call.
export async function infer(address, headers, model, layout, values) {
  const [input, output] = [model.inputs[0], model.outputs[0]];
  const head = new TextEncoder().encode(JSON.stringify({
    inputs: [{
      name: input.name, shape: layout.shape, datatype: input.datatype, parameters: { binary_data_size: values.byteLength },
    }],
    outputs: [{ name: output.name, parameters: { binary_data: true } }],
  }));
  const response = await fetch(`${address}${encodeURIComponent(model.name)}/versions/${model.version}/infer`, {
    method: "POST", body: new Blob([head, values]),
    headers: { ...headers, "Content-Type": "application/octet-stream", "Inference-Header-Content-Length": String(head.length) },
  });
  if (!response.ok) {
    const error = await response.json().catch(() => ({}));
    throw new Error(error.error ?? `HTTP ${response.status}`);
  }
  const body = await response.arrayBuffer();
  const length = Number(response.headers.get("Inference-Header-Content-Length") ?? body.byteLength);
  const answer = JSON.parse(new TextDecoder().decode(new Uint8Array(body, 0, length))).outputs[0];
  if (answer.data) return answer.data;
  if (answer.datatype !== "FP32") throw new Error(`expected class scores of FP32, the model answers ${answer.datatype}`);
  return Array.from(new Float32Array(body.slice(length, length + answer.parameters.binary_data_size)));
}

// Scores that are probabilities already, all in 0..1 with the sum 1, are taken as they are; of others softmax makes them.
export function probabilities(scores) {
  const sum = scores.reduce((all, score) => all + score, 0);
  if (scores.every(score => score >= 0) && Math.abs(sum - 1) <= 1e-3) return scores;
  const high = Math.max(...scores), powers = scores.map(score => Math.exp(score - high));
  const total = powers.reduce((all, power) => all + power, 0);
  return powers.map(power => power / total);
}

export class Picture {
  #page; #models = []; #address = null; #headers; #file = null; #turn = 0;

  constructor(page, headers) {
    [this.#page, this.#headers] = [page, headers];
    const { file, drop, model, range, invert } = page;
    file.addEventListener("change", () => this.#take(file.files[0]));
    for (const kind of ["dragenter", "dragover"]) {
      drop.addEventListener(kind, event => { event.preventDefault(); drop.classList.add("over"); });
    }
    drop.addEventListener("dragleave", () => drop.classList.remove("over"));
    drop.addEventListener("drop", event => {
      event.preventDefault();
      drop.classList.remove("over");
      this.#take(event.dataTransfer.files[0]);
    });
    // An image that misses its place must not take the page's.
    for (const kind of ["dragover", "drop"]) document.addEventListener(kind, event => event.preventDefault());
    for (const choice of [model, range, invert]) choice.addEventListener("change", () => this.#send());
  }

  show(models, address) {
    [this.#models, this.#address] = [address === null ? [] : models.filter(layoutOf), address];
    this.#page.section.hidden = !this.#models.length;
    const { model } = this.#page, before = model.value;
    model.replaceChildren(
      ...this.#models.map(one => new Option(`${one.name}, version ${one.version}`, `${one.name}/${one.version}`)));
    if (this.#models.some(one => `${one.name}/${one.version}` === before)) model.value = before;
  }

  #take(file) {
    if (!file) return;
    this.#file = file;
    this.#send();
  }

  async #send() {
    const { model, canvas, size, range, invert, result } = this.#page, turn = ++this.#turn;
    const chosen = this.#models.find(one => `${one.name}/${one.version}` === model.value), layout = chosen && layoutOf(chosen);
    if (!layout || !this.#file) return;
    try {
      let pixels;
      try {
        pixels = await draw(canvas, this.#file, layout, invert.checked);
      } catch {
        throw new Error("this file is not an image that the browser can read");
      }
      if (turn !== this.#turn) return;
      canvas.hidden = false;
      canvas.setAttribute("aria-label", `${this.#file.name}, as the model gets it`);
      size.textContent = `${layout.width} × ${layout.height}, ${layout.channels === 1 ? "gray" : "color"}`;
      const start = performance.now();
      const scores = await infer(this.#address, this.#headers(), chosen, layout, valuesOf(pixels, layout, range.value));
      if (turn === this.#turn) this.#answer(chosen, scores, performance.now() - start);
    } catch (error) {
      if (turn !== this.#turn) return;
      const line = document.createElement("p");
      line.className = "bad";
      line.textContent = `No answer: ${error.message}`;
      result.replaceChildren(line);
    }
  }

  #answer(model, scores, milliseconds) {
    const { classes } = model.outputs[0], list = document.createElement("ol"), time = document.createElement("p");
    list.className = "answer";
    const best = probabilities(scores).map((share, index) => ({ share, name: classes[index] ?? `class ${index}` }))
      .sort((a, b) => b.share - a.share).slice(0, shownClasses);
    for (const { share, name } of best) {
      const line = document.createElement("li"), label = document.createElement("span"), text = document.createElement("span");
      const bar = document.createElement("progress");
      [label.className, label.textContent] = ["name", name];
      [text.className, text.textContent] = ["share", `${(share * 100).toFixed(1)} %`];
      [bar.max, bar.value] = [1, share];
      bar.setAttribute("aria-hidden", "true");
      line.append(label, bar, text);
      list.append(line);
    }
    time.className = "soft";
    time.textContent = `answered in ${milliseconds.toFixed(0)} ms, the way there and back included`;
    this.#page.result.replaceChildren(list, time);
  }
}
