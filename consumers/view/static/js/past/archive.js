// What the server still has of one camera: frames with their pictures, marks, events.

import { headerAt } from "../framing.js";

/** The server says no: `message` is for people, `status` tells why (410: not retained any more). */
export class PastProblem extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** A time in ms since 1970 as ns, in digits. */
export function nanoseconds(ms) {
  return `${BigInt(Math.max(0, Math.round(ms * 1000))) * 1000n}`;
}

/** Asks for one camera's past. */
export class Archive {
  #base;

  constructor(camera) {
    this.#base = `/api/cameras/${encodeURIComponent(camera)}`;
  }

  /** {oldest, newest}: headers of frames. */
  async span() {
    return (await this.#ask("span")).json();
  }

  /** [{header, blob}] in order. asked: {at | after | before, count}. */
  async film(asked) {
    return frames(await (await this.#ask("film", asked)).arrayBuffer());
  }

  /** The raw frame that the processed one at this place was made of: {header, blob}. */
  async raw(place) {
    return frames(await (await this.#ask("raw", { of: place })).arrayBuffer())[0];
  }

  /** {marks, complete}: from and to in ms since 1970. */
  async marks(fromMs, toMs) {
    return (await this.#ask("marks", { from: nanoseconds(fromMs), to: nanoseconds(toMs) })).json();
  }

  /** Events as on `frames.events`; from and to in ms since 1970. */
  async events(fromMs, toMs) {
    const answer = await this.#ask("events", { from: nanoseconds(fromMs), to: nanoseconds(toMs) });
    return (await answer.json()).events;
  }

  async #ask(what, asked = {}) {
    let answer;
    try {
      answer = await fetch(`${this.#base}/${what}?${new URLSearchParams(asked)}`);
    } catch {
      throw new PastProblem("The server of this page does not answer. Does framelane view still run?", 0);
    }
    if (answer.ok) return answer;
    const said = await answer.json().catch(() => ({}));
    throw new PastProblem(said.error ?? `The server answers ${answer.status}.`, answer.status);
  }
}

function frames(data) {
  const found = [];
  for (let at = 0; at < data.byteLength; ) {
    const { header, end } = headerAt(data, at);
    found.push({ header, blob: new Blob([new Uint8Array(data, end, header.bytes)], { type: header.content_type }) });
    at = end + header.bytes;
  }
  return found;
}
