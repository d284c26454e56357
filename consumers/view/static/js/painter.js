// Draws frames on the cameras' canvases: the newest wins, and a raw one goes with what was made of it.

import { fitCanvas } from "./dom.js";
import { decoded, sizeOf } from "./pictures.js";

/** One camera: its canvases by kind, what waits to be decoded, and what is decoded and waits to be drawn. */
class Easel {
  canvases = new Map();
  waiting = null;
  half = null;
  decoding = false;
  ready = null;
}

/**
 * Dispatches "drawn" (detail: {camera, kind, header}) after each picture.
 *
 * `globalThis.framelaneFigures` has what tests and benchmarks read: frames drawn and thrown away, by camera, and their
 * ages in ms when they were drawn.
 */
export class Painter extends EventTarget {
  #connection;
  #easels = new Map();
  #scheduled = false;
  #figures = { drawn: {}, discarded: {}, ages: [] };

  constructor(connection) {
    super();
    this.#connection = connection;
    globalThis.framelaneFigures = this.#figures;
    connection.addEventListener("frame", ({ detail }) => this.#take(detail));
    // What a hidden page still has must not take up the server's window when it is shown again.
    document.addEventListener("visibilitychange", () => document.hidden && this.#dropAll());
  }

  /** Draw frames of a camera, "processed" or "raw", on this canvas from now on. */
  attach(camera, kind, canvas) {
    if (!this.#easels.has(camera)) this.#easels.set(camera, new Easel());
    this.#easels.get(camera).canvases.set(kind, canvas);
  }

  /** Draw no more on it. */
  detach(camera, kind) {
    const easel = this.#easels.get(camera);
    easel?.canvases.delete(kind);
    if (easel && !easel.canvases.size) this.#easels.delete(camera);
  }

  #take({ header, bytes }) {
    const easel = this.#easels.get(header.camera);
    if (!easel?.canvases.has(header.kind) || document.hidden) {
      this.#discard([{ header }]);
      return;
    }
    if (header.paired && header.kind === "raw") {
      if (easel.half) this.#discard([easel.half]);
      easel.half = { header, bytes };
      return;
    }
    const frames = [{ header, bytes }];
    if (easel.half) {
      const { epoch, sequence } = easel.half.header;
      if (header.paired && epoch === header.epoch && sequence === header.sequence) frames.unshift(easel.half);
      else this.#discard([easel.half]);
      easel.half = null;
    }
    if (easel.waiting) this.#discard(easel.waiting);
    easel.waiting = frames;
    if (!easel.decoding) this.#decode(easel);
  }

  /** One decode of a camera at a time: what comes meanwhile replaces what waits. */
  async #decode(easel) {
    easel.decoding = true;
    while (easel.waiting) {
      const frames = easel.waiting;
      easel.waiting = null;
      try {
        for (const frame of frames) frame.picture = await decoded(frame.bytes, frame.header.content_type);
      } catch {
        // No picture that this browser can read: the next one may be.
        this.#discard(frames);
        continue;
      }
      if (easel.ready) this.#discard(easel.ready);
      easel.ready = frames;
      this.#schedule();
    }
    easel.decoding = false;
  }

  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#scheduled = false;
    let last = 0;
    const nowMs = this.#connection.serverNow();
    for (const easel of this.#easels.values()) {
      const frames = easel.ready;
      if (!frames) continue;
      easel.ready = null;
      for (const { header, picture } of frames) {
        last = Math.max(last, header.n);
        this.#put(easel.canvases.get(header.kind), header, picture, nowMs);
      }
    }
    this.#connection.drawn(last);
  }

  #put(canvas, header, picture, nowMs) {
    if (canvas) {
      fitCanvas(canvas, sizeOf(picture));
      canvas.getContext("2d", { alpha: false, desynchronized: true }).drawImage(picture, 0, 0);
      canvas.dataset.epoch = header.epoch;
      canvas.dataset.sequence = header.sequence;
      count(this.#figures.drawn, header.camera);
      if (this.#figures.ages.push(nowMs - header.captured_ms) > 100_000) this.#figures.ages.splice(0, 50_000);
      this.dispatchEvent(new CustomEvent("drawn", { detail: { camera: header.camera, kind: header.kind, header } }));
    }
    picture.close();
  }

  #discard(frames) {
    for (const { header, picture } of frames) {
      picture?.close();
      count(this.#figures.discarded, header.camera);
      this.#connection.drawn(header.n);
    }
  }

  #dropAll() {
    for (const easel of this.#easels.values()) {
      for (const frames of [easel.waiting, easel.ready, easel.half && [easel.half]]) if (frames) this.#discard(frames);
      easel.waiting = easel.ready = easel.half = null;
    }
  }
}

function count(counts, camera) {
  counts[camera] = (counts[camera] ?? 0) + 1;
}
