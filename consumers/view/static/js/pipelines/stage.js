// The two pictures, before and after: side by side or one over the other, with events, and areas that are drawn.

import { fitCanvas, svg } from "../dom.js";
import { drawOverlay } from "../overlay.js";

async function paint(canvas, blob) {
  const bitmap = await createImageBitmap(blob);
  if (fitCanvas(canvas, bitmap)) {
    // The space that it takes on the page.
    canvas.parentElement.style.setProperty("--ratio", String(bitmap.width / bitmap.height));
  }
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  bitmap.close();
}

export class Stage {
  #element = document.getElementById("stage");
  #before = document.getElementById("before");
  #after = document.getElementById("after");
  #zones = document.getElementById("zones");
  #events = document.getElementById("events");
  #drawing = null;

  constructor() {
    for (const radio of document.querySelectorAll('[name="way"]')) {
      radio.addEventListener("change", () => (this.#element.dataset.way = radio.value));
      if (radio.checked) this.#element.dataset.way = radio.value;
    }
    const wiper = document.getElementById("wiper");
    const wipe = () => this.#element.style.setProperty("--wipe", `${wiper.value}%`);
    wiper.addEventListener("input", wipe);
    wipe();
    this.#before.addEventListener("click", (event) => this.#point(event));
    document.getElementById("draw-undo").addEventListener("click", () => this.#undo());
    document.getElementById("draw-done").addEventListener("click", () => this.#end(true));
    document.getElementById("draw-cancel").addEventListener("click", () => this.#end(false));
  }

  /** Show what became of a frame. nameOf: of the operator at a place. */
  async show({ header, before, after }, nameOf) {
    await Promise.all([before && paint(this.#before, before), after && paint(this.#after, after)]);
    const found = this.#events.checked ? header.events.map((event) => ({ event, ageMs: 0 })) : [];
    const overlay = (canvas) => canvas.parentElement.querySelector(".overlay");
    if (before) drawOverlay(overlay(this.#before), found, header.before.to_raw);
    if (after) drawOverlay(overlay(this.#after), found, header.after.to_raw);
    this.#before.dataset.frame = header.frame;
    this.#after.dataset.frame = header.frame;
    this.#after.dataset.hash = header.hash;
    const filtered = document.getElementById("filtered");
    filtered.hidden = header.filtered_by === null;
    filtered.textContent = header.filtered_by === null ? "" : `${nameOf(header.filtered_by)} leaves this frame out`;
    const size = (picture) => (picture ? ` ${picture.width}×${picture.height}` : "");
    const seen = this.#drawing ? `as ${nameOf(this.#drawing.place)} sees it` : "raw";
    document.getElementById("before-kind").textContent = `${seen}${size(header.before)}`;
    document.getElementById("after-kind").textContent = `tried${size(header.after)}`;
  }

  /** The place of the operator whose view is drawn on, or null. */
  get see() {
    return this.#drawing?.place ?? null;
  }

  /** Have areas drawn for a field; changed: is called when the view that is wanted changes. */
  draw(place, field, name, changed) {
    const kept = field.kind === "zones" ? (field.value ?? []).map((zone) => [...zone]) : [];
    this.#drawing = { place, field, name, changed, kept, points: [] };
    document.getElementById("drawing").hidden = false;
    this.#element.classList.add("drawing-on");
    this.#show();
    changed();
    document.getElementById("draw-done").focus();
  }

  #point(event) {
    if (!this.#drawing) return;
    const box = this.#before.getBoundingClientRect();
    const part = (at, start, size) => Math.min(1, Math.max(0, Math.round(((at - start) / size) * 1000) / 1000));
    this.#drawing.points.push([part(event.clientX, box.left, box.width), part(event.clientY, box.top, box.height)]);
    if (this.#drawing.field.kind === "points" && this.#drawing.points.length === 4) this.#end(true);
    else this.#show();
  }

  #undo() {
    const { points, kept } = this.#drawing;
    if (points.length) points.pop();
    else kept.pop();
    this.#show();
  }

  #end(take) {
    const { field, points, kept, changed } = this.#drawing;
    if (take) {
      if (field.kind === "points" && points.length) field.set(points);
      if (field.kind === "zones") field.set(points.length >= 3 ? [...kept, points] : kept);
    }
    this.#drawing = null;
    document.getElementById("drawing").hidden = true;
    this.#element.classList.remove("drawing-on");
    this.#zones.replaceChildren();
    changed();
    field.element.querySelector("textarea").focus();
  }

  #show() {
    const { points, kept, field, name } = this.#drawing;
    const text = field.kind === "points" ? "click its four corners, clockwise from its upper left" : `click the corners of area ${kept.length + 1}`;
    document.getElementById("drawing-text").textContent = `${name}: ${text} (${points.length} so far)`;
    const polygon = (corners, style) => svg("polygon", { class: style, points: corners.map((corner) => corner.join(",")).join(" ") });
    this.#zones.replaceChildren(...kept.map((zone) => polygon(zone, "kept")), polygon(points, "new"));
  }
}
