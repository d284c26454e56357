// The try-out: settings of operators on the live frame of a camera.

import { milliseconds } from "./card.js";
import { ask, h } from "./element.js";
import { Field } from "./form.js";
import { Operators } from "./operators.js";
import { Stage } from "./stage.js";
import { Trying } from "./trying.js";
import { setText } from "../dom.js";

const FILES = "files";
const HIDDEN = "***";
const CAMERAS_MS = 3000;
const byId = (id) => document.getElementById(id);
const address = new URLSearchParams(location.search);

/** Offer the cameras that there are, now and when more come. wanted: the one to begin with, "" for any. */
async function offerCameras(select, wanted, changed) {
  const seen = await ask("/cameras").catch(() => []);
  const names = seen.map((figures) => figures.camera_id);
  const offered = new Set([...select.options].map((option) => option.value));
  const before = select.value;
  for (const name of names.filter((each) => !offered.has(each))) select.append(h("option", {}, name));
  if (!offered.has(wanted) && names.includes(wanted)) select.value = wanted;
  if (select.value !== before) changed();
  setTimeout(() => offerCameras(select, wanted, changed), CAMERAS_MS);
}

function showPipelineFields(about, pipeline, changed) {
  const fields = about.map((each) => new Field(each, pipeline, changed));
  byId("pipeline").replaceChildren(...fields.map((field) => field.element));
  return fields;
}

function showTimes(ms) {
  const stages = Object.entries(ms);
  const most = Math.max(...Object.values(ms), 0.001);
  byId("times").replaceChildren(
    ...stages.map(([name, taken]) => {
      const fill = h("span", { class: "fill" });
      fill.style.setProperty("--share", String(taken / most));
      return h("tr", {}, h("th", { scope: "row" }, name), h("td", { class: "track" }, fill), h("td", { class: "number" }, milliseconds(taken)));
    }),
  );
  setText(byId("total"), stages.length ? `${milliseconds(Object.values(ms).reduce((sum, each) => sum + each, 0))} in all` : "");
}

/** An event's data in short: without what is empty, and fractions as exact as a screen is. */
function shortly(data) {
  const short = (key, value) => {
    if (value === null || value === "" || (key === "score" && value === 0)) return undefined;
    return typeof value === "number" && !Number.isInteger(value) ? Math.round(value * 1000) / 1000 : value;
  };
  return JSON.stringify(data, short).replaceAll('"', "").replaceAll(",", ", ").replaceAll(":", ": ");
}

function showEvents(events, nameOf) {
  setText(byId("found-count"), events.length ? String(events.length) : "none");
  byId("found").replaceChildren(
    ...events.map((event) => h("li", {}, h("strong", {}, event.type), ` by ${event.operator + 1} · ${nameOf(event.operator)} `, h("code", {}, shortly(event.data)))),
  );
}

function copying() {
  byId("copy").addEventListener("click", async () => {
    const text = byId("toml").textContent;
    try {
      await navigator.clipboard.writeText(text);
      setText(byId("copied"), "copied");
    } catch {
      // Without TLS a browser gives no clipboard: it is marked, so that Ctrl-C takes it.
      getSelection().selectAllChildren(byId("toml"));
      setText(byId("copied"), "marked: press Ctrl-C");
    }
    setTimeout(() => setText(byId("copied"), ""), 4000);
  });
}

async function begin() {
  const [forms, overview] = await Promise.all([ask("/api/try"), ask("/api/pipelines")]);
  document.body.append(h("datalist", { id: FILES }, ...forms.files.map((name) => h("option", { value: name }))));
  const stage = new Stage();
  const operators = new Operators(byId("operators"), forms.operators, FILES);
  let pipeline = {};
  let pipelineFields = [];
  const trying = new Trying(() => ({ camera: byId("camera").value, pipeline, operators: operators.tables, see: stage.see }));
  const changed = () => trying.changed();

  byId("camera").addEventListener("change", changed);
  await offerCameras(byId("camera"), address.get("camera") ?? "", changed);
  byId("op").replaceChildren(...forms.operators.map((form) => h("option", {}, form.op)));
  byId("add").addEventListener("submit", (event) => {
    event.preventDefault();
    operators.add(byId("op").value);
  });
  operators.addEventListener("changed", changed);
  operators.addEventListener("draw", ({ detail: { place, field } }) => stage.draw(place, field, operators.name(place), changed));
  byId("from").append(...overview.pipelines.map((each) => h("option", { value: each.group }, each.name)));
  const from = () => {
    const chosen = overview.pipelines.find((each) => each.group === byId("from").value);
    const { operators: tables = [], ...settings } = chosen?.settings ?? {};
    pipeline = chosen ? { ...settings, name: chosen.name, group: chosen.group } : { name: "try" };
    pipelineFields = showPipelineFields(forms.pipeline, pipeline, changed);
    byId("pipeline").dataset.running = chosen?.hashes.map(({ hash }) => hash).join(" ") ?? "";
    const masked = JSON.stringify(tables).includes(HIDDEN);
    setText(byId("notes"), masked ? `Values shown as ${HIDDEN} are secret: write them into the file yourself.` : "");
    operators.set(structuredClone(tables));
  };
  byId("from").addEventListener("change", from);
  byId("from").value = address.get("from") ?? "";
  if (byId("from").selectedIndex < 0) byId("from").value = "";
  from();
  byId("again").addEventListener("click", () => trying.again());
  byId("events").addEventListener("change", changed);
  copying();

  const nameOf = (place) => operators.name(place);
  const showFailure = (text, mayRepeat) => {
    byId("failed").hidden = !text;
    byId("again").hidden = !mayRepeat;
    setText(byId("failed").querySelector("span"), text);
  };
  trying.addEventListener("tried", async ({ detail: answer }) => {
    const { header } = answer;
    let rest = operators.tell(header.wrong);
    for (const field of pipelineFields) field.tell(rest.find(({ operator, key }) => operator === null && key === field.name)?.message ?? "");
    rest = rest.filter(({ key }) => !pipelineFields.some((field) => field.name === key));
    const where = header.failed && header.failed.operator !== null ? `${header.failed.operator + 1} · ${nameOf(header.failed.operator)}: ` : "";
    showFailure(header.failed ? where + header.failed.message : rest.map(({ key, message }) => `${key} ${message}`.trim()).join("; "), header.halted);
    setText(byId("notes"), header.notes.join(". "));
    if (header.toml) setText(byId("toml"), header.toml);
    byId("copy").disabled = header.wrong.length > 0 || !header.toml;
    byId("toml").classList.toggle("stale", header.wrong.length > 0);
    const running = byId("pipeline").dataset.running;
    const compared = !running ? "" : running.split(" ").includes(header.hash) ? " as running" : `, running: @${running.replaceAll(" ", " @")}`;
    setText(byId("hash"), header.hash ? `@${header.hash}${compared}` : "");
    if (!header.frame) return;
    operators.time(header.ms);
    showTimes(header.ms);
    showEvents(header.events, nameOf);
    await stage.show(answer, nameOf);
  });
  trying.addEventListener("trouble", ({ detail }) => showFailure(detail, false));
  await trying.run();
}

begin().catch((error) => {
  byId("failed").hidden = false;
  byId("again").hidden = true;
  setText(byId("failed").querySelector("span"), `The try-out cannot begin: ${error.message}`);
});
