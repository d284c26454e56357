// Fields made from a settings class, as the server describes them.

import { h } from "./element.js";

const SLIDER_STEPS = 2000;
const DRAWN = { zones: "Draw areas", points: "Draw corners" };
let made = 0;

/** Text of a value as it stands in a field. */
function written(value) {
  return value === undefined || value === null ? "" : JSON.stringify(value);
}

/**
 * One field. values: a table that it reads and writes; what has its default is left out of it.
 *
 * Dispatches nothing: `changed` is called after each change that can be read. draw: is called to draw areas.
 */
export class Field {
  #about;
  #values;
  #changed;
  #inputs = [];
  #error;

  constructor(about, values, changed, { draw = null, files = "" } = {}) {
    this.#about = about;
    this.#values = values;
    this.#changed = changed;
    made += 1;
    const id = `field-${made}`;
    this.#error = h("p", { class: "error", id: `${id}-error`, hidden: true });
    const hints = [about.expected || (about.kind === "value" ? about.type : ""), about.required ? "required" : defaultText(about)];
    const hint = h("p", { class: "hint", id: `${id}-hint` }, hints.filter(Boolean).join(" · "));
    const describedby = `${id}-hint ${id}-error`;
    const label = h("label", { for: id }, about.name);
    this.element = h("div", { class: `field kind-${about.kind}`, "data-name": about.name });
    const control = this.#control(id, describedby, files);
    if (about.kind === "choices") this.element.append(control);
    else this.element.append(label, control);
    if (draw && DRAWN[about.kind]) {
      this.element.append(h("button", { class: "button", type: "button", click: () => draw(this) }, DRAWN[about.kind]));
    }
    if (about.help) this.element.append(h("p", { class: "help" }, about.help));
    this.element.append(hint, this.#error);
  }

  get name() {
    return this.#about.name;
  }

  get kind() {
    return this.#about.kind;
  }

  /** What the value is now, its default where none is given. */
  get value() {
    return this.#values[this.name] ?? this.#about.default;
  }

  /** Give it a value from elsewhere, such as from drawing. */
  set(value) {
    this.#values[this.name] = value;
    this.#inputs[0].value = written(value);
    this.tell("");
    this.#changed();
  }

  /** Show what is wrong with it; "" for nothing. */
  tell(message) {
    this.#error.textContent = message && `${this.name} ${message}`;
    this.#error.hidden = !message;
    for (const input of this.#inputs) {
      if (message) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
  }

  #control(id, describedby, files) {
    const about = this.#about;
    const shared = { id, "aria-describedby": describedby };
    if (about.kind === "boolean") {
      const input = h("input", { ...shared, type: "checkbox", change: () => this.#take(input.checked) });
      input.checked = Boolean(this.value);
      this.#inputs = [input];
      return input;
    }
    if (about.kind === "choice") {
      const select = h("select", { ...shared, change: () => this.#take(select.value) }, ...about.choices.map((each) => h("option", {}, each)));
      select.value = this.value;
      this.#inputs = [select];
      return select;
    }
    if (about.kind === "choices") return this.#boxes(describedby);
    if (about.kind === "integer" || about.kind === "number") return this.#number(shared);
    if (about.kind === "text" || about.kind === "file") {
      const read = () => this.#take(about.name === "labels" && input.value.startsWith("[") ? this.#json(input.value) : input.value);
      const input = h("input", { ...shared, type: "text", spellcheck: "false", autocomplete: "off", list: about.kind === "file" ? files : null, input: read });
      const value = this.value ?? "";
      input.value = typeof value === "string" ? value : JSON.stringify(value);
      this.#inputs = [input];
      return input;
    }
    const area = h("textarea", { ...shared, rows: "2", spellcheck: "false", input: () => this.#take(this.#json(area.value)) });
    area.value = written(this.value);
    this.#inputs = [area];
    return area;
  }

  #number(shared) {
    const about = this.#about;
    const whole = about.kind === "integer";
    const step = about.odd ? 2 : whole ? 1 : "any";
    const read = (text) => {
      if (text.trim() === "") return this.#take(undefined);
      // A whole number stays one, so that it comes back from a file as it was.
      const number = Number(text);
      if (!Number.isFinite(number)) return this.tell(`= ${text}: expected ${about.type}`);
      return this.#take(number);
    };
    let slider = null;
    const input = h("input", { ...shared, type: "number", step, input: () => {
      if (slider && input.value !== "") slider.value = input.value;
      if (input.validity.badInput) this.tell("= …: expected a number");
      else read(input.value);
    } });
    input.value = this.value ?? "";
    this.#inputs = [input];
    const span = about.high - about.low;
    // A slider is of use where its steps are those that count.
    if (!(span > 0) || span > SLIDER_STEPS) return input;
    const fine = whole ? step : 10 ** Math.floor(Math.log10(span) - 2);
    slider = h("input", { type: "range", min: about.low, max: about.high, step: fine, "aria-label": about.name, "aria-describedby": shared["aria-describedby"], input: () => {
      input.value = slider.value;
      read(slider.value);
    } });
    slider.value = this.value ?? about.low;
    return h("div", { class: "with-slider" }, input, slider);
  }

  #boxes(describedby) {
    const chosen = new Set(this.value);
    const boxes = this.#about.choices.map((choice) => {
      const input = h("input", { type: "checkbox", "aria-describedby": describedby, change: () => {
        if (input.checked) chosen.add(choice);
        else chosen.delete(choice);
        this.#take(this.#about.choices.filter((each) => chosen.has(each)));
      } });
      input.checked = chosen.has(choice);
      this.#inputs.push(input);
      return h("label", { class: "check" }, input, choice);
    });
    return h("fieldset", { class: "boxes" }, h("legend", { class: "label" }, this.#about.name), ...boxes);
  }

  #json(text) {
    if (text.trim() === "") return undefined;
    try {
      return JSON.parse(text);
    } catch {
      return new SyntaxError(`= ${text.slice(0, 40)}: expected ${this.#about.type}`);
    }
  }

  #take(value) {
    if (value instanceof SyntaxError) return this.tell(value.message);
    const same = JSON.stringify(value) === JSON.stringify(this.#about.default);
    if (value === undefined || (same && !this.#about.required)) delete this.#values[this.name];
    else this.#values[this.name] = value;
    this.tell("");
    this.#changed();
  }
}

function defaultText(about) {
  const value = about.default;
  if (value === null || value === undefined || (Array.isArray(value) && !value.length)) return "";
  return `default ${JSON.stringify(value)}`;
}
