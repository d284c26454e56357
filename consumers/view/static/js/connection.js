// The WebSocket to the server: what is watched, what comes, and what time it is there.

import { headerAt } from "./framing.js";

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 8000;
const PING_MS = 10_000;

/**
 * Connects, and connects again by itself.
 *
 * Dispatches "open", "lost", "cameras" (detail: list of figures), "problems" (detail: list of texts), "event" (detail:
 * an event as on `frames.events`), "frame" (detail: {header, bytes}).
 */
export class Connection extends EventTarget {
  #socket = null;
  #watched = {};
  #retryMs = FIRST_RETRY_MS;
  #retry = 0;
  #aheadMs = 0;
  #shortestMs = Infinity;
  #acknowledged = 0;

  constructor() {
    super();
    document.addEventListener("visibilitychange", () => {
      this.#sendWatched();
      if (!document.hidden && !this.#socket) this.#connect();
    });
    setInterval(() => this.#ping(), PING_MS);
    this.#connect();
  }

  /** The server's time in ms since 1970. */
  serverNow() {
    return performance.timeOrigin + performance.now() + this.#aheadMs;
  }

  /** Watch these cameras and no others: {"gate-1": {width: pixels, raw: boolean}}. */
  watch(cameras) {
    this.#watched = cameras;
    this.#sendWatched();
  }

  /** Frames up to this number are drawn, or thrown away. */
  drawn(number) {
    if (number <= this.#acknowledged) return;
    this.#acknowledged = number;
    this.#send({ type: "drawn", n: number });
  }

  #connect() {
    clearTimeout(this.#retry);
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#retryMs = FIRST_RETRY_MS;
      this.#acknowledged = 0;
      this.#shortestMs = Infinity;
      this.#ping();
      this.#sendWatched();
      this.dispatchEvent(new Event("open"));
    });
    socket.addEventListener("message", ({ data }) => (typeof data === "string" ? this.#hear(data) : this.#see(data)));
    socket.addEventListener("close", () => {
      this.#socket = null;
      this.dispatchEvent(new Event("lost"));
      this.#retry = setTimeout(() => this.#again(), this.#retryMs * (0.75 + Math.random() / 2));
      this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2);
    });
  }

  /** A session that has ended looks like a server that is away: a request tells them apart. */
  async #again() {
    try {
      const answer = await fetch("/cameras", { cache: "no-store" });
      if (answer.status === 401) {
        location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
        return;
      }
    } catch {
      // It is away.
    }
    this.#connect();
  }

  #hear(text) {
    const message = JSON.parse(text);
    switch (message.type) {
      case "cameras":
        this.#dispatch("cameras", message.cameras);
        this.#dispatch("problems", message.problems);
        break;
      case "event":
        this.#dispatch("event", message.event);
        break;
      case "hello":
        if (this.#shortestMs === Infinity) this.#aheadMs = message.now_ms - this.#localNow();
        break;
      case "pong":
        this.#compareClocks(message);
        break;
    }
  }

  #see(data) {
    const { header, end } = headerAt(data);
    this.#dispatch("frame", { header, bytes: new Uint8Array(data, end) });
  }

  /** The shorter the way there and back, the better is what it says of the clock. */
  #compareClocks({ t, now_ms: serverMs }) {
    const tookMs = performance.now() - t;
    if (tookMs > this.#shortestMs) return;
    this.#shortestMs = tookMs;
    this.#aheadMs = serverMs - (this.#localNow() - tookMs / 2);
  }

  #localNow() {
    return performance.timeOrigin + performance.now();
  }

  #ping() {
    this.#shortestMs *= 1.5;
    this.#send({ type: "ping", t: performance.now() });
  }

  #sendWatched() {
    const rests = document.hidden;
    this.#send({ type: "watch", cameras: rests ? {} : this.#watched, rests });
  }

  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #dispatch(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
