// 2 x 3 affine maps as six numbers, row by row: [a, b, c, d, e, f] takes (x, y) to (a x + b y + c, d x + e y + f).

export const IDENTITY = Object.freeze([1, 0, 0, 0, 1, 0]);

/** The inverse of a map, or null where it has none. */
export function inverse([a, b, c, d, e, f]) {
  const determinant = a * e - b * d;
  if (!Number.isFinite(determinant) || Math.abs(determinant) < 1e-12) return null;
  const [ia, ib, id, ie] = [e, -b, -d, a].map((value) => value / determinant);
  return [ia, ib, -(ia * c + ib * f), id, ie, -(id * c + ie * f)];
}

/** A point [x, y] as the map takes it. */
export function apply([a, b, c, d, e, f], [x, y]) {
  return [a * x + b * y + c, d * x + e * y + f];
}

/**
 * From fractions of the raw picture to fractions of the one that is shown.
 *
 * toRaw: the header's `to_raw`, from the shown one to the raw one; without it the whole raw picture is shown.
 */
export function fromRaw(toRaw) {
  return (toRaw && inverse(toRaw)) || IDENTITY;
}

/** A map between fractions of a box as CSS has it, in pixels of that box. */
export function cssMatrix([a, b, c, d, e, f], width, height) {
  const parts = [a, (d * height) / width, (b * width) / height, e, c * width, f * height];
  return `matrix(${parts.map((part) => part.toFixed(6)).join(", ")})`;
}
