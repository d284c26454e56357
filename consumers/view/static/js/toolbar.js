// What is shown on the wall: a filter by name and state, raw pictures, events, the size of the tiles.

import { setText } from "./dom.js";
import { recall, remember } from "./remembered.js";

const STATES = ["live", "stale", "silent"];

/** A test of camera names: part of it, or with `*` the whole of it; of several words one is enough. */
export function nameTest(text) {
  const words = text.toLowerCase().split(/[\s,]+/).filter(Boolean);
  const tests = words.map((word) => {
    if (!word.includes("*")) return (name) => name.includes(word);
    const parts = word.split("*").map((part) => part.replace(/[.\\+?^$()[\]{}|]/g, "\\$&"));
    const pattern = new RegExp(`^${parts.join(".*")}$`);
    return (name) => pattern.test(name);
  });
  return (name) => !tests.length || tests.some((test) => test(name.toLowerCase()));
}

/** The row of controls above the wall. */
export class Toolbar {
  #wall;
  #filter = document.getElementById("filter");
  #events = document.getElementById("events");
  #size = document.getElementById("size");
  #only = "";

  constructor(wall, list) {
    this.#wall = wall;
    this.#filter.value = new URLSearchParams(location.search).get("filter") ?? "";
    this.#filter.addEventListener("input", () => this.#filtered());
    for (const state of STATES) {
      document.getElementById(`only-${state}`).addEventListener("click", () => this.#toggleOnly(state));
    }
    this.#events.checked = recall("events", "on") === "on";
    this.#events.addEventListener("change", () => this.#showEvents());
    this.#size.value = recall("size", this.#size.value);
    const resize = () => list.style.setProperty("--tile", `${this.#size.value}px`);
    this.#size.addEventListener("input", () => {
      resize();
      remember("size", this.#size.value);
    });
    resize();
    for (const radio of document.querySelectorAll('[name="raw"]')) {
      radio.addEventListener("change", () => wall.setWay(radio.value));
    }
    // A browser that goes back to the page ticks again what was ticked.
    wall.setWay(document.querySelector('[name="raw"]:checked').value);
    this.#showEvents();
    this.#apply();
  }

  /** Bring the counts up to date. tiles: all of them. */
  count(tiles) {
    for (const state of STATES) {
      const number = tiles.filter((tile) => tile.state === state).length;
      const button = document.getElementById(`only-${state}`);
      setText(button.querySelector(".number"), String(number));
      // Nothing is wrong: the two that would say so step back, unless one is what is asked for.
      button.classList.toggle("none", number === 0 && state !== "live" && this.#only !== state);
    }
    this.#apply();
  }

  /** Switch events on or off. */
  toggleEvents() {
    this.#events.checked = !this.#events.checked;
    this.#showEvents();
  }

  /** Show every camera again. */
  clear() {
    this.#filter.value = "";
    if (this.#only) this.#toggleOnly(this.#only);
    this.#filtered();
  }

  #showEvents() {
    remember("events", this.#events.checked ? "on" : "off");
    this.#wall.showEvents(this.#events.checked);
  }

  #filtered() {
    const address = new URL(location.href);
    if (this.#filter.value.trim()) address.searchParams.set("filter", this.#filter.value.trim());
    else address.searchParams.delete("filter");
    history.replaceState(null, "", address);
    this.#apply();
  }

  #toggleOnly(state) {
    this.#only = this.#only === state ? "" : state;
    for (const each of STATES) {
      document.getElementById(`only-${each}`).setAttribute("aria-pressed", String(each === this.#only));
    }
    this.#apply();
  }

  #apply() {
    const named = nameTest(this.#filter.value);
    const shown = this.#wall.filter((tile) => named(tile.camera) && (!this.#only || tile.state === this.#only));
    document.getElementById("nothing").hidden = shown > 0 || this.#wall.tiles.length === 0;
  }
}
