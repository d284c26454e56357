// The banner while the connection to the server is gone: what has happened, what is seen meanwhile, what comes next.

import { clock } from "./words.js";

// A server that restarts, or a short gap in the network, is back before anyone has read a banner.
const GRACE_MS = 700;

/** Shows and takes away the banner; dispatches "shown". */
export class Lost extends EventTarget {
  #region;
  #showing = 0;
  #shown = false;

  constructor(region) {
    super();
    this.#region = region;
  }

  /** The connection is gone. everHad: whether there was one before. */
  lost(everHad) {
    if (this.#shown || this.#showing) return;
    const sinceMs = Date.now();
    this.#showing = setTimeout(() => this.#show(everHad, sinceMs), GRACE_MS);
  }

  /** The connection is there (again). */
  found() {
    clearTimeout(this.#showing);
    this.#showing = 0;
    if (!this.#shown) return;
    this.#shown = false;
    document.body.classList.remove("lost");
    this.#region.replaceChildren();
  }

  #show(everHad, sinceMs) {
    this.#showing = 0;
    this.#shown = true;
    document.body.classList.add("lost");
    const banner = document.createElement("div");
    banner.className = "banner bad";
    const title = document.createElement("strong");
    title.textContent = everHad
      ? `Connection to the server lost at ${clock(sinceMs)}.`
      : "The server of this page does not answer.";
    const then = document.createElement("span");
    then.textContent = everHad
      ? "The pictures are the last ones that came. It is tried again by itself, without end; nothing has to be reloaded."
      : "It is tried again by itself, without end. Does framelane view still run?";
    banner.append(title, then);
    this.#region.replaceChildren(banner);
    this.dispatchEvent(new Event("shown"));
  }
}
