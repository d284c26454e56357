// The events of the past, fetched some seconds at a time.

const BEFORE_MS = 1500;
const WINDOW_MS = 20_000;
// An event is written a moment after its frame was taken.
const SETTLED_MS = 3000;

/** The events that may be drawn on frames of one camera. */
export class FoundThen {
  #archive;
  #events = [];
  #fromMs = 0;
  #toMs = -1;

  constructor(archive) {
    this.#archive = archive;
  }

  /** Those of the moment before a frame, and of the frame itself. nowMs: the server's clock, ms since 1970. */
  async of(header, nowMs) {
    const atMs = header.captured_ms;
    if (atMs - BEFORE_MS < this.#fromMs || atMs > this.#toMs) {
      const fromMs = atMs - BEFORE_MS - 1000;
      const toMs = atMs + WINDOW_MS;
      this.#events = await this.#archive.events(fromMs, toMs);
      this.#fromMs = fromMs;
      this.#toMs = Math.min(toMs, Math.max(nowMs - SETTLED_MS, 0));
    }
    return this.#events.filter((event) => {
      const eventMs = event.captured_at_ns / 1e6;
      return eventMs >= atMs - BEFORE_MS && eventMs <= atMs + 1;
    });
  }
}
