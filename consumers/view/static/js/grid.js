// The page of all cameras: it joins the connection, the painter, the wall and the controls.

import { Connection } from "./connection.js";
import { listenToKeys } from "./keys.js";
import { Lost } from "./lost.js";
import { Painter } from "./painter.js";
import { Spoken } from "./spoken.js";
import { Toolbar } from "./toolbar.js";
import { Wall } from "./wall.js";

const element = (id) => document.getElementById(id);
const list = element("wall");
const legend = element("legend");
const connection = new Connection();
const painter = new Painter(connection);
const wall = new Wall(list, element("tile"));
const toolbar = new Toolbar(wall, list);
const lost = new Lost(element("banner"));
const spoken = new Spoken(element("spoken"));
let everConnected = false;

wall.addEventListener("added", ({ detail: tile }) => {
  for (const [kind, canvas] of Object.entries(tile.canvases)) painter.attach(tile.camera, kind, canvas);
});
wall.addEventListener("removed", ({ detail: tile }) => {
  for (const kind of Object.keys(tile.canvases)) painter.detach(tile.camera, kind);
});
wall.addEventListener("wanted", () => connection.watch(wall.wanted()));
painter.addEventListener("drawn", ({ detail: { camera, kind, header } }) => wall.tile(camera)?.drawn(kind, header));

lost.addEventListener("shown", () => wall.showLost());

connection.addEventListener("open", () => {
  everConnected = true;
  lost.found();
});
connection.addEventListener("lost", () => lost.lost(everConnected));
connection.addEventListener("event", ({ detail: event }) => wall.tile(event.camera_id)?.found(event));
connection.addEventListener("cameras", ({ detail: cameras }) => {
  wall.show(cameras, connection.serverNow());
  toolbar.count(wall.tiles);
  spoken.hear(wall.tiles);
  element("waiting").hidden = true;
  element("empty").hidden = cameras.length > 0;
  element("tools").hidden = cameras.length === 0;
});
connection.addEventListener("problems", ({ detail: problems }) => {
  element("problems").hidden = problems.length === 0;
  const items = problems.map((problem) => Object.assign(document.createElement("li"), { textContent: problem }));
  element("problems").querySelector("ul").replaceChildren(...items);
});

listenToKeys(wall, list, {
  r: (tile) => wall.toggleRaw(tile),
  e: () => toolbar.toggleEvents(),
  "/": () => element("filter").focus(),
  "?": () => legend.showModal(),
});
element("help").addEventListener("click", () => legend.showModal());
element("clear").addEventListener("click", () => toolbar.clear());
