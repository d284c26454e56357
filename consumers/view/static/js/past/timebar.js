// The bar over what the topic holds: where we are, how far it goes back, and what happened when.

import { setText } from "../dom.js";
import { clock, duration } from "../words.js";

const NAMES = { event: "Event", dead_letter: "Dead letter" };
const MAX_LISTED = 200;

/** Dispatches "seek" (detail: ms since 1970) while it is dragged, and "mark" (detail: a mark) when one is chosen. */
export class TimeBar extends EventTarget {
  #scrub = document.getElementById("scrub");
  #marks = document.getElementById("marks");
  #list = document.getElementById("mark-list");
  #count = document.getElementById("mark-count");
  #zoom = document.getElementById("zoom");
  #oldestMs = 0;
  #newestMs = 0;
  #atMs = 0;
  #shown = { marks: [], complete: true };

  constructor() {
    super();
    this.#scrub.addEventListener("input", () => {
      this.#atMs = this.fromMs + Number(this.#scrub.value);
      this.#say();
      this.#dispatch("seek", this.#atMs);
    });
    this.#zoom.addEventListener("change", () => {
      this.#draw();
      this.dispatchEvent(new Event("zoomed"));
    });
    this.#marks.addEventListener("click", (event) => this.#chosen(event));
    this.#list.addEventListener("click", (event) => this.#chosen(event));
  }

  /** The times at both ends of the bar, in ms since 1970. */
  get fromMs() {
    const widthMs = Number(this.#zoom.value) || Infinity;
    const wholeMs = this.#newestMs - this.#oldestMs;
    if (widthMs >= wholeMs) return this.#oldestMs;
    const latestMs = this.#newestMs - widthMs;
    return Math.max(this.#oldestMs, this.#atMs >= latestMs ? latestMs : this.#atMs - widthMs / 2);
  }

  get toMs() {
    const widthMs = Number(this.#zoom.value) || Infinity;
    return Math.max(this.fromMs + 1, Math.min(this.#newestMs, this.fromMs + widthMs));
  }

  /** What there is: the oldest and the newest frame's time. */
  setSpan(oldestMs, newestMs) {
    this.#oldestMs = oldestMs;
    this.#newestMs = Math.max(newestMs, oldestMs);
    this.#scrub.disabled = false;
    this.#draw();
  }

  /** A newer frame has come. */
  extend(ms) {
    if (this.#newestMs && ms > this.#newestMs) this.#newestMs = ms;
  }

  /** Where we are. */
  setAt(ms) {
    this.#atMs = ms;
    this.#draw();
  }

  /** Events and dead letters of the span. */
  setMarks(found) {
    this.#shown = found;
    this.#draw();
    const { marks, complete } = found;
    const total = marks.length;
    const left = complete ? "" : " (thinned: the span has too many to show each)";
    setText(this.#count, total ? `Events and dead letters: ${total}${left}` : "No events or dead letters in this span");
    const listed = marks.slice(-MAX_LISTED).reverse();
    this.#list.replaceChildren(...listed.map((mark) => item(mark, marks.indexOf(mark))));
  }

  #draw() {
    const fromMs = this.fromMs;
    const widthMs = this.toMs - fromMs;
    this.#scrub.max = String(Math.ceil(widthMs));
    if (document.activeElement !== this.#scrub || !this.#scrub.matches(":active")) {
      this.#scrub.value = String(this.#atMs - fromMs);
    }
    this.#say();
    setText(document.getElementById("from"), this.#newestMs ? clock(fromMs) : "");
    setText(document.getElementById("to"), this.#newestMs ? clock(this.toMs) : "");
    const marks = this.#shown.marks.map((mark, index) => {
      const where = (mark.at_ms - fromMs) / widthMs;
      if (where < 0 || where > 1) return null;
      const element = document.createElement("span");
      element.className = `mark ${mark.kind}`;
      element.style.setProperty("--at", String(where));
      element.dataset.index = index;
      element.title = words(mark);
      return element;
    });
    this.#marks.replaceChildren(...marks.filter(Boolean));
  }

  #say() {
    const ago = duration(this.#newestMs - this.#atMs);
    this.#scrub.setAttribute("aria-valuetext", this.#atMs ? `${clock(this.#atMs)}, ${ago} before the newest` : "no frame");
  }

  #chosen(event) {
    const index = event.target.closest("[data-index]")?.dataset.index;
    if (index !== undefined) this.#dispatch("mark", this.#shown.marks[index]);
  }

  #dispatch(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

function words(mark) {
  const times = mark.count > 1 ? ` × ${mark.count}` : "";
  return `${NAMES[mark.kind]} ${mark.name}${times}, ${clock(mark.at_ms)}: ${mark.text}`;
}

function item(mark, index) {
  const element = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button quiet";
  button.dataset.index = index;
  const sign = document.createElement("span");
  sign.className = `mark ${mark.kind}`;
  sign.setAttribute("aria-hidden", "true");
  const label = document.createElement("span");
  label.textContent = words(mark);
  button.append(sign, label);
  element.append(button);
  return element;
}
