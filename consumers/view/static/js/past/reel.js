// The frames around the one that is shown, so that a step or the next frame of a film is there at once.

const AHEAD = 24;
const FEW = 8;
// Of pictures; what lies further away is asked for again.
const MOST_BYTES = 48 * 1024 * 1024;

/** A stretch of one camera's frames, in order, and where in it we are. */
export class Reel {
  #archive;
  #frames = [];
  #index = 0;
  #loading = null;
  #turn = 0;

  constructor(archive) {
    this.#archive = archive;
  }

  /** The frame where we are: {header, blob}, or undefined. */
  get current() {
    return this.#frames[this.#index];
  }

  /** Go to a time (ns since 1970, in digits) or an identity (`<epoch>/<sequence>`). */
  async seek(at, count = FEW) {
    const turn = ++this.#turn;
    const frames = await this.#archive.film({ at, count });
    if (turn !== this.#turn) return undefined;
    this.#frames = frames;
    this.#index = 0;
    return this.current;
  }

  /** The next frame, or undefined where there is none (yet). */
  async next() {
    if (this.#index + 1 >= this.#frames.length) await this.#load("after");
    if (this.#index + 1 >= this.#frames.length) return undefined;
    this.#index += 1;
    if (this.#frames.length - this.#index < FEW) this.#load("after").catch(() => {});
    return this.current;
  }

  /** The header of the next frame, once it is here; undefined where there is none (yet). Stays where it is. */
  async ready() {
    if (this.#index + 1 >= this.#frames.length) await this.#load("after");
    return this.peek(1);
  }

  /** The header of a frame so many ahead, where it is here already. */
  peek(ahead) {
    return this.#frames[this.#index + ahead]?.header;
  }

  /** The frame before, or undefined where there is none. */
  async previous() {
    if (this.#index === 0) await this.#load("before");
    if (this.#index === 0) return undefined;
    this.#index -= 1;
    if (this.#index < FEW / 2) this.#load("before").catch(() => {});
    return this.current;
  }

  /** One at a time: whoever asks meanwhile waits for it, and then looks again. */
  async #load(way) {
    if (this.#loading) {
      await this.#loading.promise.catch(() => {});
      if (this.#loading || this.#has(way)) return this.#has(way) ? undefined : this.#load(way);
    }
    this.#loading = { promise: this.#fetch(way) };
    try {
      await this.#loading.promise;
    } finally {
      this.#loading = null;
    }
  }

  #has(way) {
    return way === "after" ? this.#index + 1 < this.#frames.length : this.#index > 0;
  }

  async #fetch(way) {
    const turn = this.#turn;
    const edge = way === "after" ? this.#frames.at(-1) : this.#frames[0];
    if (!edge) return;
    const frames = await this.#archive.film({ [way]: edge.header.place, count: AHEAD });
    // Somebody has gone elsewhere meanwhile.
    if (turn !== this.#turn) return;
    if (way === "after") {
      this.#frames.push(...frames);
      while (this.#bytes() > MOST_BYTES && this.#index > FEW) {
        this.#frames.shift();
        this.#index -= 1;
      }
    } else {
      this.#frames.unshift(...frames);
      this.#index += frames.length;
      while (this.#bytes() > MOST_BYTES && this.#frames.length - this.#index > FEW) this.#frames.pop();
    }
  }

  #bytes() {
    return this.#frames.reduce((sum, { blob }) => sum + blob.size, 0);
  }
}
