// The age of a camera's frames over the last minute, as a line.

import { setAttribute } from "./dom.js";
import { duration } from "./words.js";

export const WIDTH = 60;
export const HEIGHT = 16;
// Below this everything is well: a camera at 40 ms draws a calm line near the bottom, not its own noise.
const CALM_MS = 200;

/** The SVG path of ages (ms or null, one a second, oldest first): a gap where nothing came. */
export function sparkPath(ages) {
  const known = ages.filter((age) => age !== null);
  if (!known.length) return "";
  const top = Math.max(CALM_MS, ...known);
  const step = WIDTH / Math.max(1, ages.length - 1);
  let path = "";
  let pen = false;
  ages.forEach((age, index) => {
    if (age === null) {
      pen = false;
      return;
    }
    const x = (index * step).toFixed(1);
    const y = (HEIGHT - 1 - (age / top) * (HEIGHT - 2)).toFixed(1);
    path += `${pen ? "L" : "M"}${x} ${y}`;
    // A lone second would be a line without length.
    if (!pen && (ages[index + 1] ?? null) === null) path += "h0.8";
    pen = true;
  });
  return path;
}

/** Draw ages into an svg that holds a title and a path. */
export function drawSparkline(element, ages) {
  const known = ages.filter((age) => age !== null);
  const most = known.length ? `, ${duration(Math.max(...known))} at the most` : "";
  setAttribute(element, "aria-label", `Frame age over the last minute${most}`);
  setAttribute(element.querySelector("path"), "d", sparkPath(ages));
}
