// One pipeline: what runs, how long a frame takes in each stage, what waits, and who works on it.

import { h } from "./element.js";
import { setText } from "../dom.js";
import { count, duration, rate } from "../words.js";

const SHOWN_SETTINGS = ["cameras", "freshness", "max_age_ms", "max_fps", "frame_timeout_ms", "max_pixels", "format", "quality", "plan"];

/** Milliseconds of a frame: "0.42 ms", "3.1 ms", "120 ms". */
export function milliseconds(ms) {
  if (ms === null || ms === undefined) return "–";
  return `${ms < 1 ? ms.toFixed(2) : ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
}

/** An operator as `--op` has it. */
export function operatorText({ op, ...parameters }) {
  const values = Object.entries(parameters).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return values.length ? `${op}:${values.join(",")}` : op;
}

export class PipelineCard {
  #stateMark;
  #parts = {};

  constructor(stateMark) {
    this.#stateMark = stateMark;
    const part = (name, element) => (this.#parts[name] = element);
    const table = (name, caption, ...heads) =>
      h(
        "div",
        { class: "scroll-x", tabindex: "0", role: "group", "aria-label": caption },
        h(
          "table",
          { class: "table" },
          h("caption", { class: "visually-hidden" }, caption),
          h("thead", {}, h("tr", {}, ...heads.map(([text, style]) => h("th", { scope: "col", class: style }, text)))),
          part(name, h("tbody")),
        ),
      );
    this.element = h(
      "li",
      { class: "panel pipeline" },
      h(
        "div",
        { class: "panel-head" },
        part("title", h("h2")),
        part("state", h("span")),
        part("hashes", h("span", { class: "hashes" })),
        part("rollout", h("strong", { class: "rollout", hidden: true }, "rollout: several settings at once")),
        part("try", h("a", { class: "button" }, "Try it out")),
      ),
      h(
        "div",
        { class: "panel-body" },
        part("flow", h("p", { class: "flow" })),
        part("operators", h("ol", { class: "chips", "aria-label": "Operators" })),
        part("figures", h("dl", { class: "figures" })),
        h(
          "div",
          { class: "halves" },
          h(
            "section",
            {},
            h("h3", {}, "Time of a frame by stage"),
            part("stages", h("table", { class: "stages" })),
            h("p", { class: "muted legend" }, h("span", { class: "swatch" }), "worked on ", h("span", { class: "swatch waits" }), "waits or is on its way"),
          ),
          h(
            "section",
            {},
            h("h3", {}, "Lag by partition"),
            table("lag", "Lag by partition", ["partition"], ["frames", "number"], ["behind", "number"], ["worker"]),
          ),
        ),
        h("h3", {}, "Workers"),
        table("workers", "Workers", ["worker"], ["state"], ["settings"], ["version"], ["threads", "number"], ["fps", "number"], ["rebalances", "number"], ["partitions"], ["heard of", "number"]),
        h("details", {}, h("summary", {}, "All settings"), part("settings", h("dl", { class: "settings" }))),
      ),
    );
  }

  /** Bring it up to date. */
  show(pipeline) {
    const parts = this.#parts;
    setText(parts.title, pipeline.name);
    parts.try.href = `/pipelines/try?from=${encodeURIComponent(pipeline.group)}`;
    parts.try.setAttribute("aria-label", `Try out ${pipeline.name}`);
    parts.state.replaceChildren(this.#stateMark(pipeline.state));
    parts.hashes.replaceChildren(
      ...pipeline.hashes.map(({ hash, workers }) =>
        h("code", { title: "settings hash, and how many workers run it" }, pipeline.hashes.length > 1 ? `@${hash} × ${workers}` : `@${hash}`),
      ),
    );
    parts.rollout.hidden = pipeline.hashes.length < 2;
    const settings = pipeline.settings;
    const events = settings.events ? ` · events ${settings.events} · dead letters ${settings.dead_letter}` : "";
    setText(parts.flow, `${settings.input ?? "?"} → ${settings.output || "events only"}${events} · group ${pipeline.group}`);
    const operators = settings.operators ?? [];
    parts.operators.replaceChildren(
      ...(operators.length ? operators.map((each) => h("li", {}, h("code", {}, operatorText(each)))) : [h("li", { class: "muted" }, "no operators")]),
    );
    this.#showFigures(pipeline);
    this.#showStages(pipeline.stages);
    this.#showLag(pipeline);
    this.#showWorkers(pipeline);
    parts.settings.replaceChildren(
      ...SHOWN_SETTINGS.filter((name) => name in settings).flatMap((name) => [h("dt", {}, name), h("dd", {}, h("code", {}, JSON.stringify(settings[name])))]),
    );
  }

  #showFigures(pipeline) {
    const workers = pipeline.workers.filter((each) => each.state === "running").length;
    const behind = pipeline.lag_s === null ? "–" : duration(pipeline.lag_s * 1000);
    const figures = [
      ["frames a second", rate(pipeline.fps)],
      ["age, middle", duration(pipeline.age_p50_ms)],
      ["age, worst p99", duration(pipeline.age_p99_ms)],
      ["lag", `${count(pipeline.lag)} frames`],
      ["behind", behind],
      ["dead letters", count(pipeline.counts.dead), pipeline.counts.dead ? "bad" : ""],
      ["stale", count(pipeline.counts.stale)],
      ["cameras", String(pipeline.cameras.length)],
      ["workers", String(workers)],
    ];
    this.#parts.figures.replaceChildren(
      ...figures.map(([name, value, style]) => h("div", {}, h("dt", {}, name), h("dd", { class: style || null }, value))),
    );
  }

  #showStages(stages) {
    const most = Math.max(...stages.map((stage) => stage.ms ?? 0), 0.001);
    const rows = stages.map((stage) => {
      const fill = h("span", { class: stage.waits ? "fill waits" : "fill" });
      fill.style.setProperty("--share", String((stage.ms ?? 0) / most));
      return h(
        "tr",
        {},
        h("th", { scope: "row" }, stage.name),
        h("td", { class: "track" }, fill),
        h("td", { class: "number" }, milliseconds(stage.ms)),
      );
    });
    const none = h("tr", {}, h("td", { class: "muted" }, "not known until a worker has reported twice"));
    this.#parts.stages.replaceChildren(h("tbody", {}, rows.length ? rows : none));
  }

  #showLag(pipeline) {
    const rows = pipeline.partitions.map((each) =>
      h(
        "tr",
        {},
        h("th", { scope: "row", class: "mono" }, each.partition),
        h("td", { class: "number" }, each.frames === null ? "–" : count(each.frames)),
        h("td", { class: "number" }, each.seconds === null ? "–" : duration(each.seconds * 1000)),
        h("td", { class: "mono" }, each.worker),
      ),
    );
    const none = h("tr", {}, h("td", { colspan: "4", class: "muted" }, "no worker has a partition"));
    this.#parts.lag.replaceChildren(...(rows.length ? rows : [none]));
  }

  #showWorkers(pipeline) {
    this.#parts.workers.replaceChildren(
      ...pipeline.workers.map((each) =>
        h(
          "tr",
          {},
          h("th", { scope: "row", class: "mono" }, each.instance),
          h("td", {}, this.#stateMark(each.state)),
          h("td", {}, h("code", {}, `@${each.hash}`)),
          h("td", {}, each.version),
          h("td", { class: "number" }, each.threads === null ? "–" : String(each.threads)),
          h("td", { class: "number" }, rate(each.fps)),
          h("td", { class: "number" }, String(each.rebalances)),
          h("td", {}, numbers(each.partitions)),
          h("td", { class: "number" }, `${duration(each.seen_s * 1000)} ago`),
        ),
      ),
    );
  }
}

/** "0, 1, 2" of one topic. */
function numbers(partitions) {
  return partitions.map((name) => name.slice(name.lastIndexOf("/") + 1)).join(", ") || "–";
}
