// Asks the server again and again what becomes of the newest frame; the newest settings go first.

import { headerAt } from "../framing.js";

const RETRY_MS = 1500;

/** A random name of this page, so that its operators keep their memory from frame to frame. */
function sessionName() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What the server answers: {header, before, after}, pictures as Blob or null. */
function unpacked(buffer) {
  const { header, end } = headerAt(buffer);
  let at = end;
  const lengths = [...header.bytes];
  const picture = (about) => {
    if (!about) return null;
    const bytes = new Uint8Array(buffer, at, lengths[0]);
    at += lengths.shift();
    return new Blob([bytes], { type: about.content_type });
  };
  return { header, before: picture(header.before), after: picture(header.after) };
}

/** Runs for as long as the page is seen. Dispatches "tried" (detail as of `unpacked`) and "trouble" (detail: text). */
export class Trying extends EventTarget {
  #request;
  #session = sessionName();
  #version = 1;
  #wake = () => {};
  #last = "";
  #again = false;

  /** request: makes {camera, pipeline, operators, see} as they are now. */
  constructor(request) {
    super();
    this.#request = request;
    // So that another may be opened at once; a page that cannot say so is given up after a while.
    addEventListener("pagehide", () => fetch(`/api/try/${this.#session}`, { method: "DELETE", keepalive: true }));
  }

  /** The settings have changed. */
  changed() {
    this.#version += 1;
    this.#wake();
  }

  /** Try once more what was stopped. */
  again() {
    this.#again = true;
    this.changed();
  }

  async run() {
    let asked = 0;
    for (;;) {
      if (document.hidden) await new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
      const version = this.#version;
      let answer;
      try {
        answer = await this.#ask(version === asked);
      } catch (error) {
        this.dispatchEvent(new CustomEvent("trouble", { detail: error.message }));
        await this.#sleep(RETRY_MS, version);
        continue;
      }
      asked = version;
      if (answer.header.frame) this.#last = answer.header.frame;
      const stuck = answer.header.wrong.length > 0 || answer.header.halted;
      this.dispatchEvent(new CustomEvent("tried", { detail: answer }));
      // Nothing will be otherwise until somebody changes something.
      if (stuck) await this.#sleep(60_000, version);
    }
  }

  async #ask(fresh) {
    const body = JSON.stringify({ session: this.#session, after: this.#last, fresh, again: this.#again, ...this.#request() });
    this.#again = false;
    const answer = await fetch("/api/try", { method: "POST", headers: { "Content-Type": "application/json" }, body });
    if (answer.status === 401) location.assign("/login");
    if (!answer.ok) {
      const told = await answer.json().catch(() => ({}));
      throw new Error(told.error ?? `the server answers ${answer.status}`);
    }
    return unpacked(await answer.arrayBuffer());
  }

  #sleep(ms, version) {
    if (this.#version !== version) return undefined;
    return new Promise((done) => {
      const timer = setTimeout(done, ms);
      this.#wake = () => {
        clearTimeout(timer);
        done();
      };
    });
  }
}
