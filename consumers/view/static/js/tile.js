// One camera on the wall: its pictures, what was found in them, and how it is doing.

import { cssMatrix, fromRaw } from "./affine.js";
import { setAttribute, setText } from "./dom.js";
import { RecentEvents, drawOverlay } from "./overlay.js";
import { drawSparkline } from "./sparkline.js";
import { clock, count, duration, rate } from "./words.js";

const COUNTS = ["dropped", "stale", "dead_lettered"];

/** A tile. `element` is its list item; `canvases` are what frames are drawn on, by kind. */
export class Tile {
  #events = new RecentEvents();
  #headers = {};
  #overlays = {};
  #withEvents = true;
  #parts = {};

  constructor(camera, template) {
    this.camera = camera;
    this.state = "silent";
    this.way = "off";
    this.visible = false;
    this.element = template.content.firstElementChild.cloneNode(true);
    this.element.dataset.camera = camera;
    for (const part of ["name", "compare", "stage", "notice", "health", "wiper", "word", "shape", "spark"]) {
      this.#parts[part] = this.element.querySelector(`.${part}`);
    }
    for (const figure of ["fps", "age", ...COUNTS]) {
      this.#parts[figure] = this.element.querySelector(`[data-figure="${figure}"]`);
    }
    this.canvases = {};
    for (const kind of ["processed", "raw"]) {
      this.canvases[kind] = this.element.querySelector(`.${kind} canvas`);
      this.#overlays[kind] = this.element.querySelector(`.${kind} .overlay`);
      this.canvases[kind].setAttribute("aria-label", `${camera}, ${kind} picture`);
    }
    this.link.textContent = camera;
    this.link.href = `/camera/${encodeURIComponent(camera)}`;
    this.compare.setAttribute("aria-label", `Raw picture of ${camera}`);
    this.#parts.wiper.setAttribute("aria-label", `How much of ${camera} is raw, in percent`);
    this.#parts.wiper.addEventListener("input", () => this.#wipe());
    this.#wipe();
  }

  /** The link to the camera's own page: what has the focus when the tile has. */
  get link() {
    return this.#parts.name;
  }

  /** The button that shows raw pictures. */
  get compare() {
    return this.#parts.compare;
  }

  /** What is to be asked of the server for it: width in device pixels, in steps that few resizes change. */
  wanted() {
    const width = this.element.querySelector(".frame.processed").clientWidth * devicePixelRatio;
    return { width: Math.max(64, Math.ceil(width / 16) * 16), raw: this.way !== "off" };
  }

  /** Show raw pictures or not: "off", "wipe" (one over the other) or "beside". */
  setWay(way) {
    this.way = way;
    this.element.dataset.way = way;
    this.compare.setAttribute("aria-pressed", String(way !== "off"));
    if (way === "off") {
      delete this.#headers.raw;
      // The next time it would be the picture of another frame until the first one comes.
      delete this.element.dataset.raw;
    }
    this.fit();
  }

  /** Draw events over the picture, or not. */
  showEvents(shown) {
    this.#withEvents = shown;
    for (const kind of Object.keys(this.#headers)) this.#overlay(kind);
  }

  /** A frame has been drawn on one of the canvases. */
  drawn(kind, header) {
    const before = this.#headers[kind];
    this.#headers[kind] = header;
    if (!before) this.element.dataset[kind] = "";
    if (kind === "processed" && String(before?.to_raw) !== String(header.to_raw)) this.fit();
    if (before?.width !== header.width || before?.height !== header.height) {
      const frame = this.element.querySelector(`.frame.${kind}`);
      if (kind === "processed") frame.style.setProperty("--aspect", String(header.width / header.height));
      this.fit();
    }
    this.#overlay(kind);
  }

  /** Something was found in the camera's pictures: an event as it is on `frames.events`. */
  found(event) {
    this.#events.add(event);
    for (const [kind, header] of Object.entries(this.#headers)) {
      if (event.epoch === header.epoch && event.sequence <= header.sequence) this.#overlay(kind);
    }
    const problems = this.#events.problems();
    this.#parts.health.hidden = problems.length === 0;
    setText(this.#parts.health, problems.join(", "));
  }

  /** What was found is of another time than what is shown next. */
  forget() {
    this.#events = new RecentEvents();
  }

  /** Show how the camera is doing: its row of the server's list, and the server's time in ms since 1970. */
  showFigures(figures, nowMs) {
    this.state = figures.state;
    this.element.dataset.state = figures.state;
    setText(this.#parts.word, figures.state);
    setAttribute(this.#parts.shape.firstElementChild, "href", `#shape-${figures.state}`);
    setText(this.#parts.fps, figures.state === "silent" ? "–" : rate(figures.fps));
    setText(this.#parts.age, figures.state === "silent" ? "–" : duration(figures.age_ms));
    for (const name of COUNTS) {
      setText(this.#parts[name], count(figures[name]));
      this.#parts[name].parentElement.classList.toggle("some", figures[name] > 0);
    }
    drawSparkline(this.#parts.spark, figures.ages);
    this.#parts.notice.hidden = figures.state === "live";
    if (figures.state !== "live") setText(this.#parts.notice, notice(figures, nowMs));
  }

  /** The server is gone: what is seen is the past, and the camera may be well or not. */
  showLost() {
    this.element.dataset.state = "lost";
    setText(this.#parts.word, "not connected");
    setAttribute(this.#parts.shape.firstElementChild, "href", "#shape-silent");
    const header = this.#headers.processed;
    this.#parts.notice.hidden = false;
    const of = header ? ` · picture of ${clock(header.captured_ms)}` : "";
    setText(this.#parts.notice, `not connected${of}`);
  }

  #wipe() {
    this.#parts.stage.style.setProperty("--wipe", String(this.#parts.wiper.value / 100));
  }

  /** When one lies over the other, the raw picture goes where its content is in the processed one; after a resize too. */
  fit() {
    const picture = this.element.querySelector(".raw .picture");
    const header = this.#headers.processed;
    const over = this.way === "wipe" && header;
    const shaped = over ? header : this.#headers.raw;
    if (shaped) picture.parentElement.style.setProperty("--aspect", String(shaped.width / shaped.height));
    if (!over) {
      picture.style.removeProperty("transform");
      return;
    }
    const { clientWidth, clientHeight } = this.canvases.processed;
    if (clientWidth && clientHeight) {
      picture.style.setProperty("transform", cssMatrix(fromRaw(header.to_raw), clientWidth, clientHeight));
    }
  }

  #overlay(kind) {
    const header = this.#headers[kind];
    const found = this.#withEvents ? this.#events.of(header) : [];
    drawOverlay(this.#overlays[kind], found, kind === "raw" ? null : header.to_raw);
  }
}

function notice(figures, nowMs) {
  if (!figures.last_captured_at_ns) return "silent · no processed frame yet";
  const lastMs = Number(figures.last_captured_at_ns) / 1e6;
  return `${figures.state} · last frame ${duration(nowMs - lastMs)} ago, at ${clock(lastMs)}`;
}
