// What changes on the wall, in words for those who do not see it: politely, and not more often than can be listened to.

import { cameras as inWords } from "./words.js";

const PAUSE_MS = 3000;

/** Says which cameras have become stale, silent or live again, in a live region. */
export class Spoken {
  #region;
  #states = new Map();
  #changed = new Map();
  #waiting = 0;

  constructor(region) {
    this.#region = region;
  }

  /** Take the states of all tiles as they are now. */
  hear(tiles) {
    for (const { camera, state } of tiles) {
      const before = this.#states.get(camera);
      if (before !== undefined && before !== state) this.#changed.set(camera, state);
      this.#states.set(camera, state);
    }
    if (this.#changed.size && !this.#waiting) this.#waiting = setTimeout(() => this.#say(), PAUSE_MS);
  }

  #say() {
    this.#waiting = 0;
    const byState = new Map();
    for (const [camera, state] of this.#changed) byState.set(state, [...(byState.get(state) ?? []), camera]);
    this.#changed.clear();
    const parts = [...byState].map(([state, names]) => {
      const who = names.length > 3 ? inWords(names.length) : names.join(", ");
      return `${who}: ${state}`;
    });
    this.#region.textContent = parts.join(". ");
  }
}
