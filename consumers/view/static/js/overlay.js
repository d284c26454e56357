// Events of one camera, drawn over its picture: those of the frame that is shown, or else of the second before it.

import { apply, fromRaw } from "./affine.js";
import { svg } from "./dom.js";

// How long an event stays without a newer one in its place.
const LASTS_MS = 1000;
// From here on it is drawn as of a moment ago. Events come on a topic of their own, a little before or after the frame.
const FRESH_MS = 300;
const KEPT_MS = 5000;
const MAX_SHAPES = 60;
// Everything else has the style of "other".
const STYLED = new Set(["motion", "detection", "face", "code"]);

/** The events of one camera that may still be drawn. */
export class RecentEvents {
  #events = [];
  #problems = new Map();

  /** Take an event as it is on `frames.events`. */
  add(event) {
    const atMs = event.captured_at_ns / 1e6;
    this.#events.push({ ...event, atMs });
    const newest = this.#events.reduce((most, each) => Math.max(most, each.atMs), 0);
    this.#events = this.#events.filter((each) => each.atMs > newest - KEPT_MS);
    if (event.type === "health" && event.data?.problem) {
      if (event.data.state === "ended") this.#problems.delete(event.data.problem);
      else this.#problems.set(event.data.problem, event);
    }
  }

  /** What belongs on a frame (its header): [{event, ageMs}], one for each type, pipeline and zone. */
  of(header) {
    const chosen = new Map();
    for (const event of this.#events) {
      if (event.type === "health" || event.epoch !== header.epoch || event.sequence > header.sequence) continue;
      const ageMs = event.sequence === header.sequence ? 0 : header.captured_ms - event.atMs;
      if (ageMs > LASTS_MS) continue;
      const key = `${event.type} ${event.pipeline} ${event.data?.zone ?? ""}`;
      const other = chosen.get(key);
      if (!other || event.sequence > other[0].event.sequence) chosen.set(key, [{ event, ageMs }]);
      // One frame may have many of a type: codes come one by one.
      else if (event.sequence === other[0].event.sequence) other.push({ event, ageMs });
    }
    return [...chosen.values()].flat();
  }

  /** What is wrong with the camera's picture: names such as "dark". */
  problems() {
    return [...this.#problems.keys()];
  }
}

/** What is to be drawn of an event: [{points, text, box}], points as fractions of the raw picture. */
export function shapesOf(event) {
  const data = event.data ?? {};
  const boxes = Array.isArray(data.boxes) ? data.boxes : [];
  if (event.type === "code" && Array.isArray(data.corners)) {
    return [{ points: data.corners, text: `${data.kind}: ${data.text}` }];
  }
  return boxes.map((box, index) => ({
    points: [
      [box.x, box.y],
      [box.x + box.w, box.y],
      [box.x + box.w, box.y + box.h],
      [box.x, box.y + box.h],
    ],
    text: textOf(event, box, index),
    box,
  }));
}

/** The first followed box at each place; of all others at that place none is drawn. */
function tracksOf(found) {
  const tracked = new Map();
  for (const { event } of found) {
    for (const { box } of shapesOf(event)) {
      if (box?.track && !tracked.has(placeOf(box))) tracked.set(placeOf(box), box);
    }
  }
  return tracked;
}

function placeOf(box) {
  return `${box.x} ${box.y} ${box.w} ${box.h}`;
}

function textOf(event, box, index) {
  const named = box.label || event.type;
  const score = box.score > 0 ? ` ${Math.round(box.score * 100)} %` : "";
  const zone = zoneOf(event);
  // The epoch is the same for all of them.
  const track = box.track ? ` #${box.track.split("-").slice(-2).join("-")}` : "";
  // Boxes are sorted by weight; the many small ones of a zone would bury the picture under the same words.
  if (!box.label && !score && !track && index > 0) return "";
  return `${named}${score}${track}${zone}`;
}

function zoneOf(event) {
  const zone = event.data?.zone;
  return zone === undefined || zone === "" ? "" : ` · zone ${zone}`;
}

/** Draw what belongs on a frame into an overlay. mapped: toRaw of the picture that lies below, or null for raw. */
export function drawOverlay(overlay, found, toRaw) {
  const shapes = overlay.querySelector(".shapes");
  if (!found.length && !shapes.firstChild) return;
  const map = fromRaw(toRaw);
  const marks = [];
  const labels = [];
  const tracked = tracksOf(found);
  for (const { event, ageMs } of found) {
    const style = `${STYLED.has(event.type) ? event.type : "other"}${ageMs > FRESH_MS ? " older" : ""}`;
    for (const { points, text, box } of shapesOf(event)) {
      if (marks.length >= MAX_SHAPES) break;
      // What `track` follows was found by another operator before, and may be counted by others behind it.
      if (box && (tracked.get(placeOf(box)) ?? box) !== box) continue;
      const corners = points.map((point) => apply(map, point));
      marks.push(svg("polygon", { class: style, points: corners.map((corner) => corner.join(",")).join(" ") }));
      if (text) labels.push(label(corners, text, style));
    }
  }
  shapes.replaceChildren(...marks);
  overlay.querySelector(".labels").replaceChildren(...labels);
}

function label(corners, text, style) {
  const left = Math.min(...corners.map(([x]) => x));
  const top = Math.min(...corners.map(([, y]) => y));
  // Above the shape, or inside where there is no room above; it ends at the right where it would run out there.
  const atRight = left > 0.5;
  const x = atRight ? Math.min(1, Math.max(...corners.map(([each]) => each))) : Math.max(0, left);
  const element = svg("text", {
    class: style,
    x: `${(x * 100).toFixed(2)}%`,
    y: `${(Math.max(0, top) * 100).toFixed(2)}%`,
    dy: top < 0.09 ? "1.1em" : "-0.35em",
    "text-anchor": atRight ? "end" : "start",
  });
  element.textContent = text;
  return element;
}
