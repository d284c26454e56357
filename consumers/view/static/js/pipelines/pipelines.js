// The page of the pipelines: asked for every two seconds, as often as the workers report.

import { PipelineCard } from "./card.js";
import { ask, h, shape } from "./element.js";
import { Lost } from "../lost.js";
import { setText } from "../dom.js";
import { duration, rate } from "../words.js";

const EVERY_MS = 2000;
const STATES = { running: ["good", "live"], starting: ["warn", "stale"], silent: ["bad", "silent"], stopped: ["", "silent"] };

const list = document.getElementById("pipelines");
const others = document.querySelector("#others tbody");
const lost = new Lost(document.getElementById("banner"));
const cards = new Map();
let had = false;

/** The mark of a state. */
export function stateMark(state) {
  const [style, picture] = STATES[state] ?? ["", "silent"];
  return h("span", { class: `state ${style}` }, shape(picture), state);
}

function show(overview) {
  const groups = overview.pipelines.map((pipeline) => pipeline.group);
  for (const [group, card] of cards) {
    if (groups.includes(group)) continue;
    card.element.remove();
    cards.delete(group);
  }
  overview.pipelines.forEach((pipeline, index) => {
    let card = cards.get(pipeline.group);
    if (!card) cards.set(pipeline.group, (card = new PipelineCard(stateMark)));
    card.show(pipeline);
    if (list.children[index] !== card.element) list.insertBefore(card.element, list.children[index] ?? null);
  });
  document.getElementById("waiting").hidden = true;
  document.getElementById("none").hidden = overview.pipelines.length > 0;
  document.getElementById("others").hidden = overview.processes.length === 0;
  others.replaceChildren(...overview.processes.map(row));
  const running = overview.pipelines.filter((pipeline) => pipeline.state === "running").length;
  setText(document.getElementById("sum"), `${running} of ${overview.pipelines.length} running`);
}

function row(process) {
  const away = Object.entries(process.away).map(([camera, why]) => h("div", {}, `${camera}: ${why}`));
  const shown = process.cameras.slice(0, 6).join(", ");
  const more = process.cameras.length > 6 ? ` and ${process.cameras.length - 6} more` : "";
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, process.role),
    h("td", {}, stateMark(process.state)),
    h("td", { class: "mono" }, process.instance),
    h("td", { class: "number" }, rate(process.fps)),
    h("td", { class: "number" }, rate(process.dropped_fps)),
    h("td", {}, shown + more || "–", ...away),
    h("td", {}, process.version),
    h("td", { class: "number" }, `${duration(process.seen_s * 1000)} ago`),
  );
}

async function run() {
  for (;;) {
    if (document.hidden) await new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
    try {
      show(await ask("/api/pipelines"));
      had = true;
      lost.found();
    } catch {
      lost.lost(had);
    }
    await new Promise((done) => setTimeout(done, EVERY_MS));
  }
}

run();
