// Elements made in one expression.

import { svg } from "../dom.js";

/** An element with attributes (a function is a listener, null is left out) and children (texts or elements). */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(key, value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** One of the drawings that the page has as symbols: a shape of a state. */
export function shape(name) {
  const picture = svg("svg", { class: "shape", "aria-hidden": "true" });
  picture.append(svg("use", { href: `#shape-${name}` }));
  return picture;
}

/** JSON from the server; raises Error with what it says is wrong. */
export async function ask(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  if (answer.status === 401) location.assign("/login");
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error ?? `${path}: ${answer.status}`);
  return body;
}
