// The list of operators that are tried: added, moved, taken away, their fields.

import { milliseconds } from "./card.js";
import { h } from "./element.js";
import { Field } from "./form.js";

/** The operators of the try-out. Dispatches "changed", and "draw" with detail {place, field}. */
export class Operators extends EventTarget {
  #list;
  #forms;
  #files;
  #cards = [];

  constructor(list, forms, files) {
    super();
    this.#list = list;
    this.#forms = new Map(forms.map((form) => [form.op, form]));
    this.#files = files;
  }

  /** As they go to the server: tables with `op`. */
  get tables() {
    return this.#cards.map((card) => ({ op: card.op, ...card.values }));
  }

  /** Replace them all. */
  set(tables) {
    this.#cards = tables.map(({ op, ...values }) => this.#card(op, values));
    this.#changed();
  }

  /** Add one at the end, with what it begins with; its first field gets the focus. */
  add(op) {
    const card = this.#card(op, structuredClone(this.#forms.get(op).begins));
    this.#cards.push(card);
    this.#changed();
    (card.element.querySelector("input, select, textarea") ?? card.element.querySelector("button")).focus();
  }

  /** Show what is wrong where it is wrong; returns what has no field. */
  tell(wrong) {
    for (const card of this.#cards) {
      card.error.hidden = true;
      for (const field of card.fields) field.tell("");
    }
    const rest = [];
    for (const { operator, key, message } of wrong) {
      const card = operator === null ? undefined : this.#cards[operator];
      const field = card?.fields.find((each) => each.name === key);
      if (field) field.tell(message);
      else if (card) {
        card.error.textContent = `${key} ${message}`.trim();
        card.error.hidden = false;
      } else rest.push({ operator, key, message });
    }
    return rest;
  }

  /** Show how long each took. ms: by stage. */
  time(ms) {
    this.#cards.forEach((card, place) => {
      card.time.textContent = milliseconds(ms[`${place}:${card.op}`]);
    });
  }

  /** The name of the operator at a place. */
  name(place) {
    return this.#cards[place]?.op ?? "";
  }

  #card(op, values) {
    const form = this.#forms.get(op);
    const card = { op, values, fields: [] };
    card.title = h("h3");
    card.time = h("span", { class: "muted time" });
    card.error = h("p", { class: "error", hidden: true });
    const button = (label, text, act) => h("button", { class: "button quiet icon-only", type: "button", "aria-label": label, title: label, click: act }, text);
    card.up = button(`Move ${op} up`, "↑", () => this.#move(card, -1));
    card.down = button(`Move ${op} down`, "↓", () => this.#move(card, 1));
    const remove = button(`Remove ${op}`, "×", () => this.#remove(card));
    const head = h("div", { class: "panel-head" }, card.title, card.time, h("span", { class: "moves" }, card.up, card.down, remove));
    card.element = h("li", { class: "panel operator" }, head);
    if (!form) {
      card.element.append(h("p", { class: "muted left-out" }, "It cannot be tried here, and is passed over; it stays in the TOML."));
      return card;
    }
    card.fields = form.fields.map(
      (about) =>
        new Field(about, values, () => this.#dispatch(), {
          files: this.#files,
          draw: (field) => this.dispatchEvent(new CustomEvent("draw", { detail: { place: this.#cards.indexOf(card), field } })),
        }),
    );
    const fields = h("div", { class: "fields" }, ...card.fields.map((field) => field.element));
    card.element.append(h("p", { class: "muted summary" }, form.summary), fields, card.error);
    return card;
  }

  #move(card, by) {
    const from = this.#cards.indexOf(card);
    const to = from + by;
    if (to < 0 || to >= this.#cards.length) return;
    this.#cards.splice(from, 1);
    this.#cards.splice(to, 0, card);
    this.#changed();
    (by < 0 ? card.up : card.down).focus();
  }

  #remove(card) {
    this.#cards.splice(this.#cards.indexOf(card), 1);
    this.#changed();
    document.getElementById("op").focus();
  }

  #changed() {
    this.#list.replaceChildren(...this.#cards.map((card) => card.element));
    this.#cards.forEach((card, place) => {
      card.title.textContent = `${place + 1} · ${card.op}`;
      card.up.disabled = place === 0;
      card.down.disabled = place === this.#cards.length - 1;
    });
    this.#dispatch();
  }

  #dispatch() {
    this.dispatchEvent(new Event("changed"));
  }
}
