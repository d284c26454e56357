// The keyboard on the wall: arrows go from camera to camera, letters act on the one that has the focus.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** The tile that lies next in a direction, or undefined. from, others: elements. direction: [across, down]. */
export function nextIn(from, others, [across, down]) {
  const here = middle(from);
  let best;
  let least = Infinity;
  for (const other of others) {
    const there = middle(other);
    const along = (there.x - here.x) * across + (there.y - here.y) * down;
    const aside = Math.abs((there.x - here.x) * down) + Math.abs((there.y - here.y) * across);
    // What lies aside counts more, so that down stays in its column.
    const far = along + 3 * aside;
    if (along > 4 && far < least) [best, least] = [other, far];
  }
  return best;
}

function middle(element) {
  const box = element.getBoundingClientRect();
  return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
}

/**
 * Listen to keys on the wall. Letters count only while a camera has the focus, so that they are in nobody's way.
 *
 * actions: functions of a tile by key, such as {r: (tile) => …}.
 */
export function listenToKeys(wall, list, actions) {
  list.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches("input")) return;
    const element = event.target.closest(".tile");
    const tile = element && wall.tile(element.dataset.camera);
    if (!tile) return;
    const shown = wall.tiles.filter((each) => !each.element.hidden).map((each) => each.element);
    let next;
    if (event.key in ARROWS) next = nextIn(element, shown, ARROWS[event.key]);
    else if (event.key === "Home") next = shown.at(0);
    else if (event.key === "End") next = shown.at(-1);
    else if (event.key in actions) actions[event.key](tile);
    else return;
    event.preventDefault();
    if (next) wall.tile(next.dataset.camera).link.focus();
  });
}
