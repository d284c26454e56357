// Plays a reel at the frames' own pace, faster or slower.

// A camera that was away for an hour is not waited for.
const LONGEST_MS = 2000;
const AGAIN_MS = 400;
const LATE_MS = 100;

/** Dispatches "state" when it starts and stops, "problem" (detail: an error) when it has to stop. */
export class Player extends EventTarget {
  speed = 1;
  #reel;
  #show;
  #turn = 0;
  #playing = false;

  /** show: an async function of {header, blob}. */
  constructor(reel, show) {
    super();
    this.#reel = reel;
    this.#show = show;
  }

  /** Whether it plays. */
  get playing() {
    return this.#playing;
  }

  /** Play on from where the reel is, until stopped; at the newest frame it waits for the next one. */
  async play() {
    const turn = ++this.#turn;
    this.#set(true);
    try {
      let lastMs = this.#reel.current?.header.captured_ms;
      let due = performance.now();
      while (turn === this.#turn) {
        const header = await this.#reel.ready();
        if (turn !== this.#turn) return;
        if (!header) {
          await wait(AGAIN_MS);
          due = performance.now();
          continue;
        }
        due += Math.min(LONGEST_MS, header.captured_ms - (lastMs ?? header.captured_ms)) / this.speed;
        lastMs = header.captured_ms;
        const now = performance.now();
        if (due > now) await wait(due - now);
        if (turn !== this.#turn) return;
        const frame = await this.#reel.next();
        // Too late for this one, and the next one is here: on to that.
        if (due < now - LATE_MS && this.#reel.peek(1)) continue;
        due = Math.max(due, now - LATE_MS);
        await this.#show(frame);
      }
    } catch (error) {
      if (turn !== this.#turn) return;
      this.stop();
      this.dispatchEvent(new CustomEvent("problem", { detail: error }));
    }
  }

  /** Stop where it is. */
  stop() {
    this.#turn += 1;
    this.#set(false);
  }

  #set(playing) {
    if (this.#playing === playing) return;
    this.#playing = playing;
    this.dispatchEvent(new Event("state"));
  }
}

function wait(ms) {
  return new Promise((done) => setTimeout(done, ms));
}
