// The page of one camera: live, or any frame that the topic still holds.

import { Connection } from "../connection.js";
import { fitCanvas, setAttribute, setText } from "../dom.js";
import { Lost } from "../lost.js";
import { Painter } from "../painter.js";
import { recall, remember } from "../remembered.js";
import { Tile } from "../tile.js";
import { clock } from "../words.js";
import { Archive, nanoseconds } from "./archive.js";
import { copyText } from "./copy.js";
import { FoundThen } from "./found.js";
import { Player } from "./player.js";
import { Reel } from "./reel.js";
import { TimeBar } from "./timebar.js";

const SPAN_MS = 15_000;
const GONE = 410;
// A camera whose newest frame is older than that is shown as it was then.
const SILENT_MS = 15_000;

const element = (id) => document.getElementById(id);
const camera = decodeURIComponent(location.pathname.split("/").at(-1));
const connection = new Connection();
const painter = new Painter(connection);
const lost = new Lost(element("banner"));
const archive = new Archive(camera);
const reel = new Reel(archive);
const foundThen = new FoundThen(archive);
const tile = new Tile(camera, element("tile"));
const bar = new TimeBar();
const player = new Player(reel, (frame) => show(frame, { politely: false }));
const state = { live: false, header: null, everConnected: false, turn: 0, urlAtMs: 0 };

document.title = `${camera} · Framelane`;
setText(element("name"), camera);
element("place").replaceWith(tile.element);
new ResizeObserver(() => tile.fit()).observe(tile.element);

// Live.

function watch() {
  const wanted = tile.wanted();
  connection.watch(state.live ? { [camera]: wanted } : {});
}

function goLive() {
  player.stop();
  state.turn += 1;
  state.live = true;
  tile.forget();
  tell("");
  for (const [kind, canvas] of Object.entries(tile.canvases)) painter.attach(camera, kind, canvas);
  watch();
  history.replaceState(null, "", location.pathname);
  showMode();
}

function leaveLive() {
  if (!state.live) return;
  state.live = false;
  for (const kind of Object.keys(tile.canvases)) painter.detach(camera, kind);
  watch();
  showMode();
}

function showMode() {
  element("live").setAttribute("aria-pressed", String(state.live));
  if (state.live) return;
  tile.element.dataset.state = "live";
  tile.element.querySelector(".notice").hidden = true;
  showState("past", "", "shape-past");
}

function showState(word, look, shape) {
  element("state").className = `state ${look}`;
  setText(element("state").querySelector(".word"), word);
  setAttribute(element("state").querySelector("use"), "href", `#${shape}`);
}

painter.addEventListener("drawn", ({ detail: { kind, header } }) => {
  if (!state.live) return;
  tile.drawn(kind, header);
  if (kind !== "processed") return;
  bar.extend(header.captured_ms);
  showHeader(header);
});
connection.addEventListener("event", ({ detail }) => state.live && detail.camera_id === camera && tile.found(detail));
connection.addEventListener("cameras", ({ detail: cameras }) => {
  const figures = cameras.find((each) => each.camera_id === camera);
  if (!figures) return;
  const before = tile.element.dataset.state;
  tile.showFigures(figures, connection.serverNow());
  if (state.live) {
    const looks = { live: "good", stale: "warn", silent: "bad" };
    showState(figures.state, looks[figures.state], `shape-${figures.state}`);
  } else {
    tile.element.dataset.state = before;
    tile.element.querySelector(".notice").hidden = true;
  }
});
connection.addEventListener("open", () => {
  state.everConnected = true;
  lost.found();
});
connection.addEventListener("lost", () => lost.lost(state.everConnected));
lost.addEventListener("shown", () => state.live && tile.showLost());

// The past.

async function draw(canvas, { header, blob }) {
  const bitmap = await createImageBitmap(blob);
  return () => {
    fitCanvas(canvas, bitmap);
    canvas.getContext("2d", { alpha: false }).drawImage(bitmap, 0, 0);
    canvas.dataset.epoch = header.epoch;
    canvas.dataset.sequence = header.sequence;
    bitmap.close();
    tile.drawn(header.kind, header);
  };
}

/** Show a frame of the past, with what was found in it and, where wanted, the raw one that it was made of. */
async function show(frame, { politely = true } = {}) {
  const turn = ++state.turn;
  const { header } = frame;
  const [drawn, raw, events] = await Promise.all([
    draw(tile.canvases.processed, frame),
    tile.way === "off" ? null : rawOf(header),
    element("events").checked ? foundThen.of(header, connection.serverNow()).catch(() => []) : [],
  ]);
  if (turn !== state.turn || state.live) return;
  tile.forget();
  drawn();
  if (raw) raw();
  else delete tile.element.dataset.raw;
  for (const event of events) tile.found(event);
  showHeader(header);
  bar.setAt(header.captured_ms);
  link(politely);
}

async function rawOf(header) {
  try {
    return await draw(tile.canvases.raw, await archive.raw(header.place));
  } catch (error) {
    tell(error.message);
    return null;
  }
}

function showHeader(header) {
  state.header = header;
  tile.element.style.setProperty("--shape", String(header.width / header.height));
  setText(element("clock"), thousandths(header.captured_ms));
  setText(element("identity"), `${header.epoch}/${header.sequence}`);
  if (state.live) bar.setAt(header.captured_ms);
  element("download").href = `/api/frames/${header.place}?download`;
  element("copy").disabled = false;
}

function thousandths(ms) {
  return `${clock(ms)}.${String(Math.floor(ms % 1000)).padStart(3, "0")}`;
}

/** The address of the frame that is shown. Browsers allow few changes of it, so a film changes it now and then. */
function link(now) {
  if (!now && Date.now() - state.urlAtMs < 1000) return;
  state.urlAtMs = Date.now();
  history.replaceState(null, "", `${location.pathname}${search()}`);
}

function search() {
  return `?at=${encodeURIComponent(state.header.epoch)}/${state.header.sequence}`;
}

function tell(text, mend = null) {
  element("message").hidden = !text;
  setText(element("message").firstElementChild, text);
  element("mend").hidden = !mend;
  if (mend) setText(element("mend"), mend);
}

function problem(error) {
  tell(error.message, error.status === GONE ? "Go to the oldest frame" : null);
}

async function seek(at) {
  player.stop();
  leaveLive();
  try {
    const frame = await reel.seek(at);
    if (!frame) return;
    tell("");
    await show(frame);
  } catch (error) {
    problem(error);
  }
}

async function toOldest() {
  try {
    const { oldest } = await archive.span();
    await seek(`${oldest.epoch}/${oldest.sequence}`);
  } catch (error) {
    problem(error);
  }
}

/** While the bar is dragged, one request at a time: the newest place wins. */
const drag = { wanted: null, busy: false };
async function scrub(ms) {
  drag.wanted = ms;
  if (drag.busy) return;
  drag.busy = true;
  while (drag.wanted !== null) {
    const wanted = drag.wanted;
    drag.wanted = null;
    // Down to whole ms: a fraction more than the frame has, and it would be the one after it.
    await seek(nanoseconds(Math.floor(wanted)));
  }
  drag.busy = false;
}

let stepping = Promise.resolve();
function step(way) {
  player.stop();
  stepping = stepping.then(() => stepped(way));
  return stepping;
}

async function stepped(way) {
  try {
    await hold();
    const frame = await reel[way]();
    if (frame) {
      tell("");
      await show(frame);
    } else if (reel.current) {
      tell(way === "next" ? "This is the newest frame." : "This is the oldest frame that is retained.");
    }
  } catch (error) {
    problem(error);
  }
}

/** From live to the very frame that is shown. */
async function hold() {
  if (!state.live || !state.header) return;
  const { epoch, sequence } = state.header;
  leaveLive();
  await reel.seek(`${epoch}/${sequence}`);
}

async function playOrPause() {
  if (player.playing) {
    player.stop();
    if (state.header) link(true);
    return;
  }
  try {
    if (state.live) {
      // A film that is played from its end is a live picture that is held.
      await hold();
      if (reel.current) await show(reel.current);
      return;
    }
    tell("");
    await player.play();
  } catch (error) {
    problem(error);
  }
}

async function refreshSpan() {
  if (document.hidden) return;
  try {
    const { oldest, newest } = await archive.span();
    bar.setSpan(oldest.captured_ms, Math.max(newest.captured_ms, state.live ? (state.header?.captured_ms ?? 0) : 0));
    bar.setMarks(await archive.marks(bar.fromMs, bar.toMs));
    const silent = newest.captured_ms < connection.serverNow() - SILENT_MS;
    if (state.live && !state.header && silent) await seek(`${newest.epoch}/${newest.sequence}`);
  } catch (error) {
    if (!state.header) problem(error);
  }
}

bar.addEventListener("seek", ({ detail: ms }) => scrub(ms));
bar.addEventListener("mark", ({ detail: mark }) => seek(mark.at_ns));
bar.addEventListener("zoomed", refreshSpan);
player.addEventListener("problem", ({ detail }) => problem(detail));
player.addEventListener("state", () => {
  element("play").setAttribute("aria-label", player.playing ? "Pause" : "Play");
});
element("back").addEventListener("click", () => step("previous"));
element("on").addEventListener("click", () => step("next"));
element("play").addEventListener("click", playOrPause);
element("live").addEventListener("click", goLive);
element("mend").addEventListener("click", toOldest);
element("speed").addEventListener("change", ({ target }) => (player.speed = Number(target.value)));
element("copy").addEventListener("click", async () => {
  const address = `${location.origin}${location.pathname}${search()}`;
  const copied = await copyText(address);
  setText(element("spoken"), copied ? "Link copied" : "");
  if (!copied) tell(`This browser does not let the page copy; the link: ${address}`);
  element("copy").textContent = copied ? "Copied" : "Copy link";
  setTimeout(() => (element("copy").textContent = "Copy link"), 2000);
});

const keys = {
  ArrowLeft: () => step("previous"),
  ",": () => step("previous"),
  ArrowRight: () => step("next"),
  ".": () => step("next"),
  " ": playOrPause,
  l: goLive,
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || !(event.key in keys)) return;
  if (event.target.matches("select, textarea")) return;
  // Arrows and space choose among what has the focus.
  if (event.target.matches("input:not(#scrub)") && (event.key === " " || event.key.startsWith("Arrow"))) return;
  // Space presses what has the focus.
  if (event.key === " " && event.target.closest("button, a, summary")) return;
  event.preventDefault();
  keys[event.key]();
});

function setWay(way) {
  tile.setWay(way);
  remember("raw", way);
  if (state.live) watch();
  else if (reel.current && !player.playing) show(reel.current);
}
for (const radio of document.querySelectorAll('[name="raw"]')) {
  radio.addEventListener("change", () => setWay(radio.value));
}
setWay(document.querySelector('[name="raw"]:checked').value);
element("events").checked = recall("events", "on") === "on";
element("events").addEventListener("change", ({ target }) => {
  remember("events", target.checked ? "on" : "off");
  tile.showEvents(target.checked);
  if (!state.live && reel.current && !player.playing) show(reel.current);
});
tile.showEvents(element("events").checked);

const asked = new URLSearchParams(location.search).get("at");
if (asked) {
  showMode();
  seek(asked);
} else {
  goLive();
}
refreshSpan();
setInterval(refreshSpan, SPAN_MS);
