// The wall of tiles: one for each camera, in the order of their names; only those in sight are watched.

import { Tile } from "./tile.js";

const BY_NAME = new Intl.Collator(undefined, { numeric: true });

// Wider or taller frames would waste the wall on one odd camera.
const NARROWEST = 4 / 3;
const WIDEST = 16 / 9;

/** The width by the height that most cameras' pictures have, from 4:3 to 16:9. */
function usualShape(cameras) {
  const shapes = new Map();
  for (const { width, height } of cameras) {
    if (width && height) shapes.set(width / height, (shapes.get(width / height) ?? 0) + 1);
  }
  const [usual] = [...shapes].sort(([, a], [, b]) => b - a)[0] ?? [WIDEST];
  return Math.min(WIDEST, Math.max(NARROWEST, usual));
}

/**
 * The tiles, and what is asked of the server for them.
 *
 * Dispatches "wanted" when another set of cameras, sizes or kinds is to be watched, "ways" when raw pictures are
 * switched on or off, "added" (detail: tile).
 */
export class Wall extends EventTarget {
  #list;
  #template;
  #tiles = new Map();
  #scheduled = 0;
  #seen;
  #sizes;
  #withEvents = true;
  #way = "off";
  #matches = () => true;

  constructor(list, template) {
    super();
    this.#list = list;
    this.#template = template;
    // A tile is watched a little before it scrolls into sight, so that it does not come up black.
    this.#seen = new IntersectionObserver((entries) => this.#sight(entries), { rootMargin: "120px 0px" });
    this.#sizes = new ResizeObserver(() => {
      for (const tile of this.#tiles.values()) tile.fit();
      this.#changed();
    });
    this.#sizes.observe(list);
  }

  /** All tiles, in order. */
  get tiles() {
    return [...this.#tiles.values()].sort((a, b) => BY_NAME.compare(a.camera, b.camera));
  }

  /** The tile of a camera, or undefined. */
  tile(camera) {
    return this.#tiles.get(camera);
  }

  /** Cameras by what is to be asked for them: what `Connection.watch` takes. */
  wanted() {
    const seen = this.tiles.filter((tile) => tile.visible && !tile.element.hidden);
    return Object.fromEntries(seen.map((tile) => [tile.camera, tile.wanted()]));
  }

  /** Show the server's list of cameras. nowMs: the server's time. Returns whether cameras came or went. */
  show(cameras, nowMs) {
    const before = this.#tiles.size;
    let added = false;
    const names = new Set(cameras.map((figures) => figures.camera_id));
    for (const [camera, tile] of this.#tiles) if (!names.has(camera)) this.#remove(tile);
    for (const figures of cameras) {
      if (!this.#tiles.has(figures.camera_id)) {
        this.#add(figures.camera_id);
        added = true;
      }
      this.#tiles.get(figures.camera_id).showFigures(figures, nowMs);
    }
    if (added) this.#list.append(...this.tiles.map((tile) => tile.element));
    this.#list.style.setProperty("--frame", String(usualShape(cameras)));
    this.filter(this.#matches);
    return added || before !== this.#tiles.size;
  }

  /** The server is gone. */
  showLost() {
    for (const tile of this.#tiles.values()) tile.showLost();
  }

  /** Show only tiles that a function says yes to. Returns how many. */
  filter(matches) {
    this.#matches = matches;
    let shown = 0;
    for (const tile of this.#tiles.values()) {
      const hidden = !matches(tile);
      if (!hidden) shown += 1;
      if (tile.element.hidden !== hidden) {
        tile.element.hidden = hidden;
        this.#changed();
      }
    }
    return shown;
  }

  /** How raw pictures are shown, for all tiles: "off", "wipe", "beside". */
  setWay(way) {
    this.#way = way;
    for (const tile of this.#tiles.values()) tile.setWay(way);
    this.#changed();
  }

  /** Show the raw picture of one tile, or hide it. */
  toggleRaw(tile) {
    const way = this.#way === "off" ? "wipe" : this.#way;
    tile.setWay(tile.way === "off" ? way : "off");
    this.#changed();
  }

  /** Draw events over all pictures, or not. */
  showEvents(shown) {
    this.#withEvents = shown;
    for (const tile of this.#tiles.values()) tile.showEvents(shown);
  }

  #add(camera) {
    const tile = new Tile(camera, this.#template);
    tile.setWay(this.#way);
    tile.showEvents(this.#withEvents);
    tile.compare.addEventListener("click", () => this.toggleRaw(tile));
    this.#tiles.set(camera, tile);
    this.#seen.observe(tile.element);
    this.dispatchEvent(new CustomEvent("added", { detail: tile }));
  }

  #remove(tile) {
    this.#seen.unobserve(tile.element);
    tile.element.remove();
    this.#tiles.delete(tile.camera);
    this.dispatchEvent(new CustomEvent("removed", { detail: tile }));
    this.#changed();
  }

  #sight(entries) {
    for (const { target, isIntersecting } of entries) {
      const tile = this.#tiles.get(target.dataset.camera);
      if (tile) tile.visible = isIntersecting;
    }
    this.#changed();
  }

  /** Scrolling and resizing come in bursts; one message to the server each burst is enough. */
  #changed() {
    clearTimeout(this.#scheduled);
    this.#scheduled = setTimeout(() => this.dispatchEvent(new Event("wanted")), 60);
  }
}
